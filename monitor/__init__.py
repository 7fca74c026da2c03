"""earwitness listens to a home and reports what it heard."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("earwitness")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0.0.0"
