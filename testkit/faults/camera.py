"""What happens when a camera, or the way to it, fails under a running daemon."""

import itertools
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.runtime.capture import STABLE_S
from testkit.faults.allowance import ALLOWANCE
from testkit.mosquitto import free_port
from testkit.noisy_house import NODE, FaultRow, NoisyHouse, until, write_bangs
from testkit.rtsp import RtspServer
from testkit.wire import Wire

HOLDS = "back within 10 s of the camera"
BACK_S = 10.0
LOST_S = 30.0
MOST_MB = 5.0
STEADY_S = STABLE_S + 1.0
"""Heard for so long, a camera is taken for a steady one when it changes."""


class CameraHouse(NoisyHouse):
    """One room, heard through a camera behind a wire."""

    def __init__(self, folder: Path, path: str) -> None:
        super().__init__(folder, rooms=1)
        self._path = path
        folder.mkdir(parents=True, exist_ok=True)
        sound = folder / "room0.wav"
        write_bangs(sound, 1.6)
        self.camera = RtspServer(sound)
        self.camera.start()
        self.way = Wire(self.camera.port)

    def sources(self) -> list[dict[str, Any]]:
        """The camera's stream."""
        url = f"rtsp://127.0.0.1:{self.way.port}/{self._path}"
        return [{"type": "stream", "name": "room0", "url": url, "silent_after_s": 3}]

    def said_status(self) -> list[str]:
        """Every `online` and `offline` of the camera."""
        return self.witness.on(f"{NODE}/room0/status")

    def wait_lost(self) -> float:
        """Wait until the house knows that the camera is gone: the seconds it took."""
        return until(lambda: self.said_status()[-1] == "offline", "the loss to be noticed", LOST_S)

    def wait_back(self) -> float:
        """Wait until it is heard again."""
        return until(lambda: self.said_status()[-1] == "online", "the camera to be heard again")


class SenderHouse(NoisyHouse):
    """One room, heard through MPEG-TS that somebody sends over UDP, whoever listens."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, rooms=1)
        self._port = free_port()
        self._sender: subprocess.Popen[bytes] | None = None

    def __exit__(self, *exc: object) -> None:
        self._stop_sending()
        super().__exit__()

    def sources(self) -> list[dict[str, Any]]:
        """What is sent."""
        url = f"udp://127.0.0.1:{self._port}"
        return [{"type": "stream", "name": "room0", "url": url, "silent_after_s": 3}]

    def send(self, codec: str, rate_hz: int) -> None:
        """Send in this format from now on; no word of farewell from the one before."""
        self._stop_sending()
        sound = ["-re", "-stream_loop", "-1", "-i", str(self.folder / "room0.wav")]
        out = [
            "-c:a",
            codec,
            "-ar",
            str(rate_hz),
            "-f",
            "mpegts",
            f"udp://127.0.0.1:{self._port}?pkt_size=1316",
        ]
        self._sender = subprocess.Popen(["ffmpeg", "-v", "quiet", "-nostdin", *sound, *out])

    def _stop_sending(self) -> None:
        if self._sender is not None:
            self._sender.kill()
            self._sender.wait()


@contextmanager
def _camera_house(folder: Path, path: str = "pcma") -> Iterator[CameraHouse]:
    house = CameraHouse(folder, path)
    with house.way, house:
        try:
            house.start()
            yield house
        finally:
            house.camera.kill()


def killed(folder: Path, times: int) -> FaultRow:
    """The camera's server dies without a word and comes back, as in a power cut."""

    def fail(house: CameraHouse) -> None:
        house.way.cut()
        house.camera.kill()

    def mend(house: CameraHouse) -> None:
        house.camera.start()
        house.way.mend()

    return _failing(folder, f"RTSP server killed and started again, {times} times", times, fail, mend)


def frozen(folder: Path, times: int) -> FaultRow:
    """The camera keeps its connections and says nothing more; then somebody pulls its plug."""

    def mend(house: CameraHouse) -> None:
        house.way.cut()
        house.camera.kill()
        house.camera.start()
        house.way.mend()

    return _failing(
        folder,
        f"RTSP server frozen, connections open, {times} times",
        times,
        lambda h: h.camera.freeze(),
        mend,
    )


def deaf(folder: Path, times: int) -> FaultRow:
    """The network swallows what the camera sends, without a FIN."""

    def mend(house: CameraHouse) -> None:
        house.way.cut()
        house.way.mend()

    return _failing(
        folder, f"network to the camera cut without FIN, {times} times", times, lambda h: h.way.deafen(), mend
    )


def garbage(folder: Path, times: int) -> FaultRow:
    """Something else answers at the camera's address: random bytes."""
    impostors: list[socket.socket] = []

    def fail(house: CameraHouse) -> None:
        house.way.cut()
        impostors.append(_impostor(house.way.port))

    def mend(house: CameraHouse) -> None:
        impostor = impostors.pop()
        impostor.shutdown(socket.SHUT_RDWR)
        impostor.close()
        house.way.mend()

    return _failing(folder, f"garbage at the camera's address, {times} times", times, fail, mend)


