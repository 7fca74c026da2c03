"""Recordings on the command line."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.cli.recordings import Bar, recordings
from testkit.odd_recordings import (
    STRETCH_S,
    estimated_length,
    over_a_jump,
    without_table,
    wrong_byte_rate,
)
from testkit.wav import write_float_wav
from tests.cli.test_commands import earwitness


def listened(console: Console, bar: Bar) -> list[str]:
    """What a recording of two minutes comes to, and how far the bar got."""

    def results() -> Iterator[str]:
        for second in range(120):
            bar.heard(Path("night[1].flac"), float(second))
        yield "heard"

    return list(bar.over(results(), 1))


def test_a_long_recording_shows_progress():
    """How much of it has been heard, every ten seconds of its own time; brackets in its name survive."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    assert listened(console, Bar(console)) == ["heard"]
    assert "night[1].flac  0:01:50" in screen.getvalue()


def test_without_a_terminal_there_is_no_bar():
    """A file of errors holds nothing else."""
    screen = io.StringIO()
    console = Console(file=screen)
    assert listened(console, Bar(console)) == ["heard"]
    assert screen.getvalue() == ""


def test_a_folder_without_recordings_stops_no_other(tmp_path: Path):
    """It is named, and the files before and after it are taken."""
    empty: list[str] = []
    (tmp_path / "none").mkdir()
    files = [Path("a.wav"), tmp_path / "none", Path("b.wav")]
    assert list(recordings(files, empty.append)) == [Path("a.wav"), Path("b.wav")]
    assert empty == [f"{tmp_path / 'none'}: no recording is in this folder; name the files themselves"]


def test_odd_recordings_are_classified_and_evaluated(tmp_path: Path, capsys):
    """Estimated lengths, a wrong byte rate, a jump of time: each gets its scores over all of its sound, in
    `classify` as in `eval`, exit code 0; what is wrong with one is a warning."""
    odd = {
        estimated_length(tmp_path / "adts.aac", 10): 13.0,
        without_table(tmp_path / "vbr.mp3", 10): 13.0,
        wrong_byte_rate(tmp_path / "rate.wav"): 2.0,
        over_a_jump(tmp_path / "jump.ts"): 2 * STRETCH_S,
    }
    assert earwitness("classify", "--format", "jsonl", *odd) == 0
    shown = capsys.readouterr()
    rows = {Path(row["file"]): row for row in map(json.loads, shown.out.splitlines())}
    assert rows.keys() == odd.keys()
    for path, row in rows.items():
        assert row["duration_s"] == pytest.approx(odd[path], abs=0.5), path
        assert len(row["scores"]) > 20
        assert max(row["scores"].values()) > 0
    assert "rate.wav" in shown.err

    manifest = tmp_path / "clips.csv"
    manifest.write_text("path,labels\n" + "".join(f"{path.name},\n" for path in odd))
    figures = tmp_path / "figures.json"
    assert earwitness("eval", manifest, "--json", figures) == 0
    [hours] = {each["hours"] for each in json.loads(figures.read_text())["false_events"].values()}
    assert hours * 3600 == pytest.approx(sum(odd.values()), abs=2)


def noisy(level: float) -> Samples:
    return np.random.default_rng(1).normal(0, level, 5 * SAMPLE_RATE_HZ).astype(np.float32)


DEAD = {
    "silent.wav": (noisy(0), "nothing but digital silence"),
    "stuck.wav": (noisy(0) + np.float32(0.4), "the same value or the same moment again and again"),
    "stuck_full.wav": (noisy(0) + np.float32(1), "the same value or the same moment again and again"),
    "looped.wav": (np.tile(noisy(0.05)[:8000], 10), "the same value or the same moment again and again"),
    "offset.wav": (noisy(0.001) + np.float32(0.4), "the sound is far off zero (a DC offset)"),
    "clipped.wav": (np.clip(noisy(3), -1, 1), "clipped: it is at full scale most of the time"),
    "nan.wav": (noisy(0) * np.float32("nan"), "5.0 s of it are no numbers"),
    "one_nan.wav": (np.append(noisy(0.01), np.float32("nan")), "less than 0.1 s of it are no numbers"),
    "half_silent.wav": (
        np.concatenate([noisy(0.01), noisy(0), noisy(0), noisy(0)]), "15.0 s of 20.0 s: nothing but digital",
    ),
    "a_bang.wav": (noisy(0.01) + np.float32(2) * (np.arange(5 * SAMPLE_RATE_HZ) < 16_000), ""),
    "quiet.wav": (noisy(0.001), ""),
}  # fmt: skip


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_recording_without_sound_is_said_to_be_one(tmp_path: Path, capsys, workers: str):
    """Nothing heard in a dead recording is no quiet night; one warning for each, and no failure."""
    for name, (samples, _) in DEAD.items():
        write_float_wav(tmp_path / name, samples)
    assert earwitness("analyze", "-j", workers, str(tmp_path)) == 0

    said = capsys.readouterr()
    warned = [line for line in said.err.splitlines() if line.startswith("warning:")]
    found = {line.split("/")[-1].split(":")[0]: line for line in warned}
    expected = {name: words for name, (_, words) in DEAD.items() if words}
    assert len(warned) == len(expected)
    assert {name: expected[name] for name in found if expected.get(name, "-") in found[name]} == expected
    assert "no numbers" not in said.out
