"""The rhythm that hearings share, and what a sound that has it needs less of."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples
from monitor.classifiers.taggers.embedded import EmbeddedConfig
from monitor.classifiers.taught.classifier import TaughtClassifier
from monitor.classifiers.taught.rhythm import FITS, HeardBeeps, RhythmTemplate, heard_beeps
from monitor.classifiers.taught.sound import TaughtSound
from monitor.config.model import Config
from monitor.config.taught import built, read_taught, write_taught
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.teaching.taught.heard import heard_since
from monitor.teaching.taught.hearings import from_event, of_heard
from monitor.teaching.taught.learning import Hearing, learn
from monitor.teaching.taught.lesson import taught_before
from monitor.teaching.taught.second_factor import shared_rhythm
from testkit.builders import START
from testkit.heard_house import Sounding, hear
from testkit.taught import SIZE, background, hearings, shipped_sha256, taught, tune
from tests.classifiers.taught.test_classifier import Model, segment


def beeps(samples: Samples) -> HeardBeeps:
    """What beeps in it."""
    return heard_beeps(Audio(samples, SAMPLE_RATE_HZ))


def notes(*pitches_hz: float) -> Samples:
    """Beeps of 150 ms, one after the other."""
    time_s = np.arange(int(0.15 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    pause = np.zeros(int(0.2 * SAMPLE_RATE_HZ))
    each = [np.concatenate([0.1 * np.sin(2 * np.pi * hz * time_s), pause]) for hz in pitches_hz]
    return np.concatenate([pause, *each]).astype(np.float32)


def with_tune(count: int = 5) -> list[Hearing]:
    """Hearings of one thing, in which the washer's tune is each time."""
    return [replace(one, beeps=beeps(tune(n))) for n, one in enumerate(hearings(count=count))]


def test_hearings_of_a_tune_share_its_rhythm():
    """Each has it, judged by the others; another tune has it not."""
    shared = shared_rhythm([beeps(tune(n)) for n in range(5)])
    assert shared is not None
    assert shared.has_it.all()
    assert shared.template[:, 0].min() == 0
    template = RhythmTemplate(beeps=tuple(map(tuple, shared.template.tolist())), bar=0.0, shared=5, of=5)
    assert template.fit(beeps(tune(9))) >= FITS
    assert template.fit(beeps(notes(500, 700, 600, 900, 500))) < FITS


def test_one_hearing_of_five_may_lack_it():
    """Something else was louder; two are too many."""
    tunes, other = [beeps(tune(n)) for n in range(5)], beeps(notes(700, 900, 1500))
    found = shared_rhythm([other, *tunes[1:]])
    assert found is not None
    assert found.has_it.tolist() == [False, True, True, True, True]
    assert shared_rhythm([other, None, *tunes[2:]]) is None


@pytest.mark.parametrize(
    "sounds",
    [
        pytest.param([notes(700, 900, 1500), notes(2000, 800, 1200), notes(3000, 500, 2500)], id="others"),
        pytest.param([np.zeros(16_000, np.float32)] * 3, id="silence"),
        pytest.param([notes(2000)] * 3, id="one beep"),
    ],
)
def test_what_has_no_rhythm_in_common_has_none(sounds: list[Samples]):
    """Other tunes, nothing at all, a single beep."""
    assert shared_rhythm([beeps(one) for one in sounds]) is None


def test_a_sound_with_a_rhythm_is_taught_with_it():
    """What has it needs less likeness; without beeps all is as before."""
    found, plain = (learn("washer_done", each, background(), START) for each in (with_tune(), hearings()))
    assert isinstance(found, TaughtSound)
    assert isinstance(plain, TaughtSound)
    assert found.rhythm is not None
    assert (found.rhythm.shared, found.rhythm.of) == (5, 5)
    assert found.rhythm.bar < found.bar == plain.bar
    assert (plain.rhythm, plain.beeps) == (None, ())
    assert TaughtSound.model_validate_json(found.model_dump_json()) == found


