"""What to say of mistakes in a configuration."""
