"""Rules about what was not heard in time."""
