"""What Home Assistant is told about us, and what it says of itself."""
