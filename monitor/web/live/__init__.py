"""Sources as they are at this moment, beside their live spectrogram: their sound, and how far it reaches."""
