"""What a segment is."""
