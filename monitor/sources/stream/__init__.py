"""Cameras and other network streams."""
