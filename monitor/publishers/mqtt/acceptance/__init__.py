"""What a broker takes of ours, and what it does not."""
