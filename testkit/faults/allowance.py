"""How much longer than the table promises a row may take where the machine is somebody else's."""

from contextvars import ContextVar

ALLOWANCE = ContextVar("ALLOWANCE", default=1.0)
"""A factor on every bound of time. The table's own figures are taken with 1."""
SHORT = 10.0
"""In the short form, which runs with every change: it holds what must not be lost, and not how fast a busy
machine is."""
