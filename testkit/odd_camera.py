"""A camera that misbehaves to order: an RTSP server that sends what a test says, stamped as the test says.

RTSP 1.0 (RFC 2326) with RTP (RFC 3550) interleaved in its TCP connection, as far as FFmpeg asks for it. Real
servers stamp truly and send what they announce, so none of them can show how cameras lie.
"""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Self

import numpy as np

from monitor.audio import Samples

PACKET_S = 0.02
_PAYLOAD_TYPE = 97
_SENDS_ONLY = "a=sendonly\r\n"


@dataclass(frozen=True, slots=True)
class Rtp:
    """One packet: when it leaves, in seconds from PLAY, its timestamp in ticks, and its sound."""

    at_s: float
    ticks: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class CameraTrack:
    """One sound track: how it is announced, and what is sent; nothing for a back channel."""

    announced: str
    packets: Callable[[], Iterator[Rtp]] = field(default=lambda: iter(()))

    def sdp(self, number: int) -> str:
        return f"m=audio 0 RTP/AVP {_PAYLOAD_TYPE}\r\n{self.announced}a=control:trackID={number}\r\n"


Stamp = Callable[[int, float], float]
"""From a packet's number and its time in seconds to its timestamp in seconds."""


def linear(
    samples: Samples,
    rate_hz: int,
    *,
    says_hz: int | None = None,
    stamp: Stamp = lambda number, at_s: at_s,
    leaves: Stamp = lambda number, at_s: at_s,
) -> CameraTrack:
    """16-bit sound in a loop, recorded at `rate_hz` and announced as `says_hz`."""
    announced_hz = says_hz or rate_hz
    pcm = (np.clip(samples, -1, 1) * 32767).astype(">i2")
    count = round(PACKET_S * rate_hz)

    def packets() -> Iterator[Rtp]:
        number = 0
        while True:
            at_s = number * PACKET_S
            piece = np.take(pcm, np.arange(number * count, (number + 1) * count), mode="wrap").tobytes()
            yield Rtp(leaves(number, at_s), int(1000 + announced_hz * stamp(number, at_s)), piece)
            number += 1

    return CameraTrack(f"a=rtpmap:{_PAYLOAD_TYPE} L16/{announced_hz}\r\n", packets)


def back_channel() -> CameraTrack:
    """A track for talking to the camera: listed like any other, and it never sends."""
    return CameraTrack(f"a=rtpmap:{_PAYLOAD_TYPE} L16/8000\r\n" + _SENDS_ONLY)


def undecodable(seed: int = 1) -> CameraTrack:
    """Announced as AAC at 16 kHz, and no AAC is in it."""
    rng = np.random.default_rng(seed)

    def packets() -> Iterator[Rtp]:
        number = 0
        while True:
            body = rng.bytes(200)
            header = struct.pack(">HH", 16, len(body) << 3)
            yield Rtp(number * 0.064, 1000 + number * 1024, header + body)
            number += 1

    parameters = "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3"
    return CameraTrack(
        f"a=rtpmap:{_PAYLOAD_TYPE} mpeg4-generic/16000/1\r\n"
        f"a=fmtp:{_PAYLOAD_TYPE} {parameters};config=1408\r\n",
        packets,
    )


class OddCamera:
    """Serves streams by path until it is left; any number of clients."""

    def __init__(self, streams: Mapping[str, Sequence[CameraTrack]]) -> None:
        self._streams = streams
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._clients: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.close()
        for client in self._clients:
            client.close()

    def url(self, path: str) -> str:
        return f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/{path}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._clients.append(client)
            threading.Thread(target=_Conversation(client, self._streams).run, daemon=True).start()


class _Conversation:
    """One client's requests, and the sound it set up."""

    def __init__(self, client: socket.socket, streams: Mapping[str, Sequence[CameraTrack]]) -> None:
        self._client = client
        self._streams = streams
        self._lock = threading.Lock()
        self._channels: dict[int, int] = {}
        self._tracks: Sequence[CameraTrack] = ()
        self._over = threading.Event()

    def run(self) -> None:
        try:
            with self._client, self._client.makefile("rb") as incoming:
                while (first := incoming.read(1)) not in (b"", None):
                    if first == b"$":  # a receiver report
                        incoming.read(struct.unpack(">xH", incoming.read(3))[0])
                    else:
                        request = first + incoming.readline()
                        self._answer(request.decode(), _headers(incoming))
        except OSError:
            return
        finally:
            self._over.set()

    def _answer(self, request: str, headers: Mapping[str, str]) -> None:
        method, url, _ = request.split(" ", 2)
        more, body = "Session: 7\r\n", ""
        if method == "DESCRIBE":
            self._tracks = self._streams[url.split("/", 3)[3].strip("/")]
            body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
            body += "".join(track.sdp(number) for number, track in enumerate(self._tracks))
            more = f"Content-Type: application/sdp\r\nContent-Base: {url}/\r\nContent-Length: {len(body)}\r\n"
        if method == "SETUP":
            channel = 2 * len(self._channels)
            self._channels[int(url.rsplit("=", 1)[1])] = channel
            more += f"Transport: RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}\r\n"
        self._send(f"RTSP/1.0 200 OK\r\nCSeq: {headers.get('cseq', 0)}\r\n{more}\r\n{body}".encode())
        if method == "PLAY":
            for number, channel in self._channels.items():
                threading.Thread(target=self._play, args=(number, channel), daemon=True).start()

    def _play(self, number: int, channel: int) -> None:
        began_s = time.monotonic()
        for sequence, packet in enumerate(self._tracks[number].packets()):
            if self._over.wait(max(0.0, began_s + packet.at_s - time.monotonic())):
                return
            head = struct.pack(
                ">BBHII", 0x80, _PAYLOAD_TYPE | 0x80, sequence & 0xFFFF, packet.ticks & 0xFFFFFFFF, 4711
            )
            size = struct.pack(">cBH", b"$", channel, len(head) + len(packet.payload))
            try:
                self._send(size + head + packet.payload)
            except OSError:
                return

    def _send(self, data: bytes) -> None:
        with self._lock:
            self._client.sendall(data)


def _headers(incoming: BinaryIO) -> dict[str, str]:
    lines = iter(lambda: incoming.readline().decode().strip(), "")
    pairs = (line.partition(":") for line in lines)
    return {name.lower(): value.strip() for name, _, value in pairs}
