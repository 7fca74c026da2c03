"""Trains the sound model that ships with earwitness: `python -m scripts.train_tagger --help`."""
