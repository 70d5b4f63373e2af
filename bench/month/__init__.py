"""A month of a large community, played through the public API: who lives there, what they do, and what must come of it."""
