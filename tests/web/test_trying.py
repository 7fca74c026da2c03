"""Deciding again in a process of its own: one at a time, and it ends with whoever asked."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.config.model import Config
from monitor.web.trying.child import Job
from monitor.web.trying.runner import Runner
from testkit.long_history import write_history
from tests.web.conftest import RULES

NOW = datetime.now(UTC)


@pytest.fixture(scope="module", name="job")
def _job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder: Path = tmp_path_factory.mktemp("tried")
    write_history(folder, 2_000, NOW)
    config = Config.model_validate({"sources": [{"type": "demo", "name": "hall"}], "rules": RULES})
    return Job(config, folder, NOW - timedelta(days=3), NOW, ())


async def said(runner: Runner, job: Job) -> list[dict[str, Any]]:
    return [line async for line in runner.run(job)]


def children() -> set[str]:
    own = Path(f"/proc/{os.getpid()}/task")
    return {one for task in own.glob("*/children") for one in task.read_text().split()}


def test_it_ends_with_whoever_asked_and_another_may_begin(job: Job):
    """While one is at work a second is refused; after a hang-up nothing of it is left. The last line of one
    that comes to its end is the outcome."""

    async def both() -> tuple[Any, Any, Any]:
        runner, before = Runner(), children()
        first = runner.run(job)
        began = await anext(first)
        second = await said(runner, job)
        await first.aclose()
        left = children() - before
        return began, second, (left, await said(runner, job))

    began, second, (left, third) = asyncio.run(both())
    assert began
    assert "somebody tries something already" in second[0]["problems"][0]
    assert left == set()
    assert {one["kind"] for one in third[-1]["outcomes"]} <= {"alert", "event", "same events"}
