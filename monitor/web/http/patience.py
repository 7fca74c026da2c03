"""How many connections there may be, and how long one may take to say what it wants."""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD_BYTES = 65_536
"""Of a request's first line and headers, together; browsers send a tenth."""


class Patient(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, except that it hangs up on whoever connects and asks for nothing, or sends a
    request letter by letter or without end: each would hold one of the connections that there are, or memory.

    Above `most` connections it hangs up at once. uvicorn's own limit counts requests: connections that ask
    for nothing would take every file descriptor of the process, and the daemon needs them.
    """

    request_s: ClassVar[float]
    most: ClassVar[int]
    made: ClassVar[set[asyncio.BaseTransport]]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._patience: asyncio.TimerHandle | None = None
        self._unasked_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there."""
        super().connection_made(transport)
        if len(self.made) >= self.most:
            transport.abort()
            return
        self.made.add(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """A part of what they want, or more."""
        super().data_received(data)
        if self._is_answering():
            self._unasked_bytes = 0
            self._stop_waiting()
            return
        self._unasked_bytes += len(data)
        if self._unasked_bytes > LARGEST_HEAD_BYTES:
            self._hang_up()
        elif self._patience is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """They have gone."""
        self._stop_waiting()
        self.made.discard(self.transport)
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        """Whether a request has come whole, but for its body, and is not yet answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._patience = self.loop.call_later(self.request_s, self._hang_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _hang_up(self) -> None:
        if not self._is_answering():
            self.transport.close()


def patient_protocol(request_s: float, most: int) -> type[Patient]:
    """The protocol for `most` connections, each of whose requests takes `request_s` at most to come."""
    return type("Patient", (Patient,), {"request_s": request_s, "most": most, "made": set()})
