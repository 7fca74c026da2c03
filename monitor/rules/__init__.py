"""Which events matter."""
