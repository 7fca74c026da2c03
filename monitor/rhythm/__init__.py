"""Alarm patterns in tones: every frame of every source, never behind the gate."""
