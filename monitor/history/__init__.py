"""What is kept of days: scores, decisions, and what people said of them: written, read, explained."""
