"""Sound that a server is still making: played from its first piece on, and kept to be played again."""

import threading
from collections.abc import Iterator

from monitor.errors import PublishError


class Arriving:
    """16-bit PCM, taken from a server as fast as it comes by a thread of its own, however slowly it is
    played. May be read again from its beginning, from any thread."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._kept: list[bytes] = []
        self._ended = False
        self._error: BaseException | None = None
        self._news = threading.Condition()
        threading.Thread(target=self._take, args=(pieces,), name="voice", daemon=True).start()

    def __iter__(self) -> Iterator[bytes]:
        """Whole samples from the beginning; waits for what has not arrived. Raises PublishError where the
        sound breaks off, or where there is none."""
        at = 0
        while (piece := self._piece(at)) is not None:
            yield piece
            at += 1
        if self._error is not None:
            raise self._error
        if at == 0:
            raise PublishError("the voice server sent no sound; check model, voice and style")

    def _piece(self, at: int) -> bytes | None:
        with self._news:
            self._news.wait_for(lambda: self._ended or at < len(self._kept))
            return self._kept[at] if at < len(self._kept) else None

    def _take(self, pieces: Iterator[bytes]) -> None:
        error: BaseException | None = None
        rest = b""
        try:
            for piece in pieces:
                rest += piece
                whole = len(rest) - len(rest) % 2
                self._keep(rest[:whole])
                rest = rest[whole:]
        except Exception as failure:  # noqa: BLE001 - of whatever kind, it is the reader's to raise
            error = failure
        with self._news:
            self._ended, self._error = True, error
            self._news.notify_all()

    def _keep(self, piece: bytes) -> None:
        if piece:
            with self._news:
                self._kept.append(piece)
                self._news.notify_all()
