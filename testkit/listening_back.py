"""A daemon's decisions on made-up scores, and what its score store keeps of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from monitor.clock import TICK_S
from monitor.config.model import Config
from monitor.history.writer import ScoreStore
from monitor.pipeline.build import LoadedClassifiers, build_decision_engine
from monitor.types import (
    Alert,
    Command,
    Detection,
    Findings,
    Level,
    Setting,
    SoundEvent,
    SoundLevel,
    SourceStatus,
)
from testkit.builders import START, heard, noise, segment
from testkit.fakes import FakeClock

CONFIG = Config.model_validate(
    {
        "sources": [{"type": "demo", "name": "kitchen"}, {"type": "demo", "name": "porch"}],
        "classifiers": [],
        "rules": [
            {"name": "Glass", "hear": ["glass_break"], "min_score": 0.8, "severity": "critical"},
            {"name": "Dog", "hear": ["dog_bark"], "cooldown_s": 60},
            {"name": "Restless", "hear": ["dog_bark"], "count": 3, "within_s": 60},
        ],
    }
)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Past:
    """Decides as the daemon does, and keeps what the daemon keeps."""

    def __init__(self, path: Path, config: Config = CONFIG) -> None:
        self.path = path
        self._engine = build_decision_engine(config, LoadedClassifiers())
        for source in config.sources:
            self._engine.note_source(SourceStatus(source.name, True, START), 0.0)
        self._store = ScoreStore(path, FakeClock())
        self._now_s = 0.0
        self.posted: dict[str, SoundEvent | Alert] = {}

    def begin(self, at_s: float) -> None:
        """Ticks are counted from then."""
        self._now_s = at_s

    def hear(self, at_s: float, *detections: Detection) -> None:
        """Time passes, then listeners say this of the second before."""
        self.wait_until(at_s)
        for source in dict.fromkeys(one.source for one in detections):
            own = tuple(one for one in detections if one.source == source)
            now = after(at_s)
            self._store.hear(Findings(source, now, own), now)
            self._post(self._engine.decide(own, now), now)

    def look(self, at_s: float, source: str = "kitchen", **scores: float) -> None:
        """A model's scores for a second of sound that ends then."""
        began = after(at_s - 1)
        self.hear(at_s, *(heard(label, score, began, source=source) for label, score in scores.items()))

    def cut(self, at_s: float, level: Level | None = None) -> None:
        """A segment of a second that ends then."""
        whole = segment(noise(1.0, -30))
        moved = type(whole)(
            whole.id, "kitchen", after(at_s - 1), whole.audio, 0.0, -60.0, -30.0, 0.25, "silence"
        )
        self._store.hear(
            Findings("kitchen", after(at_s), (), (moved,), (level,) if level else ()), after(at_s)
        )

    def quiet(self, at_s: float) -> None:
        """The kitchen is listened to, and nothing happens."""
        level = Level("kitchen", after(at_s), -58.0, -60.0)
        self._store.hear(Findings("kitchen", after(at_s), (), (), (level,)), after(at_s))

    def be_loud(self, at_s: float, laeq_dbfs: float, minutes: int) -> None:
        """So many minutes of the kitchen were as loud as this; the first begins with the next full minute."""
        begins = after(at_s + 60).replace(second=0)
        for number in range(minutes):
            level = SoundLevel("kitchen", begins + timedelta(minutes=number), laeq_dbfs, 60.0)
            for message in self._engine.note_minute(level):
                if isinstance(message, SoundLevel):
                    self._store.measured(message)
                self._post([message], level.started_at + timedelta(seconds=64))

    def lose(self, at_s: float, source: str) -> None:
        """The source is gone."""
        self.wait_until(at_s)
        status = SourceStatus(source, False, after(at_s), "unplugged")
        self._store.post(status, after(at_s))
        self._engine.note_source(status, at_s)
        self._post(self._engine.end_source(source, after(at_s), "source_lost"), after(at_s))

    def press_test(self, at_s: float) -> None:
        """Somebody tries the chain."""
        self.wait_until(at_s)
        self._post(self._engine.apply_command(Command("test"), after(at_s)), after(at_s))

    def set(self, at_s: float, name: str, source: str, value: float | str) -> None:
        """Somebody turns a setting."""
        self.wait_until(at_s)
        self._post(self._engine.apply_command(Command(name, source, value), after(at_s)), after(at_s))  # type: ignore[arg-type]

    def wait_until(self, at_s: float) -> None:
        """Time passes, in the daemon's ticks."""
        while self._now_s + TICK_S < at_s:
            self._now_s += TICK_S
            self._post(self._engine.decide((), after(self._now_s)), after(self._now_s))

    def end(self, at_s: float) -> None:
        """All is written, and the store closed."""
        self.wait_until(at_s)
        with self._store:
            pass

    def _post(self, messages: Sequence[object], now: datetime) -> None:
        for message in messages:
            if isinstance(message, SoundEvent | Alert):
                self.posted[message.id] = message
            if isinstance(message, SoundEvent | Alert | Setting):
                self._store.post(message, now)


def busy_day(past: Past, seed: int, minutes: int = 10) -> None:
    """Random sounds at two sources."""
    rng = np.random.default_rng(seed)
    for i in range(minutes * 20):
        at_s = 5 + i * 3 + float(rng.uniform(0, 2.9))
        scores = {
            label: float(rng.uniform(0, 1) ** 2) for label in ("glass_break", "dog_bark", "speech", "siren")
        }
        past.look(at_s, str(rng.choice(["kitchen", "porch"])), **scores)
