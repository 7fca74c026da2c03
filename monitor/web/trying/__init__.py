"""The last days decided again with something changed, in a process of its own."""
