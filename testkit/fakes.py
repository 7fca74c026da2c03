"""Stand-ins, only at the protocols."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Self

from monitor.audio import Piece
from monitor.classifiers.base import ClassifierDefaults
from monitor.errors import SourceError, SourceUnavailable
from monitor.sources.base import Source
from monitor.types import Detection, Frame, Segment


class FakeClock:
    """A clock that moves when a test moves it."""

    def __init__(
        self, now: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), boot: str = "first"
    ) -> None:
        self._now = now
        self.boot = boot
        self._monotonic_s = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._now += timedelta(seconds=seconds)
        self._monotonic_s += seconds

    def set_wall(self, seconds: float) -> None:
        """Someone sets the wall clock, by so much."""
        self._now += timedelta(seconds=seconds)


def raise_it(error: BaseException) -> None:
    """Where a thread reports a bug: pytest sees what a thread raises."""
    raise error


class ScriptedSource(Source):
    """A source that follows a script: each opening takes the next script, a list of frames that may
    end with an error. After the last script it ends like a file."""

    def __init__(self, *openings: Sequence[Frame | SourceError], name: str = "kitchen") -> None:
        self.name = name
        self.opened = 0
        self._openings = list(openings)
        self._script: Sequence[Frame | SourceError] = []

    def __enter__(self) -> Self:
        self.opened += 1
        self._script = self._openings.pop(0) if self._openings else []
        if self._script and isinstance(self._script[0], SourceUnavailable):
            raise self._script[0]
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def pieces(self) -> Iterator[Piece]:
        for step in self._script:
            if isinstance(step, SourceError):
                raise step
            yield Piece.of(step)

    def close(self) -> None:
        self._openings.clear()


class ScriptedClassifier(ClassifierDefaults):
    """A classifier that returns what it was given for every segment, or raises it."""

    def __init__(self, answer: Mapping[str, float] | Exception, name: str = "embedded") -> None:
        self.name = name
        self.labels = frozenset(answer if isinstance(answer, Mapping) else ())
        self.window_s = self.hop_s = 1.0
        self._answer = answer

    def load(self) -> None:
        pass

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        if isinstance(self._answer, Exception):
            raise self._answer
        return [
            Detection(label, score, self.name, s.source, s.started_at, s.audio.duration_s, s.id)
            for s in segments
            for label, score in self._answer.items()
        ]

    def close(self) -> None:
        pass
