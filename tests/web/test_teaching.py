"""Teaching a sound from the page: what is said while it is worked out, and what is kept."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from monitor.classifiers.taggers.embedded import shipped_model
from monitor.classifiers.taught.beeps import Beep
from monitor.classifiers.taught.rhythm import HeardBeeps
from monitor.config.model import Config
from monitor.config.taught import read_taught
from monitor.teaching.taught.background import households_of
from monitor.web.api.upkeep.taught import TaughtView
from monitor.web.trying.teaching import Teaching
from testkit.heard_house import Sounding, hear
from testkit.taught import shipped_sha256

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
IDS = tuple(f"{n:012x}" for n in range(5))


def taught(
    folder: Path, *, ids: tuple[str, ...] = IDS, only_try: bool = False, beeps: bytes | None = None
) -> list[dict[str, Any]]:
    """What is said about five hearings of one thing among fifty of others."""
    config = Config.model_validate(
        {"sources": [{"type": "demo", "name": "hall"}], "state_dir": str(folder),
         "classifiers": [{"type": "embedded"}]}
    )  # fmt: skip
    others = households_of(shipped_model(), shipped_sha256()).sounds
    thing, rng = (others[3] + others[50]) / 2, np.random.default_rng(5)
    hear(config, [Sounding(id, NOW - timedelta(minutes=5), thing * (1 + 0.02 * rng.normal(size=len(thing))),
                           beeps=beeps) for id in IDS])  # fmt: skip
    hear(config, [Sounding(f"{n:012x}", NOW - timedelta(hours=2), others[n]) for n in range(100, 150)])
    lines: list[bytes] = []
    Teaching(config, "washer_done", ids, 1.0, only_try, False, NOW).work(lines.append)
    return [json.loads(one) for one in lines]


def test_what_is_taught_is_kept_with_what_to_expect(tmp_path: Path):
    """A line for each hearing, and at last the sound, which is in the state folder."""
    *progress, last = taught(tmp_path)
    assert [one["hearing"] for one in progress] == list(IDS)
    assert {one["left_out"] for one in progress} == {""}
    view = TaughtView.model_validate(last["taught"])
    assert (view.label, view.heard, view.of, last["kept"], last["odd"]) == ("washer_done", 5, 5, True, [])
    assert view.rhythm is None
    assert [one.label for one in read_taught(tmp_path).sounds] == ["washer_done"]


def test_what_beeped_in_the_hearings_is_its_second_factor(tmp_path: Path):
    """From what the history keeps of them: three beeps, at the same times in each."""
    beeps = tuple(Beep(at, 0.2, 2000.0, -30.0) for at in (0.5, 1.0, 1.5))
    last = taught(tmp_path, beeps=HeardBeeps(beeps=beeps, length_s=3.0).packed())[-1]
    rhythm = TaughtView.model_validate(last["taught"]).rhythm
    assert rhythm is not None
    assert (rhythm.shared, rhythm.of) == (5, 5)
    assert [(one.at_s, one.on_s, one.pitch_hz) for one in rhythm.beeps] == [
        (0.0, 0.2, 2000.0), (0.5, 0.2, 2000.0), (1.0, 0.2, 2000.0)
    ]  # fmt: skip


def test_a_try_keeps_nothing(tmp_path: Path):
    """It answers the same."""
    last = taught(tmp_path, only_try=True)[-1]
    assert (last["taught"]["heard"], last["kept"]) == (5, False)
    assert read_taught(tmp_path).labels == ()


def test_what_teaches_nothing_is_named_with_the_reason(tmp_path: Path):
    """An id that nobody knows; with two others left it is too few, and nothing is kept."""
    *progress, last = taught(tmp_path, ids=(*IDS[:2], "f" * 12))
    assert progress[-1]["left_out"] == "there is no such event in the history"
    assert "too few" in last["refused"]
    assert read_taught(tmp_path).labels == ()
