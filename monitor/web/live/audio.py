"""The sound of a source as it comes, where the configuration allows it; nothing while nobody listens."""

import asyncio
from collections.abc import Callable, Iterable
from threading import Lock

from monitor.audio import Piece
from monitor.types import Message, Setting
from monitor.web.scope import Viewer

NAME = "listened"
"""Of the setting that says on MQTT whether somebody listens."""


class LiveAudio:
    """`hear` is called in each source's own thread; while nobody listens to it, it costs one look-up.
    `show` gives a state to every publisher: whoever is in the house can see that somebody listens."""

    def __init__(self, show: Callable[[Message], None], sources: Iterable[str]) -> None:
        self._show = show
        self._lock = Lock()
        self._listeners: dict[str, frozenset[Viewer]] = {}
        for source in sources:  # a daemon that was killed may have left another word
            show(Setting(source, NAME, False))

    def listening(self, source: str) -> int:
        """How many listen to a source; from any thread."""
        return len(self._listeners.get(source, ()))

    def join(self, source: str, loop: asyncio.AbstractEventLoop) -> Viewer:
        """Somebody begins to listen."""
        listener = Viewer(source, loop)
        with self._lock:
            self._listeners[source] = self._listeners.get(source, frozenset()) | {listener}
        self._show(Setting(source, NAME, True))
        return listener

    def leave(self, listener: Viewer) -> None:
        """They stop."""
        with self._lock:
            left = self._listeners[listener.source] - {listener}
            self._listeners[listener.source] = left
            if not left:
                del self._listeners[listener.source]
        if not left:
            self._show(Setting(listener.source, NAME, False))

    def hear(self, piece: Piece) -> None:
        """The next frames of a source: 16-bit samples at 16 kHz, the low byte first."""
        if listeners := self._listeners.get(piece.source):
            samples = piece.audio.to_pcm16()
            for listener in listeners:
                listener.post(samples)
