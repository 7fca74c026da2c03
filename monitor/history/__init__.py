"""Scores and decisions of the last days: written, read, explained, replayed."""
