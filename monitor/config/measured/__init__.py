"""What was measured in the house, and lies over the configuration."""
