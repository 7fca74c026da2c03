"""Writers of the generated pages under docs/reference, and of the output that other pages show."""
