"""Arithmetic on every sample, compiled: see docs/decisions/compiled-kernels.md."""
