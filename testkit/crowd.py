"""A crowd in front of the page: viewers, some of whom never read, and requests at a pace. A process of its
own:

python -m testkit.crowd PORT VIEWERS SLOW REQUESTS_PER_S SECONDS
"""

import asyncio
import sys
import time
from contextlib import suppress

_HEAD = "Host: localhost:{port}\r\nX-Earwitness: 1\r\n\r\n"


async def view(port: int, *, slow: bool) -> None:
    """Look at the feed; a slow one takes nothing of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(f"GET /api/feed HTTP/1.1\r\n{_HEAD.format(port=port)}".encode())
    while True:
        if slow:
            await asyncio.sleep(3600)
        if not await reader.read(4096):
            return


async def ask(port: int, until_s: float, pause_s: float, counts: list[int]) -> None:
    """Ask again and again over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET /api/session HTTP/1.1\r\n{_HEAD.format(port=port)}".encode()
    due_s = time.monotonic()
    while (now_s := time.monotonic()) < until_s:
        await asyncio.sleep(max(due_s - now_s, 0))
        due_s = max(due_s + pause_s, now_s - 1)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        await reader.readexactly(length)
        counts[0] += 1
    writer.close()


async def crowd(port: int, viewers: int, slow: int, per_s: float, seconds: float) -> int:
    """How many requests were answered."""
    lookers = [asyncio.create_task(view(port, slow=n < slow)) for n in range(viewers)]
    counts = [0]
    askers = 20
    until_s = time.monotonic() + seconds
    await asyncio.gather(
        *(ask(port, until_s, askers / per_s, counts) for _ in range(askers)), return_exceptions=True
    )
    for looker in lookers:
        looker.cancel()
        with suppress(asyncio.CancelledError, OSError):
            await looker
    return counts[0]


if __name__ == "__main__":
    port, viewers, slow = map(int, sys.argv[1:4])
    per_s, seconds = map(float, sys.argv[4:])
    print(asyncio.run(crowd(port, viewers, slow, per_s, seconds)))
