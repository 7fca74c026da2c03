"""Frames of even length, and the time at which they were captured."""
