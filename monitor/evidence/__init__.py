"""Clips and pictures of what was heard, where the owner wants them kept."""
