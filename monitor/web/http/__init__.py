"""From a socket to the table of routes, and back."""
