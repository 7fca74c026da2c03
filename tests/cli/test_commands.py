"""The command line, as it is typed."""

import json
import re
import subprocess
import sys
import wave
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_group

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.cli import main
from monitor.cli.app import whole_command_line
from monitor.clock import SystemClock
from monitor.config.house import configured_settings
from monitor.config.loading import load_config
from monitor.delivery.delivery import SETTINGS
from monitor.delivery.kept.settings import KeptSettings
from monitor.history.recorder import SCORES
from monitor.history.writer import ScoreStore
from monitor.synthesis.alarms import piezo, played, temporal_three
from monitor.types import Setting
from testkit.builders import event, noise
from testkit.tagger_models import class_list, foreign_model

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
sources:
  - {type: demo, name: porch, gate: {loud_noise_above_floor_db: 20}}
  - {type: demo, name: hall}
classifiers: []
rules:
  - {name: Smoke alarm, hear: [smoke_alarm], severity: critical}
  - {name: Loud porch, hear: [loud_noise], sources: [porch], cooldown_s: 0}
"""


def earwitness(*arguments: object) -> int:
    """Run a command: its exit code."""
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    code = stopped.value.code
    return code if isinstance(code, int) else 0 if code is None else 1


def unboxed(text: str) -> str:
    """An error of usage without its frame and line breaks."""
    return " ".join(text.replace("│", " ").split())


def recorded(path: Path, samples: Samples) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE_HZ)
        out.writeframes((np.clip(samples, -1, 0.99) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    path = tmp_path / "earwitness.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(name="smoke")
def _smoke(tmp_path: Path) -> Path:
    """Three seconds of a quiet room, then three cycles of a smoke alarm."""
    alarm = 0.2 * played(piezo(), temporal_three(3), SAMPLE_RATE_HZ)
    samples = noise(3 + len(alarm) / SAMPLE_RATE_HZ + 2, -60)
    samples[3 * SAMPLE_RATE_HZ :][: len(alarm)] += alarm
    return recorded(tmp_path / "smoke.wav", samples)


def test_help_teaches(capsys):
    """The first thing a stranger types names every command."""
    assert earwitness("--help") == 0
    text = capsys.readouterr().out
    for command in ("run", "demo", "check", "devices", "analyze", "classify", "eval", "schema"):
        assert command in text


@pytest.mark.parametrize(
    "command", [(), ("run",), ("analyze",), ("teach",), ("eval",), ("check",), ("explain",), ("suggest",)]
)
def test_help_is_whole_on_a_terminal_of_80_columns(command, capsys, monkeypatch):
    """No path of a default ends in an ellipsis."""
    monkeypatch.setenv("COLUMNS", "80")
    assert earwitness(*command, "--help") == 0
    text = capsys.readouterr().out
    assert "Usage:" in text
    assert "…" not in text


def test_a_sound_that_fills_the_recording_starts_at_0(tmp_path, config, capsys):
    """No event begins before the first sample."""
    alarm = 0.2 * played(piezo(), temporal_three(3), SAMPLE_RATE_HZ)
    assert earwitness("analyze", "--config", config, "-f", "jsonl", recorded(tmp_path / "a.wav", alarm)) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["label"] for row in rows if row["type"] == "event"] == ["smoke_alarm"]
    assert all(row["start_s"] >= 0 for row in rows)


def test_analyze_prints_events_and_alerts(smoke, config, capsys):
    """One JSON object a line, by start, with the times of the recording."""
    assert earwitness("analyze", "--config", config, "--format", "jsonl", smoke) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    event = next(row for row in rows if row["type"] == "event" and row["label"] == "smoke_alarm")
    assert event["start_s"] == pytest.approx(3, abs=0.1)
    assert event["certainty"] == "confirmed"
    assert set(event) == {
        "type", "file", "source", "label", "start_s", "end_s", "decided_s", "score", "certainty",
        "classifier", "confirmed_by", "emotion",
    }  # fmt: skip
    alert = next(row for row in rows if row["type"] == "alert")
    assert set(alert) == {
        "type",
        "file",
        "rule",
        "severity",
        "start_s",
        "decided_s",
        "labels",
        "message",
        "why",
    }
    assert alert["why"]["heard"]["smoke_alarm"]["by"] == ["rhythm"]


def test_the_same_recording_gives_the_same_rows(smoke, config, capsys):
    """Nothing depends on the day on which a recording is analysed."""
    for _ in range(2):
        earwitness("analyze", "--config", config, "--format", "jsonl", smoke)
    lines = capsys.readouterr().out.splitlines()
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]


def test_a_recording_is_heard_as_the_source_it_stands_for(smoke, config, capsys):
    """`--as porch` takes the porch's gate, and its rules apply."""
    earwitness("analyze", "--config", config, "--format", "jsonl", "--as", "porch", smoke)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "Loud porch" in {row.get("rule") for row in rows}
    assert {row["source"] for row in rows if row["type"] == "event"} == {"porch"}


