"""Other nodes on a broker, as they say of themselves: read, and never spoken to."""
