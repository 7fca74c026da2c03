"""Whether systemd's watchdog is fed while a source is ill, whatever its illness."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import numpy as np

from testkit.builders import noise
from testkit.faults.allowance import ALLOWANCE
from testkit.faults.camera import _impostor
from testkit.mosquitto import free_port
from testkit.noisy_house import FaultRow, NoisyHouse
from testkit.odd_camera import OddCamera, linear, undecodable
from testkit.rtsp import RtspServer

LIMIT_S = 60.0
"""`WatchdogSec` of the unit."""
LONGEST_S = 3.0
"""The longest gap that is well: a quarter of the limit at most, 1 s by the clock, and a busy machine."""
RATE_HZ = 16_000


class Manager:
    """Stands for systemd: notes when the watchdog was fed."""

    def __init__(self, path: Path) -> None:
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(round(LIMIT_S * 1e6))}
        self.fed_at_s: list[float] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def longest_gap_s(self, since_s: float, until_s: float) -> float:
        """The longest time without food between two moments of the monotonic clock."""
        times = [since_s, *(at_s for at_s in self.fed_at_s if since_s < at_s < until_s), until_s]
        return max(float(gap) for gap in np.diff(times))

    def _listen(self) -> None:
        while message := self._socket.recv(4096):
            if message == b"WATCHDOG=1":
                self.fed_at_s.append(time.monotonic())


class IllHouse(NoisyHouse):
    """One healthy room, and one source that is ill."""

    def __init__(self, folder: Path, url: str, environment: Mapping[str, str]) -> None:
        super().__init__(folder, rooms=1)
        self.environment = environment
        self._url = url

    def sources(self) -> list[dict[str, Any]]:
        """The room, and the camera."""
        return [*super().sources(), {"type": "stream", "name": "ill", "url": self._url, "silent_after_s": 3}]


def fed_whatever_is_ill(folder: Path, each_s: float, kinds: int) -> FaultRow:
    """Each illness for so long, in a daemon of its own."""
    gaps_s = {
        name: _gap_s(folder / str(n), make, each_s) for n, (name, make) in enumerate([*ILL.items()][:kinds])
    }
    return FaultRow(
        f"one source is ill, {each_s:g} s each: {', '.join(gaps_s)}",
        f"the watchdog ({LIMIT_S:g} s) is fed, at most {LONGEST_S:g} s apart, and the other room is heard",
        max(gaps_s.values()) <= min(LONGEST_S * ALLOWANCE.get(), LIMIT_S / 2),
        {f"longest gap s, {name}": round(gap_s, 2) for name, gap_s in gaps_s.items()},
    )


def _gap_s(folder: Path, ill: "Ill", each_s: float) -> float:
    folder.mkdir(parents=True)
    with (
        Manager(folder / "notify") as manager,
        ill(folder) as (url, fail),
        IllHouse(folder, url, manager.environment) as house,
    ):
        house.start()
        house.wait_bang()
        fail()
        began_s = time.monotonic()
        threading.Event().wait(each_s)
        house.wait_bang()
        ended_s = time.monotonic()
        house.stop()
    return manager.longest_gap_s(began_s, ended_s)


Fail = Callable[[], None]
Ill = Callable[[Path], "Any"]


@contextmanager
def _frozen(folder: Path) -> Iterator[tuple[str, Fail]]:
    """A camera that keeps its connections and sends nothing more."""
    from testkit.noisy_house import write_bangs

    sound = folder / "camera.wav"
    write_bangs(sound, 1.6)
    server = RtspServer(sound)
    server.start()
    try:
        yield f"rtsp://127.0.0.1:{server.port}/pcma", server.freeze
    finally:
        server.kill()


@contextmanager
def _mute(folder: Path) -> Iterator[tuple[str, Fail]]:
    """Takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live", _nothing


@contextmanager
def _drips(folder: Path) -> Iterator[tuple[str, Fail]]:
    """Answers with a byte a second."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as life:
        listener.settimeout(0.2)

        def serve() -> None:
            clients: list[socket.socket] = []
            while not ended.wait(1.0):
                with suppress(TimeoutError):
                    clients.append(life.enter_context(listener.accept()[0]))
                for client in clients:
                    try:
                        client.send(b"R")
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live", _nothing
        ended.set()
        thread.join()


@contextmanager
def _random(folder: Path) -> Iterator[tuple[str, Fail]]:
    """Answers with random bytes."""
    port = free_port()
    impostor = _impostor(port)
    try:
        yield f"rtsp://127.0.0.1:{port}/live", _nothing
    finally:
        impostor.shutdown(socket.SHUT_RDWR)
        impostor.close()


def _odd(**how: Any) -> Ill:
    """A camera that sends, and stamps, oddly."""

    @contextmanager
    def camera(folder: Path) -> Iterator[tuple[str, Fail]]:
        track = linear(noise(8.0, -50.0), RATE_HZ, **how) if how else undecodable()
        with OddCamera({"live": [track]}) as odd:
            yield odd.url("live"), _nothing

    return camera


def _nothing() -> None:
    """It is ill from the start."""


ILL: dict[str, Ill] = {
    "takes the connection and never answers": _mute,
    "stamps in 90 kHz ticks": _odd(stamp=lambda number, at_s: at_s * 90_000 / RATE_HZ),
    "frozen": _frozen,
    "drips": _drips,
    "random bytes": _random,
    "every stamp the same": _odd(stamp=lambda number, at_s: 0.0),
    "stamps that go back": _odd(stamp=lambda number, at_s: 1000.0 - at_s),
    "bursts of 2 s": _odd(leaves=lambda number, at_s: at_s - at_s % 2.0 + 2.0),
    "50 times too fast": _odd(leaves=lambda number, at_s: at_s / 50),
    "cannot be decoded": _odd(),
}
