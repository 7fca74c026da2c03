"""What other devices publish, and what it means to us."""
