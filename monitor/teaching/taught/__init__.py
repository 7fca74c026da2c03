"""Sounds of a house's own: what they are taught from and must stand out from, and what has no name yet."""
