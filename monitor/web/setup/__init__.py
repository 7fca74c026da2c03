"""Set-up on the page: from nothing to a house that is heard, in five steps, written as a configuration."""
