"""What `make serve` runs: the demonstration community, and the server for it."""
