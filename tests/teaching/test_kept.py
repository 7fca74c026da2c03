"""What people have said and taught, and what a daemon must know again, outlasts a kill and a full disk: all
that was acknowledged, and whole."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

from monitor.clock import SystemClock, instant
from monitor.config.overrides import read_steps
from monitor.config.taught import read_taught
from monitor.delivery.chain.kept import KeptChain
from monitor.delivery.kept.active import ActiveAlerts
from monitor.delivery.kept.settings import KeptSettings
from monitor.drill.report import read_drills
from monitor.gate.habit import Habit
from monitor.history.verdicts import Verdicts
from monitor.teaching.taught.naming import read_naming
from monitor.teaching.versions import read_versions
from monitor.teaching.vetoes import of_verdicts
from monitor.types import Setting
from monitor.web.access.keys import Keys
from testkit.builders import START
from testkit.faults.kept import AFTER, MORE

KEEPER = [sys.executable, "-m", "testkit.faults.kept"]
ROUNDS = 5


def kept(folder: Path) -> dict[str, int]:
    """How far each has come; whatever is damaged raises."""
    with Verdicts(folder, SystemClock()) as verdicts:
        ids = [int(judged.event_id, 16) for judged, _ in verdicts.all()]
        missed, asked = verdicts.missed(), verdicts.asked()
        acknowledged = verdicts.acknowledged([f"{number:012x}" for number in range(1, max(ids) % AFTER + 2)])
    here = read_taught(folder)
    assert here.problems == ()
    [sound] = here.sounds
    naming = read_naming(folder)
    assert naming.looked_at is not None
    chain = KeptChain(folder).read()
    assert chain is not None
    assert chain.last_at is not None
    assert chain.failures == (str(_days(chain.last_at.isoformat())),)
    return _remembered(folder) | {
        "verdict": max(id for id in ids if id < AFTER),
        "more": max(ids) % AFTER,
        "asked": max(int(id, 16) for id in asked),
        "missed": round((missed[-1].at - START).total_seconds()),
        "threshold": round((read_steps(folder)[-1].at - START).total_seconds()),
        "taught": round((sound.taught_at - START).total_seconds()),
        "naming": round((naming.looked_at - START).total_seconds()),
        "chain": _days(chain.last_at.isoformat()),
        "answer": round(naming.answered[-1].middle[-1]),
        "acknowledged": max(int(id, 16) for id in acknowledged),
        "drill": max(int(drill.id, 16) for drill in read_drills(folder)),
    }


def _remembered(folder: Path) -> dict[str, int]:
    """What a daemon knows again by itself, as it reads it; the clock is that of the last round."""
    settings = KeptSettings(folder / "settings.json", [Setting("hall", "sensitivity", 0.0)])
    active = ActiveAlerts(folder / "active.json")
    settings.read()
    active.read()
    [sensitivity] = settings.in_force()
    digest, habits, taken, clock, mutes, setup = (
        json.loads((folder / file).read_text())
        for file in ("digest.json", "habits.json", "receiver-broker.json", "time.json", "mutes.json",
                     "setup.json")
    )  # fmt: skip
    with Keys(folder, SystemClock()) as keys:
        password = keys.password("admin")
    assert password is not None
    versions = read_versions(folder)
    assert [one.version for one in versions] == sorted((one.version for one in versions), key=int)
    return {
        "version": int(versions[-1].version),
        "sensitivity": round(sensitivity.value * 1000),
        "alert": max(int(one.id, 16) for one in active.waiting()),
        "receiver": taken["last"],
        "habit": (date.fromisoformat(max(Habit.of_json(habits["hall"]).days)) - START.date()).days,
        "mute": _days(mutes["hall"]),
        "time": _days(clock["believed"]),
        "digest": _days(digest["until"]) + 1,
        "password": int(password),
        "set-up": int(setup["secrets"]["CAMERA_1"]),
    }


def _days(at: str) -> int:
    """Whole ones since the first round."""
    return (instant(at) - START).days


def test_a_kill_in_the_middle_loses_nothing_that_was_acknowledged(tmp_path: Path):
    """SIGKILL at any moment: the last whole round is there, and at most one more of each."""
    with subprocess.Popen([*KEEPER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(ROUNDS)]
        process.kill()
        said += [int(line) for line in process.stdout.read().splitlines() if line]
    for number in kept(tmp_path).values():
        assert said[-1] <= number <= said[-1] + 1
    with Verdicts(tmp_path, SystemClock()) as verdicts:
        [veto] = of_verdicts(verdicts)
    assert veto.label == "dog_bark"
    assert veto.wrong >= 2 * ROUNDS


def test_a_full_disk_refuses_each_and_spoils_none(tmp_path: Path):
    """Each is an error of ours, what was there stays, and when there is room again it goes on."""
    done = subprocess.run(
        [*KEEPER, str(tmp_path), "--full"], capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.split() == ["12"]
    assert set(kept(tmp_path).values()) == {4}
    with Verdicts(tmp_path, SystemClock()) as verdicts:
        ids = [int(judged.event_id, 16) for judged, _ in verdicts.all()]
        assert sorted(id for id in ids if id < AFTER) == [1, 2, 4]
        assert len(ids) == 3 * (1 + len(MORE))
        assert len(verdicts.missed()) == 3
    assert [int(drill.id, 16) for drill in read_drills(tmp_path)] == [1, 2, 4]
