"""Bounds what a broker can make us keep in memory: too long a message is cut while it arrives.

Over MQTT 5 we name the largest packet that we take; a broker of version 3.1.1 sends up to 256 MB, and anyone
who may write a command's topic can send that. Protocol: OASIS MQTT 3.1.1, sections 2.2 and 3.3.
"""

from collections.abc import Callable

LARGEST_PACKET_BYTES = 256 * 1024
"""What is taken in of one packet. Discovery documents, the longest that we read, are below 20 kB; topic and
properties before a payload have 64 kB each at most."""
_CHUNK_BYTES = 64 * 1024
_PUBLISH = 3
_LONGEST_LENGTH_BYTES = 4
_MORE = 0x80

ReadBytes = Callable[[int], bytes]
"""Up to so many bytes from the network; raises BlockingIOError when there are none yet, empty at the end."""


class PacketLimit:
    """A filter on the bytes of one connection. Of a PUBLISH that is too long only the beginning comes
    through, as a packet of that length, so that it can be acknowledged and refused; the rest is read and
    dropped. Any other packet that is too long ends the connection. One thread."""

    def __init__(self, read: ReadBytes, largest_bytes: int = LARGEST_PACKET_BYTES) -> None:
        self.cut = 0
        """How many messages were too long."""
        self._read = read
        self._largest_bytes = largest_bytes
        self._type: int | None = None
        self._length: bytearray = bytearray()
        self._lengths_left = b""
        self._body_left = 0
        self._to_drop = 0

    def __call__(self, most: int) -> bytes:
        """Like `read`, with what is too long left out. Raises ConnectionError for a packet that is none."""
        if self._lengths_left:
            return self._hand_out_length(most)
        if self._body_left:
            return self._body(most)
        if self._type is not None:
            return self._read_length(most)
        self._drop()
        first = self._read(1)
        self._type = first[0] >> 4 if first else None
        return first

    def _read_length(self, most: int) -> bytes:
        """The length may arrive byte by byte, and must be known before its first byte is handed on."""
        while not self._length or self._length[-1] & _MORE:
            byte = self._read(1)
            if not byte:
                return byte
            self._length += byte
            if len(self._length) > _LONGEST_LENGTH_BYTES:
                raise ConnectionError("not MQTT: a length of five bytes")
        length = _decoded(self._length)
        kept = min(length, self._largest_bytes)
        if kept < length:
            if self._type != _PUBLISH:
                raise ConnectionError(f"a packet of {length} bytes that is no message")
            self.cut += 1
        self._lengths_left = bytes(self._length) if kept == length else _encoded(kept)
        self._body_left, self._to_drop = kept, length - kept
        self._type, self._length = None, bytearray()
        return self._hand_out_length(most)

    def _hand_out_length(self, most: int) -> bytes:
        head, self._lengths_left = self._lengths_left[:most], self._lengths_left[most:]
        return head

    def _body(self, most: int) -> bytes:
        data = self._read(min(most, self._body_left, _CHUNK_BYTES))
        self._body_left -= len(data)
        return data

    def _drop(self) -> None:
        while self._to_drop:
            data = self._read(min(self._to_drop, _CHUNK_BYTES))
            if not data:
                raise ConnectionError("the connection ended within a message")
            self._to_drop -= len(data)


def _decoded(length: bytearray) -> int:
    return sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(length))


def _encoded(length: int) -> bytes:
    found = bytearray()
    while True:
        length, low = length >> 7, length & 0x7F
        found.append(low | (_MORE if length else 0))
        if not length:
            return bytes(found)
