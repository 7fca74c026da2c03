"""How many connections there may be, and how long one may take to say what it wants."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


def patient_protocol(first_request_s: float, most: int) -> type[H11Protocol]:
    """HTTP as uvicorn speaks it, except that it hangs up on whoever connects and asks for nothing, or sends a
    request letter by letter: each would hold one of the connections that there are.

    Above `most` connections it hangs up at once. uvicorn's own limit counts requests: connections that ask
    for nothing would take every file descriptor of the process, and the daemon needs them.
    """
    made: set[asyncio.BaseTransport] = set()

    class Patient(H11Protocol):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self._patience: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(made) >= most:
                transport.abort()
                return
            made.add(transport)
            self._patience = self.loop.call_later(first_request_s, self._hang_up)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._patience is not None:
                self._patience.cancel()
            made.discard(self.transport)
            super().connection_lost(exc)

        def _hang_up(self) -> None:
            if self.cycle is None and self.transport is not None:
                self.transport.close()

    return Patient
