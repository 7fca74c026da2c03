"""How well a classifier hears, measured on labelled recordings; the same for every classifier."""
