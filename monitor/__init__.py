"""earwitness listens to a home and reports what it heard."""

__version__ = "0.2.0.dev0"
"""The one place where it stands; `scripts/release` holds its tag against it."""
