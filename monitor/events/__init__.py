"""Detections in, events that begin, change and end out."""
