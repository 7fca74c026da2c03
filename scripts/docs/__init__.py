"""Writers of the generated pages under docs/reference."""
