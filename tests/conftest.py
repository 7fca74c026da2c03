"""What every test starts from."""

import signal
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from monitor.labels import name_taught
from monitor.language.words import name_rooms, speak
from testkit.memory_disk import keep_temporary_files_in_memory

keep_temporary_files_in_memory()

# A test that fails on a busy machine and passes on an idle one says nothing about the code; one that fails
# by the luck of a draw says nothing about a change. `pytest --hypothesis-profile=search` draws anew.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("any machine", settings.get_profile("search"), derandomize=True)
settings.load_profile("any machine")

# Started in the background of a script, we ignore Ctrl-C; what we start would inherit that and never stop.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    """A command under test sets up logging for its whole process; the next test starts without."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def untaught_vocabulary() -> Iterator[None]:
    """What a house has taught, its language and its rooms belong to its test alone."""
    yield
    name_taught(())
    name_rooms({})
    speak("en")
