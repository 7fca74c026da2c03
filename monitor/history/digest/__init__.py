"""The daily summary."""
