"""Sounds made by arithmetic: for the demo scene, the tests, the benchmarks and training."""
