"""What every test starts from."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    """A command under test sets up logging for its whole process; the next test starts without."""
    yield
    structlog.reset_defaults()
