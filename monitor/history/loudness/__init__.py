"""How loud each minute was, kept for a year."""
