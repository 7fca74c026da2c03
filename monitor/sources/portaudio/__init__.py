"""Microphones through PortAudio, read by a process of their own."""
