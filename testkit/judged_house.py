"""A house whose history holds judged sounds, as the daemon and a person would have written them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from monitor.config.model import Config
from monitor.history.recorder import SCORES
from monitor.history.writer import ScoreStore
from monitor.pipeline.build import LoadedClassifiers, build_decision_engine
from monitor.types import Findings, SoundEvent
from testkit.builders import heard
from testkit.fakes import FakeClock

APART = timedelta(minutes=2)


def live(
    config: Config,
    scores: Sequence[float],
    until: datetime,
    label: str = "dog_bark",
    source: str = "hall",
    length_s: float = 1.0,
) -> list[SoundEvent]:
    """One look at a sound of each score, two minutes apart, the last before `until`: the events that came of
    them, by the decisions and the store of the daemon."""
    engine = build_decision_engine(config, LoadedClassifiers())
    found: dict[str, SoundEvent] = {}
    with ScoreStore(config.state_folder() / SCORES, FakeClock(until)) as store:
        for n, score in enumerate(scores):
            at = until - APART * (len(scores) - n)
            look = heard(
                label, score, at, source=source, segment_id=f"{n:012x}", dated=True, duration_s=length_s
            )
            store.hear(Findings(source, look.ends_at, (look,)), look.ends_at)
            for now, detections in ((look.ends_at, [look]), (look.ends_at + APART / 2, [])):
                for message in engine.decide(detections, now):
                    if isinstance(message, SoundEvent):
                        found[message.id] = message
                        store.post(message, now)
        store.flush()
    return list(found.values())


def state(folder: Path, text: str = "") -> str:
    """A configuration whose state is kept in a folder."""
    return f"state_dir: {folder}\nsources: [{{type: demo, name: hall}}]\n{text}"
