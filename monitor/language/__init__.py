"""What people are told, in the house's language."""
