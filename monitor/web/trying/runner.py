"""One process for heavy work at a time, for whoever asks on the page; it ends with them."""

import asyncio
import json
import os
import pickle
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from monitor.web.trying.child import Job

LONGEST_S = 180.0
"""A week of a busy house on a small board. What takes longer is given up."""
MOST_LINE = 4_000_000
READY_S = 60.0
"""So long a process that was made ready waits for its work."""
DECIDING = ("monitor.history.replay", "monitor.web.trying.deciding")
"""What deciding anew takes, and most of what else is asked."""
PART = 65_536
BUSY = "somebody tries or exports something already; wait until that is done"
SLOW = "it took too long; choose fewer days"
DIED = "it ended by a bug or for want of memory; the log has more"


class JobFailed(Exception):
    """It was not done, and why."""


class Runner:
    """Belongs to the web thread."""

    def __init__(self) -> None:
        self._is_busy = False
        self._ready: asyncio.subprocess.Process | None = None
        self._ends: asyncio.TimerHandle | None = None
        self._one_begins = False
        self._is_closed = False

    async def get_ready(self) -> None:
        """Have a process begin for the next job: to start, and to import what it takes, is most of what a
        small job costs. It ends when there is none for a minute."""
        if self._is_closed:
            return
        if self._ends is not None:
            self._ends.cancel()
        self._ends = asyncio.get_running_loop().call_later(READY_S, self._let_go)
        if self._ready or self._is_busy or self._one_begins:
            return
        self._one_begins = True
        try:
            self._ready = await _begun(*DECIDING)
        finally:
            self._one_begins = False
        if self._is_closed:
            self._let_go()

    async def close(self) -> None:
        """Nothing is to be done any more."""
        self._is_closed = True
        if self._ends is not None:
            self._ends.cancel()
        if (process := self._let_go()) is not None:
            await process.wait()

    def _let_go(self) -> asyncio.subprocess.Process | None:
        process, self._ready = self._ready, None
        if process is not None:
            _kill(process)
        return process

    async def run(self, job: Job) -> AsyncGenerator[dict[str, Any], None]:
        """What the process says, line by line; at last what came of it, or `problems`. It is killed when
        nobody takes the next line any more."""
        ended = False
        try:
            async with self._at_work(job) as out:
                async for text in out:
                    document: dict[str, Any] = json.loads(text)
                    ended = ended or "progress" not in document
                    yield document
        except JobFailed as error:
            if not ended:
                yield {"problems": [str(error)]}

    async def parts(self, job: Job) -> AsyncGenerator[bytes, None]:
        """What the process writes after its first line, part by part; the first is empty, and says that it
        will be done. Raises Failed. It is killed when nobody takes the next part any more."""
        async with self._at_work(job) as out:
            first: dict[str, Any] = json.loads(await out.readline() or b"{}")
            if "ready" not in first:
                raise JobFailed("; ".join(first.get("problems", (DIED,))))
            yield b""
            while part := await out.read(PART):
                yield part

    @asynccontextmanager
    async def _at_work(self, job: Job) -> AsyncIterator[asyncio.StreamReader]:
        """What the process writes; nothing of it is left afterwards. Raises Failed where it failed."""
        if self._is_busy:
            raise JobFailed(BUSY)
        self._is_busy = True
        process, self._ready = self._ready, None
        was_ready = process is not None and process.returncode is None
        try:
            if process is None or not was_ready:
                process = await _begun()
            given_up = _Deadline(process)
            assert process.stdout is not None
            await _give(process, job)
            yield process.stdout
            if await process.wait() != 0:
                raise JobFailed(SLOW if given_up.passed else DIED)
        finally:
            self._is_busy = False
            if process is not None:
                _kill(process)
                await process.wait()
            if was_ready:  # whoever tried one thing tries another
                await self.get_ready()


class _Deadline:
    """Ends a process that takes too long."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.passed = False
        asyncio.get_running_loop().call_later(LONGEST_S, self._end)

    def _end(self) -> None:
        self.passed = self._process.returncode is None
        _kill(self._process)


async def _begun(*modules: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor.web.trying.child", *modules,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=MOST_LINE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(place for place in sys.path if place)},
    )  # fmt: skip


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()


async def _give(process: asyncio.subprocess.Process, job: Job) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(pickle.dumps(job))
        await process.stdin.drain()
        process.stdin.close()