def test_text_says_how_sure_and_who_says_so(smoke, config, capsys):
    """Whoever reads "critical" must see whether that was suspected or confirmed, and by which listener."""
    assert earwitness("analyze", "--config", config, smoke) == 0
    lines = capsys.readouterr().out.splitlines()
    alert = next(line for line in lines if "CRITICAL" in line)
    assert "Smoke alarm in file (suspected" in alert
    event = next(line for line in lines if "smoke_alarm" in line)
    assert event.endswith("confirmed, by rhythm")


def test_a_source_that_is_not_there_is_refused_with_the_nearest_name(smoke, config, capsys):
    """A slip of the pen analysed with nobody's settings."""
    assert earwitness("analyze", "--config", config, "--as", "porhc", smoke) == 2
    assert "did you mean 'porch'?" in unboxed(capsys.readouterr().err)


def test_broken_files_are_one_line_each_and_the_others_are_done(smoke, config, tmp_path, capsys):
    """Empty, truncated, not audio, not there: exit code 1 at the end, and nothing else is lost."""
    empty = tmp_path / "empty.wav"
    empty.touch()
    text = tmp_path / "text.wav"
    text.write_text("this is no sound")
    missing = tmp_path / "missing.wav"
    code = earwitness(
        "analyze", "--config", config, "-j", 1, "--format", "jsonl", empty, text, missing, smoke
    )
    captured = capsys.readouterr()
    assert code == 1
    errors = [line for line in captured.err.splitlines() if line.startswith("error:")]
    assert [name in line for name, line in zip(("empty", "text", "missing"), errors, strict=True)] == [
        True
    ] * 3
    assert "smoke_alarm" in captured.out


def test_folders_are_walked_over_both_cores(smoke, config, tmp_path, capsys):
    """Several recordings go to several processes and come out in order of name."""
    folder = tmp_path / "night"
    folder.mkdir()
    for name in ("a.wav", "b.wav"):
        (folder / name).write_bytes(smoke.read_bytes())
    (folder / "notes.txt").write_text("not a recording")
    assert earwitness("analyze", "--config", config, "--format", "jsonl", folder) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = [Path(row["file"]).name for row in rows]
    assert names == sorted(names)
    assert set(names) == {"a.wav", "b.wav"}


def test_a_picture_is_drawn(smoke, config, tmp_path, capsys):
    """`--plot` writes a PNG of one recording."""
    picture = tmp_path / "smoke.png"
    assert earwitness("analyze", "--config", config, "--plot", picture, smoke) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_classify_gives_every_label_a_score(smoke, capsys):
    """The model alone; with the scores of every window on request."""
    assert earwitness("classify", "--format", "jsonl", "--frames", smoke) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["model"] == "embedded"
    assert row["duration_s"] == pytest.approx(len_s(smoke), abs=0.01)
    assert 0 <= min(row["scores"].values()) <= max(row["scores"].values()) <= 1
    assert max(frame["scores"]["dog_bark"] for frame in row["frames"]) == row["scores"]["dog_bark"]


def len_s(path: Path) -> float:
    with wave.open(str(path)) as recording:
        return float(recording.getnframes() / recording.getframerate())


def test_classify_of_an_unknown_model_names_the_fix(smoke, capsys):
    """A model that is not there is one clear line, not a traceback."""
    assert earwitness("classify", "--model", "nothing.onnx", smoke) == 1
    assert "nothing.onnx" in capsys.readouterr().err


