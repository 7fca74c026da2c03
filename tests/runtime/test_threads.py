"""Waiting for threads to end."""

import threading

from structlog.testing import capture_logs

from monitor.runtime.threads import join_all


def test_one_that_hangs_is_named_and_left_behind():
    """All together get the time, and the owner learns who it was."""
    gate = threading.Event()
    hanging = threading.Thread(target=gate.wait, name="listen-porch")
    done = threading.Thread(target=lambda: None, name="listen-hall")
    try:
        for thread in (hanging, done):
            thread.start()
        with capture_logs() as logs:
            join_all([hanging, done], 0.1)
            done.join()
        assert "listen-porch" in logs[0]["threads"]
    finally:
        gate.set()
        hanging.join()


def test_one_that_never_began_is_no_hindrance():
    """A start that was interrupted is taken down like any other."""
    with capture_logs() as logs:
        join_all([threading.Thread(target=lambda: None)], 0.1)
    assert logs == []
