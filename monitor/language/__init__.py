"""What notifications and the page say, in the house's language."""
