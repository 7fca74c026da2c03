"""Sounds that a house has taught: heard on the embedding that the model gives anyway."""