def test_check_says_what_is_good(config, capsys):
    """Sources, classifiers, rules and publishers at a glance; the file may be named without `--config`."""
    assert earwitness("check", "--config", config) == 0
    text = capsys.readouterr().err
    assert "good" in text
    assert "porch (demo)" in text
    assert earwitness("check", config) == 0
    assert capsys.readouterr().err == text


def test_check_shows_what_a_sound_needs(tmp_path, capsys):
    """The owner's numbers over the model's over the table's, moved by the source's sensitivity."""
    path = tmp_path / "house.yaml"
    path.write_text(
        "sources:\n"
        "  - {type: demo, name: hall, labels: {loud_noise: {hits: 3}}}\n"
        "  - {type: demo, name: porch, sensitivity: 1}\n"
        "  - {type: demo, name: cellar, enabled: false}\n"
        "labels: {loud_noise: {onset: 0.5}}\n"
        "classifiers: []\n"
    )
    assert earwitness("check", "--config", path, "--thresholds", "--json") == 0
    found = json.loads(capsys.readouterr().out)["thresholds"]
    assert set(found) == {"hall", "porch"}
    assert found["hall"]["loud_noise"]["hits"] == 3
    assert found["porch"]["loud_noise"]["onset"] == pytest.approx(0.119, abs=0.001)
    assert "glass_break" not in found["hall"]
    assert earwitness("check", "--config", path, "--thresholds") == 0
    assert "3 in 3 s" in capsys.readouterr().out


def test_check_knows_what_was_set_from_home_assistant(tmp_path, capsys):
    """Nobody finds in the file why a room is deaf: what was set there is said, and the thresholds are those
    that come of it."""
    path = tmp_path / "house.yaml"
    path.write_text(
        f"state_dir: {tmp_path}\nsources: [{{type: demo, name: hall}}, {{type: demo, name: attic}}]\n"
    )
    kept = KeptSettings(tmp_path / SETTINGS, configured_settings(load_config(path)))
    kept.keep(Setting("hall", "mute", True))
    kept.keep(Setting("hall", "sensitivity", -1.0))
    kept.keep(Setting("attic", "sensitivity", 0.5))
    kept.write()

    assert earwitness("check", "--config", path, "--thresholds") == 0
    shown = capsys.readouterr().out
    assert "hall: muted, sensitivity -1, set from Home Assistant" in shown
    assert "attic: sensitivity 0.5, set from Home Assistant" in shown
    assert earwitness("check", "--config", path, "--thresholds", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["thresholds"]["hall"]["loud_noise"]["onset"] > 0.7
    assert found["thresholds"]["attic"]["loud_noise"]["onset"] < 0.4
    assert {"source": "hall", "name": "mute", "value": True} in found["set_from_outside"]


def test_check_lists_every_problem_and_exits_78(tmp_path, capsys):
    """The exit code that systemd knows."""
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "sources:\n  - {type: demo, name: a, colour: red}\nrules:\n  - {name: x, hear: [glass]}\n"
    )
    assert earwitness("check", "--config", path) == 78
    text = capsys.readouterr().err
    assert "wrong.yaml:2" in text
    assert "wrong.yaml:4" in text


def test_check_warns_of_one_rule_behind_the_mistake_of_another(tmp_path, capsys):
    """One run lists everything; a mistake of a source or a notifier hides nothing, either."""
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "sources: [{type: demo, name: a}, {type: demo, name: b, colour: red}]\n"
        "rules:\n"
        "  - {name: x, hear: [glass]}\n"
        "  - {name: y, hear: [smoke_alarm], cooldown_s: 900}\n"
    )
    assert earwitness("check", "--config", path) == 78
    text = capsys.readouterr().err.replace("\n", " ")
    assert "cooldown_s 900 counts as 120" in text
    assert "unknown label 'glass'" in text
    assert "colour" in text


