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
PART = 65_536
BUSY = "somebody tries or exports something already; wait until that is done"
SLOW = "it took too long; choose fewer days"
DIED = "it ended by a bug or for want of memory; the log has more"


class Failed(Exception):
    """It was not done, and why."""


class Runner:
    """Belongs to the web thread."""

    def __init__(self) -> None:
        self._is_busy = False

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
        except Failed as error:
            if not ended:
                yield {"problems": [str(error)]}

    async def parts(self, job: Job) -> AsyncGenerator[bytes, None]:
        """What the process writes after its first line, part by part; the first is empty, and says that it
        will be done. Raises Failed. It is killed when nobody takes the next part any more."""
        async with self._at_work(job) as out:
            first: dict[str, Any] = json.loads(await out.readline() or b"{}")
            if "ready" not in first:
                raise Failed("; ".join(first.get("problems", (DIED,))))
            yield b""
            while part := await out.read(PART):
                yield part

    @asynccontextmanager
    async def _at_work(self, job: Job) -> AsyncIterator[asyncio.StreamReader]:
        """What the process writes; nothing of it is left afterwards. Raises Failed where it failed."""
        if self._is_busy:
            raise Failed(BUSY)
        self._is_busy = True
        process = None
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "monitor.web.trying.child",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=MOST_LINE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(place for place in sys.path if place)},
            )  # fmt: skip
            given_up = _Deadline(process)
            assert process.stdout is not None
            await _give(process, job)
            yield process.stdout
            if await process.wait() != 0:
                raise Failed(SLOW if given_up.passed else DIED)
        finally:
            self._is_busy = False
            if process is not None and process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


class _Deadline:
    """Ends a process that takes too long."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.passed = False
        asyncio.get_running_loop().call_later(LONGEST_S, self._end)

    def _end(self) -> None:
        if self._process.returncode is None:
            self.passed = True
            with suppress(ProcessLookupError):
                self._process.kill()


async def _give(process: asyncio.subprocess.Process, job: Job) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(pickle.dumps(job))
        await process.stdin.drain()
        process.stdin.close()
