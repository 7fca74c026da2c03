"""Servers that hold a model: what each takes and gives, and what its answers are worth."""
