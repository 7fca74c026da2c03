"""The whole loop over recordings."""

import os
import signal
import struct
import subprocess
import sys
import time
import wave
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.classifiers.taggers.embedded import EmbeddedConfig
from monitor.clock import BEGINNING
from monitor.config.model import Config
from monitor.errors import ClassifyError
from monitor.pipeline.build import LoadedClassifiers
from monitor.recordings.analysis import analyze, analyze_all
from monitor.types import Detection, Findings, Frame, Segment
from testkit import household
from testkit.builders import noise, tone
from testkit.fakes import ScriptedClassifier

CONFIG = Config.model_validate({"sources": [{"type": "demo", "name": "kitchen"}], "classifiers": []})
PATIENCE_S = 120.0


def recorded(path: Path, samples: Samples) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE_HZ)
        out.writeframes((np.clip(samples, -1, 0.99) * 32767).astype("<i2").tobytes())
    return path


def bangs(*at_s: float, length_s: float = 10.0) -> Samples:
    """A quiet room with half a second of a loud tone at each of these times."""
    samples = noise(length_s, -60)
    for second in at_s:
        start = round(second * SAMPLE_RATE_HZ)
        stretch = samples[start : start + SAMPLE_RATE_HZ // 2]
        stretch += tone(700, 0.5, -10)[: len(stretch)]
    return samples


def labels(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row["label"] for row in rows]


def test_events_carry_the_times_of_the_recording(tmp_path):
    """Seconds from its start, sorted, and reported when they had been heard."""
    result = analyze(recorded(tmp_path / "a.wav", bangs(7, 3)), CONFIG, LoadedClassifiers())
    assert labels(result.rows) == ["loud_noise", "loud_noise"]
    assert [round(row["start_s"]) for row in result.rows] == [3, 7]
    assert all(row["start_s"] < row["decided_s"] < row["start_s"] + 1.5 for row in result.rows)
    assert round(result.duration_s, 1) == 10.0


def test_a_loud_noise_comes_after_what_it_was(tmp_path):
    """Once for each segment, below the name that a model gave it."""
    listeners = LoadedClassifiers(first=(ScriptedClassifier({"cough": 0.9}),))
    result = analyze(recorded(tmp_path / "a.wav", bangs(3, 3.7)), CONFIG, listeners)
    assert labels(result.rows) == ["cough", "loud_noise"]


def test_a_sound_at_the_very_end_is_heard(tmp_path):
    """The recording stops in the middle of it."""
    result = analyze(recorded(tmp_path / "a.wav", bangs(4.6, length_s=5)), CONFIG, LoadedClassifiers())
    assert labels(result.rows) == ["loud_noise"]
    assert result.rows[0]["end_s"] <= result.duration_s


def test_who_watches_sees_every_frame(tmp_path):
    """In order, with what was made of it; the picture is drawn from this."""
    seen: list[Frame] = []

    def watch(frame: Frame, heard: Findings | None, detections: list[Detection]) -> None:
        seen.append(frame)

    result = analyze(
        recorded(tmp_path / "a.wav", bangs(1, length_s=3)), CONFIG, LoadedClassifiers(), watch=watch
    )
    assert seen[0].captured_at == BEGINNING
    assert len(seen) == round(result.duration_s / 0.03)


def test_an_analysis_goes_on_after_a_segment_that_cannot_be_judged(tmp_path):
    """As in the daemon, the others are; and the file says what is missing."""

    class Fussy(ScriptedClassifier):
        def classify(self, segments: Sequence[Segment]) -> list[Detection]:
            if segments[0].started_at < BEGINNING.replace(second=5):
                raise ClassifyError("remote: no answer")
            return super().classify(segments)

    listeners = LoadedClassifiers(first=(Fussy({"dog_bark": 0.9}),))
    result = analyze(recorded(tmp_path / "a.wav", bangs(3, 7)), CONFIG, listeners)
    assert sorted(labels(result.rows)) == ["dog_bark", "loud_noise", "loud_noise"]
    assert result.error == f"{tmp_path / 'a.wav'}: remote: no answer"


def test_looks_that_are_judged_together_decide_what_each_decides_alone(tmp_path):
    """The same events at the same moments, though a batch holds several looks at one sound."""

    class Counted(ScriptedClassifier):
        def classify(self, segments: Sequence[Segment]) -> list[Detection]:
            batches.append(len(segments))
            assert len({one.id for one in segments}) == len(segments)
            return model.classify(segments)

    class Alone(ScriptedClassifier):
        def classify(self, segments: Sequence[Segment]) -> list[Detection]:
            return [found for one in segments for found in model.classify([one])]

    def watch(frame: Frame, heard: Findings | None, detections: list[Detection]) -> None:
        cut = {one.id for one in heard.segments} if heard else set()
        assert {one.segment_id for one in detections if one.classifier == model.name} == cut

    batches: list[int] = []
    model = EmbeddedConfig(type="embedded").build()
    model.load()
    samples, rng = noise(30.0, -60), np.random.default_rng(5)
    for number, make in enumerate((household.doorbell, household.dishes, household.glass_break)):
        sound = make(rng, SAMPLE_RATE_HZ)[: 4 * SAMPLE_RATE_HZ]
        samples[(3 + 8 * number) * SAMPLE_RATE_HZ :][: len(sound)] += 0.2 * sound / np.abs(sound).max()
    file = recorded(tmp_path / "a.wav", samples)
    answers = dict.fromkeys(model.labels, 0.0)
    together, alone = (
        analyze(file, CONFIG, LoadedClassifiers(first=(classifier(answers),)), watch=watch).rows
        for classifier in (Counted, Alone)
    )
    assert {"doorbell", "dishes", "glass_break"} & set(labels(together))
    assert max(batches) > 1
    whens = [[(row["label"], row["start_s"], row["decided_s"]) for row in rows] for rows in (together, alone)]
    assert whens[0] == whens[1]


def test_a_look_with_which_a_minute_ends_is_judged(tmp_path):
    """Its level comes with the piece of sound that also ends the first half second of a sound."""
    samples = noise(63.0, -60)
    samples[round(60.45 * SAMPLE_RATE_HZ) :] += tone(700, 2.55, -10)
    listeners = LoadedClassifiers(first=(ScriptedClassifier({"cough": 0.9}),))
    result = analyze(recorded(tmp_path / "a.wav", samples), CONFIG, listeners)
    assert [row["decided_s"] for row in result.rows if row["label"] == "cough"][-1] == 60.96


def test_results_come_in_the_order_of_the_names(tmp_path):
    """A short file behind a long one waits for it; a broken one is a result too."""
    long = recorded(tmp_path / "long.wav", bangs(3, length_s=60))
    short = recorded(tmp_path / "short.wav", bangs(1, length_s=3))
    missing = tmp_path / "missing.wav"
    results = list(analyze_all([long, missing, short], CONFIG, workers=2))
    assert [Path(result.file).name for result in results] == ["long.wav", "missing.wav", "short.wav"]
    assert [result.error is None for result in results] == [True, False, True]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_who_is_ended_waits_for_no_recording_in_hand(tmp_path, ending):
    """The whole group gets SIGINT, as from a terminal: no traceback, exit code 130; a signal to the process
    itself ends its helpers, too. Nobody is left."""
    for name in ("a", "b", "c"):
        _endless(recorded(tmp_path / f"{name}.wav", noise(1, -60)))
    first = recorded(tmp_path / "0.wav", bangs(3, length_s=5))
    command = [sys.executable, "-m", "monitor", "analyze", "--format", "jsonl", "-j", "2", str(tmp_path)]
    config = tmp_path / "earwitness.yaml"
    config.write_text("sources:\n  - {type: demo, name: kitchen}\nclassifiers: []\n")
    with subprocess.Popen(
        [*command, "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert first.name in process.stdout.readline()  # it is in the midst of the next ones
            (os.killpg if ending == signal.SIGINT else os.kill)(process.pid, ending)
            _, said = process.communicate(timeout=PATIENCE_S)
        finally:
            # Otherwise a failure is waited for as long as it takes to hear the recordings out.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == (130 if ending == signal.SIGINT else -ending)
    assert "Traceback" not in said
    # multiprocessing's own tracker ends when it sees that its parent has.
    until_s = time.monotonic() + PATIENCE_S
    while _group_is_alive(process.pid):
        assert time.monotonic() < until_s, "somebody is left"


def test_a_reader_who_has_seen_enough_is_no_error(tmp_path):
    """`earwitness analyze … | head -1` ends without a traceback."""
    recording = recorded(tmp_path / "a.wav", bangs(*range(1, 60, 3), length_s=60))
    command = f"'{sys.executable}' -m monitor analyze --format jsonl -j 1 {recording} {recording} | head -1"
    result = subprocess.run(
        command, shell=True, capture_output=True, text=True, check=False, timeout=PATIENCE_S, cwd=tmp_path
    )
    assert result.stdout.count("\n") == 1
    assert "Traceback" not in result.stderr


def _endless(recording: Path) -> None:
    """Eight hours of silence more, which take no room on the disk; nobody analyses them in a moment."""
    missing = 8 * 3600 * 32_000
    with recording.open("r+b") as file:
        header = bytearray(file.read(44))
        header[4:8] = struct.pack("<I", int.from_bytes(header[4:8], "little") + missing)
        header[40:44] = struct.pack("<I", int.from_bytes(header[40:44], "little") + missing)
        file.seek(0)
        file.write(header)
        file.truncate(recording.stat().st_size + missing)


def _group_is_alive(group: int) -> bool:
    """Whether a process of the group runs; one that nobody has waited for yet does not."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, its_group = stat.read_text().rsplit(")", 1)[1].split()[:3]
            if int(its_group) == group and state != "Z":
                return True
    return False
