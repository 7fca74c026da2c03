"""Discovery documents for Home Assistant, and its own status (birth and will)."""
