"""Sound taggers: small models that score every label."""
