"""One such process at a time, for whoever asks on the page; it ends with them."""

import asyncio
import json
import os
import pickle
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Any

from monitor.web.trying.child import Job

LONGEST_S = 180.0
"""A week of a busy house on a small board. What takes longer is given up."""
MOST_LINE = 4_000_000


class Runner:
    """Belongs to the web thread."""

    def __init__(self) -> None:
        self._is_busy = False

    async def run(self, job: Job) -> AsyncGenerator[dict[str, Any], None]:
        """What the process says, line by line. It is killed when nobody takes the next line any more."""
        if self._is_busy:
            yield {"problems": ["somebody tries something already; wait until that is done"]}
            return
        self._is_busy = True
        process = None
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "monitor.web.trying.child",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=MOST_LINE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(place for place in sys.path if place)},
            )  # fmt: skip
            async with asyncio.timeout(LONGEST_S):
                async for document in _said(process, job):
                    yield document
        except TimeoutError:
            yield {"problems": ["it took too long; choose fewer days"]}
        finally:
            self._is_busy = False
            if process is not None and process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


async def _said(process: asyncio.subprocess.Process, job: Job) -> AsyncIterator[dict[str, Any]]:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(pickle.dumps(job))
        await process.stdin.drain()
        process.stdin.close()
    ended = False
    async for line in process.stdout:
        document: dict[str, Any] = json.loads(line)
        ended = ended or "progress" not in document
        yield document
    if not ended:
        yield {"problems": ["it ended by a bug or for want of memory; the log has more"]}
