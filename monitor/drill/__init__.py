"""Acoustic drills: somebody presses an alarm's test button, and every room shows how well it hears it."""
