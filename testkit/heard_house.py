"""A house that has heard sounds on several days, kept as the daemon keeps them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.config.model import Config
from monitor.history.best_looks import BestLooks
from monitor.history.recorder import SCORES
from monitor.history.writer import ScoreStore
from monitor.types import Findings, Segment
from testkit.builders import heard
from testkit.fakes import FakeClock

_SILENT = Audio(np.zeros(SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ)


@dataclass(frozen=True, eq=False)
class Sounding:
    """One sound that was over after a second."""

    id: str
    at: datetime
    embedding: np.ndarray
    source: str = "hall"
    label: str = "cough"
    score: float = 0.05
    """Far below any onset: no label claims it."""
    speech: float = 0.0
    voice: float = 0.0
    """Share of its frames in which the voice detector heard a voice."""
    ended_by: str = "silence"
    beeps: bytes | None = None

    @property
    def asked(self) -> Callable[[], bytes] | None:
        """Gives its beeps, where there are any."""
        return None if self.beeps is None else partial(bytes, self.beeps)


def hear(config: Config, sounds: Iterable[Sounding]) -> None:
    """Keep them, by the store of the daemon."""
    folder = config.state_folder()
    folder.mkdir(parents=True, exist_ok=True)
    clock = FakeClock(datetime.fromisoformat("2026-01-02T03:04:05+00:00"))
    with ScoreStore(folder / SCORES, clock, best=BestLooks(config)) as store:
        for one in sounds:
            at = one.at + timedelta(seconds=1)
            segment = Segment(
                one.id, one.source, one.at, _SILENT, 0.0, -60, -30, one.voice, one.ended_by  # type: ignore[arg-type]
            )  # fmt: skip
            embedding = np.asarray(one.embedding, "<f2").tobytes()
            looks = [
                replace(heard(label, score, one.at), source=one.source, segment_id=one.id,
                        embedding=embedding, classifier="embedded", beeps=one.asked)
                for label, score in {"speech": one.speech, one.label: one.score}.items()
            ]  # fmt: skip
            store.hear(Findings(one.source, at, (), (segment,)), at)
            store.hear(Findings(one.source, at, tuple(looks)), at)
            store.flush()
