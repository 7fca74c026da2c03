"""The synchronous loop: front end, decisions, and how both are built from a configuration."""
