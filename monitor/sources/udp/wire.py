"""What is in a datagram, and the keys; docs/reference/udp-microphone.md is for whoever writes a sender.

Every datagram begins with `EWM1` and its kind, and what follows is AES-256-GCM (NIST SP 800-38D). A sender
says hello with a number of its own; we answer with one of ours; the keys of the session are derived from both
and from the key of the source (HKDF, RFC 5869). So what was recorded in a former session fits no later one,
whichever side began anew.
"""

import os
import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

MAGIC = b"EWM1"
HELLO, CHALLENGE, SOUND, RECEIVED = 1, 2, 3, 4
NUMBER_BYTES = 16
TAG_BYTES = 4
KEY_BYTES = 32
LARGEST_BYTES = 8192
"""Of a datagram: 80 ms at 48 kHz."""

_HEADER = struct.Struct("!4sB")
_HELLO = struct.Struct("!16sI12x")
"""The sender's number and its sample rate; as long as the answer, so that nobody is flooded through us."""
_CHALLENGE = struct.Struct("!16s16s")
_NONCE_BYTES = 12
_COUNT = struct.Struct("!Q")
_HELLO_BYTES = _HEADER.size + _NONCE_BYTES + _HELLO.size + 16
_SOUND_BYTES = _HEADER.size + TAG_BYTES + 2 * _COUNT.size + 16


@dataclass(frozen=True, slots=True)
class Hello:
    """A sender with the right key begins."""

    number: bytes
    sample_rate_hz: int


@dataclass(frozen=True, slots=True)
class SoundDatagram:
    """A stretch of sound: its place among the datagrams, that of its first sample since the session began,
    and its samples, 16 bits, little-endian, mono."""

    sequence: int
    clock: int
    pcm: bytes


class SourceKey:
    """What a source and its sender share."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._aead = _aead(key)

    def hello(self, datagram: bytes) -> Hello | None:
        """None for anything that was not made with the key."""
        header, rest = datagram[: _HEADER.size], datagram[_HEADER.size :]
        if len(datagram) != _HELLO_BYTES:
            return None
        body = _opened(self._aead, rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header)
        return None if body is None else Hello(*_HELLO.unpack(body))

    def challenge(self, number: bytes, ours: bytes) -> bytes:
        """The answer to a hello."""
        header, nonce = _HEADER.pack(MAGIC, CHALLENGE), os.urandom(_NONCE_BYTES)
        return header + nonce + _sealed(self._aead, nonce, _CHALLENGE.pack(number, ours), header)

    def session(self, number: bytes, ours: bytes, sample_rate_hz: int) -> "SessionKeys":
        """The keys that follow from both numbers."""
        return SessionKeys(self._key, number, ours, sample_rate_hz)


class SessionKeys:
    """Opens the sound of one session, and confirms that it came."""

    def __init__(self, key: bytes, number: bytes, ours: bytes, sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.tag = sha256(number + ours).digest()[:TAG_BYTES]
        """What its datagrams begin with, to find the session; no secret."""
        self._sound = _aead(_derived(key, number + ours, b"earwitness udp 1 sound"))
        self._received = _aead(_derived(key, number + ours, b"earwitness udp 1 received"))
        self._confirmed = 0

    def sound(self, datagram: bytes) -> SoundDatagram | None:
        """None for anything that is not of this session."""
        if not _SOUND_BYTES <= len(datagram) <= LARGEST_BYTES:
            return None
        begin = _HEADER.size + TAG_BYTES
        (sequence,) = _COUNT.unpack_from(datagram, begin)
        head, sealed = datagram[: begin + _COUNT.size], datagram[begin + _COUNT.size :]
        body = _opened(self._sound, _nonce(sequence), sealed, head)
        if body is None or len(body) % 2:
            return None
        return SoundDatagram(sequence, _COUNT.unpack_from(body)[0], body[_COUNT.size :])

    def received(self, sequence: int) -> bytes:
        """What is sent once a second: the highest sequence number that came."""
        count, self._confirmed = self._confirmed, self._confirmed + 1
        head = _HEADER.pack(MAGIC, RECEIVED) + self.tag + _COUNT.pack(count)
        return head + _sealed(self._received, _nonce(count), _COUNT.pack(sequence), head)


def kind(datagram: bytes) -> int | None:
    """What a datagram says that it is; None if it is none of ours."""
    if len(datagram) < _HEADER.size:
        return None
    magic, found = _HEADER.unpack_from(datagram)
    return int(found) if magic == MAGIC else None


def tag_of(datagram: bytes) -> bytes:
    """Which session a datagram of sound belongs to, as it says."""
    return datagram[_HEADER.size : _HEADER.size + TAG_BYTES]


def _nonce(count: int) -> bytes:
    return bytes(4) + _COUNT.pack(count)


def _sealed(aead: Any, nonce: bytes, body: bytes, head: bytes) -> bytes:
    sealed: bytes = aead.encrypt(nonce, body, head)
    return sealed


def _opened(aead: Any, nonce: bytes, sealed: bytes, head: bytes) -> bytes | None:
    from cryptography.exceptions import InvalidTag

    try:
        opened: bytes = aead.decrypt(nonce, sealed, head)
    except InvalidTag:
        return None
    return opened


def _aead(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _derived(key: bytes, salt: bytes, info: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), KEY_BYTES, salt, info).derive(key)
