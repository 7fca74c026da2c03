"""Hearing in continuous scenes: composed, heard by the whole pipeline, scored."""
