"""`scripts/send-microphone` without its socket: what it would send, and what it is answered."""

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

SCRIPT = Path(__file__).parents[1] / "scripts" / "send-microphone"
KEY = bytes(range(32))


def script() -> ModuleType:
    """The script as a module."""
    loader = SourceFileLoader("send_microphone", str(SCRIPT))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


class WiredSender:
    """A sender whose datagrams a test carries."""

    def __init__(self, key: bytes = KEY, sample_rate_hz: int = 16_000) -> None:
        self._sender: Any = script().Sender(key, sample_rate_hz, "127.0.0.1", 9)
        self._sent: list[bytes] = []
        self._sender._transmit = self._sent.append

    def __enter__(self) -> "WiredSender":
        return self

    def __exit__(self, *exc: object) -> None:
        self._sender.close()

    @property
    def is_heard(self) -> bool:
        """Whether it was answered."""
        return bool(self._sender.is_heard)

    def send(self, pcm: bytes, now_s: float) -> bytes | None:
        """The datagram for a block of samples, or a hello; None when it waits for an answer."""
        self._sender.send(pcm, now_s)
        return self._sent.pop() if self._sent else None

    def take(self, answer: bytes, now_s: float) -> None:
        """Give it an answer."""
        self._sender._understand(answer, now_s)
