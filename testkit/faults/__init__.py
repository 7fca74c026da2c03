"""Faults, each brought about for real and held to what must still work."""
