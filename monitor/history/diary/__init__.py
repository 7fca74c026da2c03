"""What a house sounded like, hour by hour, and what chirps in it."""
