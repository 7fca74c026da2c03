"""Commands by which a house is changed, teaches, and proves that it hears."""