def test_check_names_files_that_are_not_there(tmp_path, capsys):
    """What would keep it from running is an error, beside wrong keys; what it can do without is a warning."""
    path = tmp_path / "files.yaml"
    path.write_text(
        "sources:\n"
        "  - {type: file, name: tape, path: /no/tape.flac}\n"
        "  - {type: stream, name: porch, url: 'rtsps://10.0.0.7/1', ca_file: /no/camera.pem}\n"
        "  - {type: demo, name: hall, colour: red}\n"
        "classifiers:\n"
        "  - {type: embedded, model: /no/mine.onnx}\n"
        "  - {type: onnx, model: /no/yamnet.onnx, classes: /no/classes.csv}\n"
        "publishers:\n"
        "  - type: mqtt\n"
        "    tls:\n"
        "      ca_file: /no/ca.pem\n"
        "  - {type: jsonl, path: /no/folder/events.jsonl}\n"
        "  - {type: command, name: siren, argv: [/no/siren]}\n"
    )
    assert earwitness("check", "--config", path, "--json") == 78
    found = json.loads(capsys.readouterr().out)
    assert [line.removeprefix(f"{path}:").split(": ")[:2] for line in found["problems"]] == [
        ["4", "sources[2].colour"], ["11", "publishers[0].tls.ca_file"],
    ]  # fmt: skip
    assert [line.removeprefix(f"{path}:").split(": ")[:2] for line in found["warnings"]] == [
        ["2", "sources[0].path"], ["3", "sources[1].ca_file"], ["6", "classifiers[0].model"],
        ["7", "classifiers[1].model"], ["12", "publishers[1].path"], ["13", "publishers[2].argv"],
    ]  # fmt: skip


def test_a_list_of_classes_that_is_not_there_is_named(tmp_path, capsys):
    """The model is there, and nobody could say what its scores mean."""
    (tmp_path / "yamnet.onnx").touch()
    path = tmp_path / "classes.yaml"
    path.write_text(
        "sources:\n  - {type: demo, name: a}\nclassifiers:\n"
        f"  - {{type: onnx, model: {tmp_path}/yamnet.onnx, classes: /no/classes.csv}}\n"
    )
    assert earwitness("check", "--config", path) == 0
    assert "/no/classes.csv" in capsys.readouterr().err


def test_run_names_the_line_of_a_file_that_it_needs(tmp_path, capsys):
    """Before anything is opened, with the exit code that systemd knows."""
    path = tmp_path / "tls.yaml"
    path.write_text(
        "sources:\n  - {type: demo, name: a}\npublishers:\n  - {type: mqtt, tls: {ca_file: /no/ca.pem}}\n"
    )
    assert earwitness("run", "--config", path) == 78
    assert "tls.yaml:4: publishers[0].tls.ca_file: /no/ca.pem is not there" in capsys.readouterr().err


def test_a_rule_that_can_never_fire_is_an_error(tmp_path, capsys):
    """Without a classifier nobody hears glass."""
    path = tmp_path / "silent.yaml"
    rule = "rules:\n  - {name: Glass, hear: [glass_break]}\n"
    path.write_text(f"sources:\n  - {{type: demo, name: a}}\n{rule}classifiers: []\n")
    assert earwitness("check", "--config", path) == 78
    assert "silent.yaml:4" in capsys.readouterr().err


def test_without_a_word_about_classifiers_the_model_listens(tmp_path, capsys):
    """As it does without a configuration: whoever writes down a source and a rule wants sounds named."""
    path = tmp_path / "short.yaml"
    rule = "rules:\n  - {name: Glass, hear: [glass_break]}\n"
    path.write_text(f"sources:\n  - {{type: demo, name: a}}\n{rule}")
    assert earwitness("check", "--config", path) == 0
    assert "classifiers  embedded" in capsys.readouterr().err


def test_check_lists_what_nobody_hears_without_classifiers(tmp_path, capsys):
    """All of it in one line, and which alarms are left; an error only where a rule is in vain."""
    path = tmp_path / "none.yaml"
    rules = "rules:\n  - {name: A, hear: [smoke_alarm, scream]}\n  - {name: B, hear: [co_alarm, dog_bark]}\n"
    path.write_text(f"sources: [{{type: demo, name: a}}]\nclassifiers: []\n{rules}")
    assert earwitness("check", "--config", path) == 0
    said = capsys.readouterr().err
    assert "none.yaml:2: classifiers: there are none, so nothing hears scream or dog_bark" in said

    path.write_text(path.read_text() + "  - {name: C, hear: [doorbell]}\n")
    assert earwitness("check", "--config", path) == 78
    assert "nothing hears scream, dog_bark or doorbell" in capsys.readouterr().err


