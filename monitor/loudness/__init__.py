"""How loud each minute of a source was, in the measure that people use: A-weighted, without keeping sound."""
