"""What every test starts from."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

# A test that fails on a busy machine and passes on an idle one says nothing about the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    """A command under test sets up logging for its whole process; the next test starts without."""
    yield
    structlog.reset_defaults()