def test_a_look_that_is_less_like_it_is_heard_by_its_rhythm():
    """The same look is not heard where something else beeps in it, or nothing; the event says why."""
    sound = learn("washer_done", with_tune(), background(), START - timedelta(days=99))
    assert isinstance(sound, TaughtSound)
    assert sound.rhythm is not None
    between = (sound.rhythm.bar + sound.bar) / 2
    faint = _so_like(sound, between)
    heard = {}
    for name, samples in (("tune", tune(11)), ("other", notes(500, 700, 600)), ("nothing", tune(11) * 0)):
        listener = TaughtClassifier(Model(faint, {"dog_bark": 0.1}), shipped_sha256(), [sound])
        look = replace(segment(), audio=Audio(samples, SAMPLE_RATE_HZ))
        heard[name] = next(one for one in listener.classify([look]) if one.label == "washer_done")
    assert heard["tune"].score > 0.5
    assert heard["tune"].evidence["taught_rhythm"] >= FITS
    for name in ("other", "nothing"):
        assert heard[name].score < 0.5
        assert heard[name].evidence["taught_rhythm"] < FITS


def _so_like(sound: TaughtSound, likeness: float) -> np.ndarray:
    """An embedding of that likeness, as far away as the hearings."""
    start, end = hearings(count=8)[7].embedding, 6 * np.eye(SIZE)[3]
    mixed = [(1 - share) * start + share * end for share in np.linspace(0, 1, 400)]
    return min(mixed, key=lambda one: abs(float(sound.likeness(np.asarray(one, np.float32))) - likeness))


def test_the_history_keeps_what_beeped_to_teach_from(tmp_path):
    """*Make the sound now* and events have the rhythm, too; learnt again, the sound still has it."""
    config = Config.model_validate(
        {"sources": [{"type": "demo", "name": "hall"}], "state_dir": str(tmp_path),
         "classifiers": [{"type": "embedded"}]}
    )  # fmt: skip
    tunes = [beeps(tune(n)) for n in range(5)]
    hear(config, [Sounding(f"{n:012x}", START + timedelta(seconds=n), np.ones(384), beeps=one.packed())
                  for n, one in enumerate(tunes)])  # fmt: skip
    with History(tmp_path / SCORES) as history, history.rows() as rows:
        now = [of_heard(one) for one in heard_since(rows, START - timedelta(days=1))]
        event = from_event(rows, f"{3:012x}")
    assert [one.beeps for one in now] == tunes
    assert isinstance(event, Hearing)
    assert event.beeps == tunes[3]

    write_taught(tmp_path, taught(beeps=tuple(tunes)))
    again = taught_before(config.with_taught(read_taught(tmp_path)), "washer_done", shipped_sha256())
    assert [one.beeps for one in again] == tunes


def test_a_sound_that_is_over_carries_its_beeps_and_no_other():
    """Once, on the first of its detections: an early look may still turn into words."""
    listener = TaughtClassifier(Model(hearings()[0].embedding, {"dog_bark": 0.1, "cough": 0.1}), "0" * 64, [])
    whole = replace(segment(), audio=Audio(tune(1), SAMPLE_RATE_HZ))
    early = replace(whole, id="b" * 12, ended_by="open")
    found = listener.classify([early, whole])
    assert [one.beeps is not None for one in found] == [False, False, True, False]
    ask = found[2].beeps
    assert ask is not None
    assert ask() == beeps(tune(1)).packed()


def test_no_beeps_are_looked_for_where_words_may_be(tmp_path):
    """Of such a sound the history keeps nothing to teach from: neither would its beeps be."""
    listener = built(EmbeddedConfig(type="embedded"), read_taught(tmp_path))
    listener.load()
    whole = replace(segment(), audio=Audio(tune(1), SAMPLE_RATE_HZ))
    spoken = replace(whole, id="b" * 12, speech_ratio=0.6)

    found = listener.classify([whole, spoken])

    assert {one.segment_id for one in found if one.beeps} == {whole.id}
