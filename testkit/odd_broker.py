"""A broker on loopback that misbehaves on purpose, where mosquitto cannot be made to.

It serves one client at a time, acknowledges what it takes and delivers to nobody.
"""

import contextlib
import socket
import threading
from dataclasses import dataclass
from typing import Self

_CONNECT, _PUBLISH, _SUBSCRIBE, _UNSUBSCRIBE, _PING, _LEAVE = 1, 3, 8, 10, 12, 14


@dataclass(frozen=True)
class MqttPacket:
    """One packet as it came."""

    type: int
    flags: int
    body: bytes


class OddBroker:
    """Change the attributes while it runs; they hold for the next connection or packet."""

    def __init__(
        self,
        *,
        silent_connections: int = 0,
        refuses_5: bool = False,
        receive_maximum: int | None = None,
        breaks_on: bytes | None = None,
    ) -> None:
        self.silent_connections = silent_connections
        """So many connections are taken and never answered."""
        self.refuses_5 = refuses_5
        """MQTT 5 is answered as a broker of 3.1.1 answers it."""
        self.receive_maximum = receive_maximum
        """Told to the client; with one, nothing is acknowledged until `acknowledge_all` or one too many."""
        self.breaks_on = breaks_on
        """The connection ends on a message with these bytes in topic or payload."""
        self.levels: list[int] = []
        """The protocol level of each CONNECT: 5, or 4 for 3.1.1."""
        self.topics: list[str] = []
        """Where each message was published, in order."""
        self.most_unacknowledged = 0
        """The most messages that were on their way at once."""
        self.port = 0
        self._changed = threading.Condition()
        self._client: socket.socket | None = None
        self._unacknowledged: list[bytes] = []

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.hang_up()
        self._thread.join()

    def hang_up(self) -> None:
        """End the client's connection."""
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.shutdown(socket.SHUT_RDWR)

    def wait_for_messages(self, count: int, within_s: float) -> list[str]:
        """Wait until so many have come: their topics."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.topics) >= count, within_s), self.topics
            return list(self.topics)

    def acknowledge_all(self) -> None:
        """Acknowledge what has come."""
        with self._changed:
            numbers, self._unacknowledged = self._unacknowledged, []
            assert self._client is not None
            self._client.sendall(b"".join(b"\x40\x02" + number for number in numbers))

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._client, _ = self._listening.accept()
                with self._client, contextlib.suppress(OSError, IndexError):
                    self._serve(self._client)

    def _serve(self, client: socket.socket) -> None:
        stream = client.makefile("rb")
        while packet := _read(stream):
            if packet.type == _CONNECT:
                if not self._welcome(client, packet):
                    return
            elif packet.type == _PUBLISH:
                if not self._take(client, packet):
                    return
            elif packet.type == _SUBSCRIBE:
                self._answer(client, 0x90, packet, b"\x01")
            elif packet.type == _UNSUBSCRIBE:
                self._answer(client, 0xB0, packet, b"\x00" if self.levels[-1] == 5 else b"")
            elif packet.type == _PING:
                client.sendall(b"\xd0\x00")
            elif packet.type == _LEAVE:
                return

    def _welcome(self, client: socket.socket, packet: MqttPacket) -> bool:
        self.levels.append(packet.body[6])
        if self.silent_connections:
            self.silent_connections -= 1
            return bool(client.recv(1))  # until it gives up
        if self.levels[-1] != 5:
            client.sendall(b"\x20\x02\x00\x00")
        elif self.refuses_5:
            client.sendall(b"\x20\x02\x00\x01")
            return False
        else:
            limit = b"" if self.receive_maximum is None else b"\x21" + self.receive_maximum.to_bytes(2)
            client.sendall(bytes([0x20, 3 + len(limit), 0, 0, len(limit)]) + limit)
        return True

    def _take(self, client: socket.socket, packet: MqttPacket) -> bool:
        length = int.from_bytes(packet.body[:2])
        number = packet.body[2 + length : 4 + length]
        if self.breaks_on is not None and self.breaks_on in packet.body:
            return False
        with self._changed:
            self.topics.append(packet.body[2 : 2 + length].decode())
            self._unacknowledged.append(number)
            self.most_unacknowledged = max(self.most_unacknowledged, len(self._unacknowledged))
            self._changed.notify_all()
        if self.receive_maximum is None or len(self._unacknowledged) > self.receive_maximum:
            self.acknowledge_all()
        return True

    def _answer(self, client: socket.socket, head: int, packet: MqttPacket, each: bytes) -> None:
        properties = b"\x00" if self.levels[-1] == 5 else b""
        body = packet.body[:2] + properties + each
        client.sendall(bytes([head, len(body)]) + body)


def _read(stream: object) -> MqttPacket | None:
    read = stream.read  # type: ignore[attr-defined]
    head = read(1)
    if not head:
        return None
    length = shift = 0
    while True:
        byte = read(1)[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return MqttPacket(head[0] >> 4, head[0] & 0xF, read(length))
