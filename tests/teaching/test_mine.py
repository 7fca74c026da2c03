"""How well a house is heard, by what people said."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples
from monitor.classifiers.taggers.embedded import read_sidecar, shipped_model
from monitor.clock import SystemClock
from monitor.config.loading import default_config
from monitor.evidence.clips import encoded
from monitor.history.verdicts import Judged, Missed, Verdicts, VerdictWord
from monitor.synthesis import household
from monitor.teaching.mine import Another, TrackRecord, another_line, record_lines, records, rejudged
from monitor.teaching.versions import FILE, KeptVersions, Version, read_versions, versions_of
from testkit.builders import START, noise
from tests.cli.test_commands import earwitness


def judge(verdicts: Verdicts, number: int, label: str, word: VerdictWord, by: str = "embedded") -> Judged:
    one = Judged(f"{number:012x}", label, "hall", START, 0.9, by)
    verdicts.judge(one, word, None, START, "page")
    return one


def test_precision_and_recall_by_label_and_classifier(tmp_path: Path):
    """Recall only where somebody has said what was missed; not sure counts for neither."""
    with Verdicts(tmp_path, SystemClock()) as verdicts:
        for number in range(9):
            judge(verdicts, number, "dog_bark", "right" if number < 6 else "wrong")
        judge(verdicts, 20, "dog_bark", "wrong", "yamnet")
        judge(verdicts, 21, "cough", "unsure")
        verdicts.miss(Missed("hall", "dog_bark", START), START, "page")
        verdicts.miss(Missed("hall", "doorbell", START), START, "page")
        found = records(verdicts)
    assert found == [
        TrackRecord("dog_bark", "embedded", 6, 3, 1),
        TrackRecord("dog_bark", "yamnet", 0, 1, 1),
        TrackRecord("doorbell", "", 0, 0, 1),
    ]
    assert (found[0].precision, found[0].recall) == (6 / 9, 6 / 7)
    assert (found[2].precision, found[2].recall) == (None, 0.0)
    lines = list(record_lines(found))
    assert lines[1].split() == ["Dog", "bark", "embedded", "6", "3", "1", "0.67", "0.86"]


def test_each_version_of_a_model_is_counted_by_itself(tmp_path: Path):
    """By when the sound was heard; what was judged before versions were kept has none."""
    config = default_config([{"type": "demo", "name": "hall"}]).model_copy(update={"state_dir": tmp_path})
    for hours in (-1, 1):
        KeptVersions(tmp_path).note(versions_of(config), START + timedelta(hours=hours))
    [kept] = read_versions(tmp_path)
    assert (kept.classifier, kept.version) == ("embedded", read_sidecar(shipped_model()).version)
    later = Version("embedded", "9", START + timedelta(hours=2))
    with Verdicts(tmp_path, SystemClock()) as verdicts:
        for number, hours in enumerate((-2, 0, 0, 3)):
            at = START + timedelta(hours=hours)
            one = Judged(f"{number:012x}", "dog_bark", "hall", at, 0.9, "embedded")
            verdicts.judge(one, "right" if number else "wrong", None, at, "page")
        found = records(verdicts, [kept, later])
    assert {(one.version, one.right, one.wrong) for one in found} == {
        (kept.version, 2, 0), ("", 0, 1), ("9", 1, 0),
    }  # fmt: skip
    assert any(f"embedded {kept.version}" in line for line in record_lines(found))


def test_a_version_that_a_full_disk_did_not_keep_is_kept_when_it_has_room(tmp_path: Path):
    """With the time from which on it listened."""
    (tmp_path / FILE).mkdir()
    versions = KeptVersions(tmp_path)
    versions.note({"embedded": "2"}, START)
    (tmp_path / FILE).rmdir()
    versions.tend()
    assert read_versions(tmp_path) == [Version("embedded", "2", START)]


def test_another_model_is_held_to_the_same_verdicts():
    """What was wrong and is gone is better, what was right and is lost is worse."""
    dog = Judged("a", "dog_bark", "hall", START, 0.9, "embedded")
    unknown = Judged("b", "doorbell", "hall", START, 0.9, "embedded")
    scores: list[tuple[VerdictWord, float]] = [
        ("right", 0.9),
        ("right", 0.2),
        ("wrong", 0.1),
        ("wrong", 0.8),
        ("wrong", 0.0),
    ]
    judged: list[tuple[Judged, VerdictWord, dict[str, float]]] = [
        *((dog, word, {"dog_bark": score}) for word, score in scores),
        (unknown, "wrong", {"dog_bark": 0.9}),
    ]
    found = rejudged(judged, {"dog_bark": 0.5, "doorbell": 0.5})
    assert found == [Another("dog_bark", 1, 1, 2, 1)]
    assert another_line(found) == (
        "your 5 judged sounds with a clip: 2 better, 1 worse (Dog bark 2 better, 1 worse)"
    )


def test_as_it_is_typed(tmp_path: Path, capsys):
    """Without a file; with nothing judged, and with something; a file is asked for otherwise."""
    house = tmp_path / "house.yaml"
    house.write_text(f"state_dir: {tmp_path / 'state'}\nsources: [{{type: demo, name: hall}}]\n")
    assert earwitness("eval", "--mine", "--config", house) == 0
    assert "earwitness review" in capsys.readouterr().out
    with Verdicts(tmp_path / "state", SystemClock()) as verdicts:
        judge(verdicts, 1, "dog_bark", "right")
    assert earwitness("eval", "--mine", "--config", house) == 0
    assert "Dog bark" in capsys.readouterr().out
    assert earwitness("eval", "--mine", "--model", "embedded", "--config", house) == 0
    assert "No clip of a judged sound is kept" in capsys.readouterr().err
    assert earwitness("eval", "--config", house) == 2


def test_a_new_version_of_the_model_shows_what_it_makes_of_the_judged_sounds(tmp_path: Path, capsys):
    """When the configuration is checked, before the daemon starts with it; of the same version nothing is
    said, and the daemon's first start is no update."""
    house, state = tmp_path / "house.yaml", tmp_path / "state"
    house.write_text(f"state_dir: {state}\nsources: [{{type: demo, name: hall}}]\n")
    config = default_config([{"type": "demo", "name": "hall"}]).model_copy(update={"state_dir": state})
    assert earwitness("check", house) == 0
    assert "is new" not in capsys.readouterr().err
    KeptVersions(state).note(versions_of(config), START)
    assert earwitness("check", house) == 0
    assert "is new" not in capsys.readouterr().err
    rows = json.loads((state / "models.json").read_text())
    (state / "models.json").write_text(json.dumps([{**rows[0], "version": "1.0"}]))

    assert earwitness("check", house) == 0
    words = f"embedded {rows[0]['version']} is new, 1.0 has listened until now: "
    assert words + "nobody has judged anything yet" in " ".join(capsys.readouterr().err.split())
    with Verdicts(state, SystemClock()) as verdicts:
        knock, quiet = judge(verdicts, 1, "knock", "right"), judge(verdicts, 2, "knock", "wrong")
    keep_clip(state, knock, household.knock(np.random.default_rng(15), SAMPLE_RATE_HZ) * 0.3)
    keep_clip(state, quiet, noise(2.0))
    assert earwitness("check", house) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert words + "your 2 judged sounds with a clip: 1 better, 0 worse (Knock 1 better, 0 worse)" in told


def keep_clip(state: Path, one: Judged, samples: Samples) -> None:
    """As the daemon keeps it."""
    folder = state / "evidence"
    folder.mkdir(exist_ok=True)
    sound = np.asarray(np.concatenate([noise(1.0), samples, noise(1.0)]), np.float32)
    name = f"20260102T030405.000Z.{one.source}.{one.heard}.{one.event_id}.flac"
    (folder / name).write_bytes(encoded(Audio(sound, SAMPLE_RATE_HZ), "flac", {}))
