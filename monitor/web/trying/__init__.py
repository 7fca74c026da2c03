"""Heavy work in a process of its own: the last days decided again, and what is taken away."""
