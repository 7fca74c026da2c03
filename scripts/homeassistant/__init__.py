"""earwitness against a real Home Assistant: `scripts/check-homeassistant` prepares one and runs this."""
