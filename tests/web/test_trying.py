"""Heavy work in a process of its own: one at a time, it ends with whoever asked, and the unit lets it."""

import asyncio
import json
import os
import pickle
import subprocess
import sys
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.config.model import Config
from monitor.history.events import EventFilter
from monitor.web.trying.child import NICE
from monitor.web.trying.deciding import Deciding
from monitor.web.trying.exporting import Exporting
from monitor.web.trying.runner import JobFailed, Runner
from testkit import unit_sandbox
from testkit.broken_job import BrokenJob
from testkit.long_history import write_history
from tests.web.conftest import RULES

NOW = datetime.now(UTC)


@pytest.fixture(scope="module", name="job")
def _job(tmp_path_factory: pytest.TempPathFactory) -> Deciding:
    folder: Path = tmp_path_factory.mktemp("tried")
    write_history(folder, 500, NOW)
    config = Config.model_validate({"sources": [{"type": "demo", "name": "hall"}], "rules": RULES})
    return Deciding(config, folder, NOW - timedelta(hours=1), NOW, ())


async def said(runner: Runner, job: Deciding) -> list[dict[str, Any]]:
    return [line async for line in runner.run(job)]


def children() -> set[str]:
    own = Path(f"/proc/{os.getpid()}/task")
    return {one for task in own.glob("*/children") for one in task.read_text().split()}


def test_it_ends_with_whoever_asked_and_another_may_begin(job: Deciding):
    """While one is at work a second is refused, an export as well; after a hang-up nothing of it is left. The
    last line of one that comes to its end is the outcome."""

    async def both() -> tuple[Any, Any, Any]:
        runner, before = Runner(), children()
        first = runner.run(job)
        began = await anext(first)
        second = await said(runner, job)
        with pytest.raises(JobFailed, match="somebody tries"):
            await anext(runner.parts(Exporting(job.folder, "UTC", EventFilter(), "csv")))
        await first.aclose()
        left = children() - before
        return began, second, (left, await said(runner, job))

    began, second, (left, third) = asyncio.run(both())
    assert began
    assert "somebody tries or exports something already" in second[0]["problems"][0]
    assert left == set()
    assert {one["kind"] for one in third[-1]["outcomes"]} <= {"alert", "event", "same events"}


def test_what_was_made_ready_is_used_and_ends_when_nobody_wants_it(job: Deciding):
    """One process waits, however often it is asked for; after its job the next is ready; at the end none is
    left."""

    async def tried() -> tuple[Any, ...]:
        runner, before = Runner(), children()
        await runner.get_ready()
        await runner.get_ready()
        waiting = children() - before
        lines = await said(runner, job)
        next_one = children() - before
        await runner.close()
        return waiting, lines, next_one, children() - before

    waiting, lines, next_one, left = asyncio.run(tried())
    assert len(waiting) == len(next_one) == 1
    assert waiting != next_one
    assert lines[-1]["outcomes"][-1]["kind"] == "same events"
    assert left == set()


def test_an_export_whose_process_dies_is_not_taken_for_whole():
    """Whoever downloads sees that it broke off."""
    got: list[bytes] = []

    async def broken() -> None:
        async with aclosing(Runner().parts(BrokenJob())) as parts:
            while True:
                got.append(await anext(parts))

    with pytest.raises(JobFailed, match="memory"):
        asyncio.run(broken())
    assert b"".join(got) == b"the first part"


def test_heavy_work_is_done_and_steps_back_under_the_units_own_sandbox(job: Deciding):
    """The system calls that the unit leaves suffice for the process, its pipes and its lower priority.
    Whoever steps back cannot step forward again, and what the unit forbids fails."""
    work = f"""
import asyncio, json, os, pickle, sys
from monitor.web.trying.runner import Runner
job, exporting = pickle.load(sys.stdin.buffer)
async def both():
    lines = [line async for line in Runner().run(job)]
    return lines[-1], b"".join([part async for part in Runner().parts(exporting)]).decode()
last, table = asyncio.run(both())
os.nice({NICE})
refused = 0
for forbidden in (lambda: os.nice(-1), lambda: os.sched_setaffinity(0, {{0}}), lambda: os.chroot("/")):
    try:
        forbidden()
    except PermissionError:
        refused += 1
kinds = [one["kind"] for one in last["outcomes"]]
print(json.dumps({{"kinds": kinds, "table": table[:40], "refused": refused}}))
"""
    exporting = Exporting(job.folder, "UTC", EventFilter(), "csv")
    done = subprocess.run(
        [sys.executable, "-m", "testkit.unit_sandbox", sys.executable, "-c", work],
        input=pickle.dumps((job, exporting)), capture_output=True, check=False,
        env={**os.environ, "STATE_DIRECTORY": str(job.folder)},
    )  # fmt: skip
    assert (done.returncode, done.stderr.decode()) == (0, "")
    found = json.loads(done.stdout)
    assert "same events" in found["kinds"]
    assert found["table"].startswith("id,started_at")
    assert found["refused"] == 3


def test_the_sandbox_is_what_the_unit_says():
    """Sets are systemd's own; what is taken away is gone, and what is added after it is there."""
    calls = unit_sandbox.allowed_calls()
    assert {"read", "clone", "execve", "setpriority"} <= calls
    assert not calls & {"sched_setscheduler", "mount", "ptrace", "chroot", "init_module"}