def codec_at_the_address(folder: Path, times: int) -> FaultRow:
    """Somebody changes the camera's settings: its server restarts, and sends another codec from now on."""
    codecs = itertools.cycle(["pcma", "opus", "aac"])
    with _camera_house(folder, path="live") as house:
        took_s = []
        for codec in itertools.islice(codecs, times):
            threading.Event().wait(STEADY_S)
            house.way.cut()
            house.camera.kill()
            house.camera.start("--live", codec)
            house.way.mend()
            took_s.append(house.wait_bang())
        return _heard_on(f"RTSP server sends another codec at the same address, {times} times", took_s)


def codec_in_the_stream(folder: Path, times: int) -> FaultRow:
    """The sender changes the codec while it sends, and says so in no other way."""
    return _changing(folder, "audio codec changes mid-stream", times, (("mp2", 48000), ("aac", 48000)))


def rate_in_the_stream(folder: Path, times: int) -> FaultRow:
    """The sender changes the sample rate while it sends."""
    return _changing(folder, "sample rate changes mid-stream", times, (("aac", 16000), ("aac", 44100)))


def _changing(folder: Path, fault: str, times: int, formats: tuple[tuple[str, int], ...]) -> FaultRow:
    with SenderHouse(folder) as house:
        house.send("aac", 48000)
        house.start()
        house.wait_bang()
        took_s = []
        for codec, rate_hz in itertools.islice(itertools.cycle(formats), times):
            threading.Event().wait(STEADY_S)
            house.send(codec, rate_hz)
            took_s.append(house.wait_bang())
        return _heard_on(f"{fault} (MPEG-TS over UDP), {times} times", took_s)


def _heard_on(fault: str, took_s: list[float]) -> FaultRow:
    """The longest from a change to the next bang that is heard; the recording bangs every 1.6 s."""
    return FaultRow(
        fault,
        HOLDS,
        max(took_s) <= BACK_S * ALLOWANCE.get(),
        {"longest until heard again s": round(max(took_s), 1)},
    )


def reconnects(folder: Path, cycles: int) -> FaultRow:
    """Cut and mend, again and again: nothing may pile up. Counted after a fifth of as many, by when all that
    is loaded or learned once is there."""
    with _camera_house(folder) as house:
        warming = range(max(cycles // 5, 3))
        backs_s = [_once(house, lambda h: h.way.cut(), lambda h: h.way.mend())[1] for _ in warming]
        before = _holdings(house)
        backs_s += [_once(house, lambda h: h.way.cut(), lambda h: h.way.mend())[1] for _ in range(cycles)]
        after = _holdings(house)
        leaks = {
            "threads more": after.threads - before.threads,
            "files more": after.files - before.files,
            "sockets more": after.sockets - before.sockets,
            "MB more": round(after.resident_mb - before.resident_mb, 1),
        }
        held = (
            max(backs_s) <= BACK_S * ALLOWANCE.get()
            and leaks["threads more"] <= 1
            and leaks["files more"] <= 2
            and leaks["sockets more"] <= 1
            and leaks["MB more"] <= MOST_MB
        )
        figures: dict[str, float | int | str] = {"longest return s": round(max(backs_s), 1), **leaks}
        fault = f"{cycles} reconnects to a camera"
        return FaultRow(fault, "no leak of memory, threads, sockets or file descriptors", held, figures)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a process holds."""

    threads: int
    files: int
    sockets: int
    resident_mb: float


def _holdings(house: NoisyHouse) -> Holdings:
    assert house.daemon is not None
    folder = Path(f"/proc/{house.daemon.process.pid}")
    targets = [os.readlink(link) for link in (folder / "fd").iterdir()]
    sockets = sum(target.startswith("socket:") for target in targets)
    threads = len(list((folder / "task").iterdir()))
    return Holdings(threads, len(targets), sockets, house.daemon.resident_mb())


Change = Callable[[CameraHouse], None]


def _failing(folder: Path, fault: str, times: int, fail: Change, mend: Change) -> FaultRow:
    with _camera_house(folder) as house:
        took_s = [_once(house, fail, mend) for _ in range(times)]
        lost_s, backs_s = zip(*took_s, strict=True)
        running = house.daemon is not None and house.daemon.process.poll() is None
        figures: dict[str, float | int | str] = {
            "longest return s": round(max(backs_s), 1),
            "longest until noticed s": round(max(lost_s), 1),
        }
        return FaultRow(fault, HOLDS, max(backs_s) <= BACK_S * ALLOWANCE.get() and running, figures)


def _once(house: CameraHouse, fail: Change, mend: Change) -> tuple[float, float]:
    fail(house)
    lost_s = house.wait_lost()
    mend(house)
    return lost_s, house.wait_back()


def _impostor(port: int) -> socket.socket:
    """A server that answers everybody with random bytes."""
    listener = socket.create_server(("127.0.0.1", port))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.sendall(os.urandom(65536))

    threading.Thread(target=serve, daemon=True).start()
    return listener
