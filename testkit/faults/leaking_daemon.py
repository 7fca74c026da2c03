"""The daemon with a large model that leaks: `leaking_daemon.py run --config PATH`, as `earwitness run`."""

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitor.app import Daemon
from monitor.classifiers.base import ClassifierDefaults
from monitor.classifiers.cascade import SecondLook
from monitor.config.loading import load_config
from monitor.logs import configure_logging
from monitor.types import Detection, Health, Segment

NAME = "leaks"
LEAK_BYTES = 25_000_000
"""What stays behind of every segment."""


class LeakingConfig(SecondLook):
    """Hears every segment a second time."""

    name: str = NAME
    type: str = NAME
    everything: bool = True

    def build(self) -> "Leaking":
        """The classifier."""
        return Leaking()


class Leaking(ClassifierDefaults):
    """See `Classifier`. Never lets go of anything before it is closed."""

    name = NAME
    labels = frozenset({"cough"})
    window_s = hop_s = 1.0

    def __init__(self) -> None:
        self._kept: list[bytearray] = []

    def load(self) -> None:
        """Nothing yet."""

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """Nobody coughs."""
        self._kept += [bytearray(b"x" * LEAK_BYTES) for _ in segments]
        return [
            Detection("cough", 0.0, NAME, each.source, each.started_at, each.audio.duration_s, each.id)
            for each in segments
        ]

    def close(self) -> None:
        """Give back everything."""
        self._kept.clear()


def main() -> None:
    """As `earwitness run`, without its terminal."""
    config = load_config(Path(sys.argv[-1]))
    leaking: list[Any] = [*config.classifiers, LeakingConfig()]
    configure_logging(level="info", json=True)
    daemon = Daemon(config.model_copy(update={"classifiers": leaking}))
    signal.signal(signal.SIGTERM, lambda *_: daemon.stop())
    signal.signal(signal.SIGUSR1, lambda *_: daemon.report_health(_print_health))
    with daemon:
        daemon.run()


def _print_health(health: Health) -> None:
    print(json.dumps(dict(health.values), indent=2), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
