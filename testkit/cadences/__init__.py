"""The cadences of European smoke alarms, and what a pattern of its own for each would take besides."""
