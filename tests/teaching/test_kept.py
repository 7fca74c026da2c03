"""What people have said and taught outlasts a kill and a full disk: all that was acknowledged, and whole."""

import subprocess
import sys
from pathlib import Path

from monitor.clock import SystemClock
from monitor.config.overrides import read_steps
from monitor.config.taught import read_taught
from monitor.delivery.chain.kept import KeptChain
from monitor.drill.report import read_drills
from monitor.history.verdicts import Verdicts
from monitor.teaching.taught.naming import read_naming
from monitor.teaching.vetoes import of_verdicts
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
    assert chain.failures == (str(round((chain.last_at - START).total_seconds())),)
    return {
        "verdict": max(id for id in ids if id < AFTER),
        "more": max(ids) % AFTER,
        "asked": max(int(id, 16) for id in asked),
        "missed": round((missed[-1].at - START).total_seconds()),
        "threshold": round((read_steps(folder)[-1].at - START).total_seconds()),
        "taught": round((sound.taught_at - START).total_seconds()),
        "naming": round((naming.looked_at - START).total_seconds()),
        "chain": round((chain.last_at - START).total_seconds()),
        "answer": round(naming.answered[-1].middle[-1]),
        "acknowledged": max(int(id, 16) for id in acknowledged),
        "drill": max(int(drill.id, 16) for drill in read_drills(folder)),
    }


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
    assert done.stdout.split() == ["10"]
    assert set(kept(tmp_path).values()) == {4}
    with Verdicts(tmp_path, SystemClock()) as verdicts:
        ids = [int(judged.event_id, 16) for judged, _ in verdicts.all()]
        assert sorted(id for id in ids if id < AFTER) == [1, 2, 4]
        assert len(ids) == 3 * (1 + len(MORE))
        assert len(verdicts.missed()) == 3
    assert [int(drill.id, 16) for drill in read_drills(tmp_path)] == [1, 2, 4]
