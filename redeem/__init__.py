"""How points are spent: the resource library, its shops, what they offer, the codes, and the desk where points are taken."""
