import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def bench(manifest: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """`scripts/bench scenes` in a process of its own."""
    command = [sys.executable, ROOT / "scripts" / "bench", "scenes", manifest, *arguments]
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "COLUMNS": "200"},
    )


def test_scenes_are_heard_by_the_whole_pipeline(manifest: Path, tmp_path: Path):
    """With every table, the truth beside the sound, and traces in which each placed sound was looked at."""
    done = bench(
        manifest, "--scenes", 1, "--minutes", 1.5, "--json", tmp_path / "tables.json",
        "--traces", tmp_path / "traces", "--keep", tmp_path / "kept",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    tables = json.loads((tmp_path / "tables.json").read_text())
    truth = json.loads((tmp_path / "kept" / "scene000.json").read_text())
    assert tables["totals"][0]["sounds"] == len(truth["placed"]) > 0
    (hearing,) = pickle.loads((tmp_path / "traces").read_bytes())
    for placed in truth["placed"]:
        overlapping = [
            s for s in hearing.trace.spans if s.start_s < placed["end_s"] and s.end_s > placed["start_s"]
        ]
        assert overlapping or placed["snr_db"] == 5.0
    heard = sum(int(row["heard"].split("/")[0]) for row in tables["by label"] if "heard" in row)
    lost = sum(row["sounds"] for row in tables["where sounds were lost"])
    assert heard + lost == len(truth["placed"])


def test_backgrounds_say_what_a_day_of_a_house_brings(manifest: Path, tmp_path: Path):
    """Every kind for which there are recordings, the whole, and a day."""
    done = bench(
        manifest, "--backgrounds", "--minutes", 1, "--hours", 0.05, "--json", tmp_path / "tables.json"
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "tables.json").read_text())["backgrounds without alert sounds"]
    assert [row["kind"] for row in rows] == [
        "quiet",
        "talk",
        "weather",
        "all, by hours heard",
        "a day of a house",
    ]


def test_an_unknown_source_is_one_line(manifest: Path):
    """No traceback for a misspelt name."""
    done = bench(manifest, "--sources", "kenel")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{manifest}: no source kenel")


def test_a_missing_manifest_is_one_line(tmp_path: Path):
    """Nor for a file that is not there."""
    done = bench(tmp_path / "none.csv")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path / 'none.csv'} cannot be read")