def test_explain_takes_the_last_while(tmp_path, capsys):
    """`-10m` is the last ten minutes and not a moment ten minutes ago; the short id of an event that it lists
    is one that it takes."""
    now = datetime.now(UTC)
    bark = event(id="0123456789ab", at=now - timedelta(minutes=7), state="ended", ended_by="quiet")
    with ScoreStore(tmp_path / SCORES, SystemClock()) as store:
        store.post(replace(bark, ended_at=bark.at), bark.at)
    path = tmp_path / "house.yaml"
    path.write_text(f"state_dir: {tmp_path}\nsources: [{{type: demo, name: kitchen}}]\n")
    assert earwitness("explain", "-10m", "--config", path) == 0
    assert "event 0123456789ab: dog_bark at kitchen" in capsys.readouterr().out
    assert earwitness("explain", "5m", "--config", path) == 0
    assert "no event from" in capsys.readouterr().out
    assert earwitness("explain", "012345", "--config", path) == 0
    assert "event 0123456789ab" in capsys.readouterr().out
    assert earwitness("explain", "9999999999h", "--config", path) == 2


def test_explain_shows_the_demo_scene_where_there_is_nothing_else(tmp_path, monkeypatch, capsys):
    """The demo keeps its state in a folder of its own, which a newcomer does not know."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    demo = tmp_path / "earwitness" / "demo"
    demo.mkdir(parents=True)
    with ScoreStore(demo / SCORES, SystemClock()) as store:
        store.post(replace(event(), at=datetime.now(UTC)), datetime.now(UTC))

    assert earwitness("explain", event().id) == 0
    shown = capsys.readouterr()
    assert str(demo) in shown.err.replace("\n", "")
    assert "dog_bark" in shown.out
    assert earwitness("set", "dog_bark.onset=0.61") == 0
    assert (demo / "overrides.json").exists()


def test_the_schema_is_json(capsys):
    """For completion in an editor."""
    assert earwitness("schema") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "earwitness"


def test_a_folder_without_recordings_is_an_error(config, tmp_path, capsys):
    """No output and exit code 0 said that nothing was heard; nothing was listened to."""
    empty = tmp_path / "night"
    empty.mkdir()
    assert earwitness("analyze", "--config", config, empty) == 1
    assert "night" in capsys.readouterr().err


def test_check_answers_in_json_also_when_something_is_wrong(tmp_path, capsys):
    """Whoever asks by program reads every problem there, and the exit code stays."""
    path = tmp_path / "wrong.yaml"
    path.write_text("sources:\n  - {type: demo, name: Porch}\n")
    assert earwitness("check", "--config", path, "--json") == 78
    [problem] = json.loads(capsys.readouterr().out)["problems"]
    assert "wrong.yaml:2" in problem


def test_a_picture_that_cannot_be_written_is_said_before_the_work(smoke, config, tmp_path, capsys):
    """Not after an hour of analysis, and not as a traceback."""
    picture = tmp_path / "nowhere" / "smoke.png"
    assert earwitness("analyze", "--config", config, "--plot", picture, smoke) == 2
    assert "nowhere" in re.sub(r"[│\s]", "", capsys.readouterr().err)  # a long path goes over two lines


def test_a_picture_without_what_draws_it_is_said_before_the_work(smoke, config, tmp_path):
    """As in the container image: an environment with all packages of this one but matplotlib."""
    packages = tmp_path / "site-packages"
    packages.mkdir()
    matplotlib = find_spec("matplotlib")
    assert matplotlib is not None
    assert matplotlib.origin is not None
    for package in Path(matplotlib.origin).parents[1].iterdir():
        if not package.name.startswith(("matplotlib", "__editable__")):
            (packages / package.name).symlink_to(package)
    program = (
        f"import sys; sys.path[:0] = {[str(ROOT), str(packages)]}; from monitor.__main__ import main; main()"
    )
    arguments = ["analyze", "--config", str(config), "--plot", str(tmp_path / "smoke.png"), str(smoke)]
    python = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run([*python, *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert "earwitness[plot]" in done.stderr


def test_a_picture_of_no_known_kind_is_said_before_the_work(smoke, config, tmp_path, capsys):
    """Its name says the kind; which there are is in the message."""
    assert earwitness("analyze", "--config", config, "--plot", tmp_path / "smoke.txt", smoke) == 2
    assert ".png" in capsys.readouterr().err


def test_a_quiet_recording_is_not_passed_over_in_silence(config, tmp_path, capsys):
    """Nothing heard reads differently from nothing done."""
    with wave.open(str(tmp_path / "quiet.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(bytes(2 * 16_000))

    assert earwitness("analyze", "--config", config, tmp_path / "quiet.wav") == 0
    assert "nothing heard in 1.0 s" in capsys.readouterr().out


NOT_KEPT = (
    "; nothing is kept: alerts that wait are lost with the daemon, and there is no page. "
    "Name a folder that can be written"
)


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("{tmp}/taken/house", "{tmp}/taken is a file and no folder" + NOT_KEPT),
        ("/proc/house", "/proc is no place on a disk" + NOT_KEPT),
        (
            "state",
            "state is another folder wherever earwitness is started from; write the whole path",
        ),
        ("{tmp}/not/there/yet", ""),
    ],
)
def test_check_tries_the_state_folder(folder, said, tmp_path, capsys):
    """What cannot work is a warning that names the fix; a folder that the daemon can make is none."""
    path = tmp_path / "house.yaml"
    (tmp_path / "taken").touch()
    path.write_text(f"sources:\n  - {{type: demo, name: porch}}\nstate_dir: {folder.format(tmp=tmp_path)}\n")

    earwitness("check", "--config", path, "--json")

    line = f"{path}:3: state_dir: {said.format(tmp=tmp_path)}"
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert [each for each in warnings if str(path) in each] == ([line] if said else [])


def test_a_house_in_which_every_source_is_off_is_an_error(tmp_path, capsys):
    """`run` ended at once with exit code 0, and systemd started it again every two seconds."""
    path = tmp_path / "off.yaml"
    path.write_text("sources:\n  - {type: demo, name: porch, enabled: false}\n")
    assert earwitness("check", "--config", path) == 78
    assert "off.yaml:1" in capsys.readouterr().err


def test_a_filter_that_names_nothing_is_an_error(config, capsys):
    """A slip of the pen would look like a quiet week."""
    assert earwitness("replay", "--config", config, "--label", "smoke_alrm") == 2
    assert "did you mean 'smoke_alarm'?" in unboxed(capsys.readouterr().err)
    assert earwitness("replay", "--config", config, "--rule", "Smoke alrm") == 2


def test_check_says_what_keeps_taggers_from_judging_together(tmp_path, capsys):
    """Scores that are not calibrated, a calibration that is none, and a company of one."""
    model, classes = foreign_model(tmp_path, ["b", "n"]), class_list(tmp_path)
    path, curve = tmp_path / "company.yaml", tmp_path / "curve.json"
    curve.write_text("{}")
    block = f"{{type: onnx, name: NAME, model: {model}, classes: {classes}"
    head = "sources: [{type: demo, name: hall}]\npublishers: []\ncombine: mean_log_odds\nclassifiers:\n"

    def warned(*classifiers: str) -> list[str]:
        path.write_text(head + "".join(f"  - {each}\n" for each in classifiers))
        assert earwitness("check", "--config", path, "--json") == 0
        lines: list[str] = json.loads(capsys.readouterr().out)["warnings"]
        return [line for line in lines if str(path) in line]

    raw = block.replace("NAME", "raw")
    told = f"{block.replace('NAME', 'told')}, calibration: {curve}"
    assert [line.split(" combine: ")[1][:27] for line in warned("{type: embedded}", f"{raw}}}")] == [
        "the scores of raw are not c"
    ]
    assert warned("{type: embedded}", f"{told}}}") == []
    [alone] = warned("{type: embedded}")
    assert "nothing to combine" in alone
    curve.write_text("[]")
    [broken] = warned("{type: embedded}", f"{told}}}")
    assert "contains no calibration" in broken


@pytest.mark.parametrize("command", sorted(get_group(whole_command_line()).commands))
def test_examples_are_indented(command, capsys):
    """On every page of help: they stand out from the sentences."""
    assert earwitness(command, "--help") == 0
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if re.match(r" earwitness ", line)]


def test_help_flows_at_any_width():
    """No command's help breaks a line where its source does: whoever has 80 columns reads whole lines."""
    for command in whole_command_line().registered_commands:
        for paragraph in (command.help or "").split("\n\n"):
            assert paragraph.startswith(" ") or "\n" not in paragraph, command.callback
