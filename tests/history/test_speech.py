"""Of what people say nothing is kept that a voice could be known again by."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples
from monitor.classifiers.base import judged
from monitor.config.loading import default_config
from monitor.history.best_looks import BestLooks
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.history.writer import ScoreStore
from monitor.pipeline.build import LoadedClassifiers, build_front_end, load_classifiers
from monitor.sources.demo import spoken
from monitor.synthesis import household
from monitor.types import Findings
from testkit.builders import START, frames, noise
from testkit.fakes import FakeClock

LINES = (
    "Did you lock the door? I think I left the key in the kitchen.",
    "Yes.",
    "We meet on Tuesday at half past nine, and please do not tell anybody about the money.",
)
QUIET_S = 2.0


@pytest.fixture(scope="module", name="classifiers")
def _classifiers() -> Iterator[LoadedClassifiers]:
    loaded = load_classifiers(default_config([{"type": "demo", "name": "kitchen"}]))
    yield loaded
    loaded.close()


def kept(folder: Path, sounds: list[Samples], classifiers: LoadedClassifiers) -> tuple[int, int]:
    """How many segments were heard, and of how many of them an embedding is kept, by gate, model and store of
    the daemon."""
    config = default_config([{"type": "demo", "name": "kitchen"}])
    quiet = noise(QUIET_S)
    room = np.concatenate([quiet, *(part for sound in sounds for part in (sound, quiet))])
    room = room + noise(len(room) / SAMPLE_RATE_HZ, seed=1)[: len(room)]
    front_end = build_front_end(config, config.sources[0], classifiers)
    count = 0
    with ScoreStore(folder / SCORES, FakeClock(START), best=BestLooks(config)) as store:

        def take(heard: Findings | None) -> int:
            for segment in heard.segments if heard else ():
                now = segment.ends_at + timedelta(seconds=0.1)
                store.hear(Findings("kitchen", segment.ends_at, (), (segment,)), now)
                for model in classifiers.first:
                    store.hear(Findings("kitchen", segment.ends_at, tuple(judged(model, [segment]))), now)
            return sum(segment.ended_by != "open" for segment in heard.segments) if heard else 0

        for frame in frames(np.asarray(np.clip(room, -1, 1), np.float32)):
            count += take(front_end.push(frame))
        count += take(front_end.finish("shutdown"))
        store.flush()
    with History(folder / SCORES) as history, history.rows() as rows:
        [(embeddings,)] = rows.execute(
            "SELECT count(*) FROM (SELECT segment_id FROM background UNION SELECT segment_id FROM embedding"
            " UNION SELECT segment_id FROM early)"
        )
    return count, embeddings


def test_of_speech_no_embedding_is_kept(tmp_path: Path, classifiers: LoadedClassifiers):
    """Loud and quiet, a sentence or a word: neither as background nor beside an event."""
    sounds = []
    for number, line in enumerate(LINES):
        voice = spoken(line)
        assert voice is not None
        samples = voice.resampled(SAMPLE_RATE_HZ).samples
        sounds.append(
            np.asarray(samples * 10 ** ((-24 - 9 * number - Audio(samples, SAMPLE_RATE_HZ).rms_dbfs) / 20))
        )
    heard, embeddings = kept(tmp_path, sounds, classifiers)
    assert heard >= len(LINES) - 1
    assert embeddings == 0


def test_of_a_knock_it_is(tmp_path: Path, classifiers: LoadedClassifiers):
    """By the same way: nothing else keeps it away."""
    knock = household.knock(np.random.default_rng(15), SAMPLE_RATE_HZ)
    heard, embeddings = kept(tmp_path, [knock * 0.3], classifiers)
    assert (heard >= 1, embeddings >= 1) == (True, True)
