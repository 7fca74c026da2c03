"""Passwords: how they are kept, how they are compared, and how guessing is slowed down."""

import hashlib
import hmac
import ipaddress
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

from monitor.clock import Clock

SHORTEST = 8
"""NIST SP 800-63B-4 asks for 8 characters at least, and for no rules about which."""
LONGEST = 200
FREE_TRIES = 5
"""A person mistypes; from then on each wrong one doubles the wait."""
LONGEST_WAIT_S = 300.0
KNOWN_ADDRESSES = 4096
STRANGERS_FREE, STRANGERS_EVERY_S = 100, 60.0
"""Wrong ones that all addresses from which nobody has ever signed in have together, and how often they get
another: an attacker with many addresses has no more than one with five. Chosen: a family forgets no password
a hundred times in an hour and a half."""
THIS_MACHINE = "127.0.0.1"
WAITING_TRIES = 4
"""Comparisons that may wait for their turn: each takes 16 MB and some 50 ms of a core, one at a time."""
_N, _R, _P = 2**14, 8, 1
"""OWASP's least for scrypt would be 2**17 and 128 MB, which a Raspberry Pi under alarm has not to spare."""
_CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


class TooManyTries(Exception):
    """Not compared: wait `wait_s` first."""

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = wait_s


def hashed(password: str) -> str:
    """`password` as it is kept: scrypt (RFC 7914) with a salt of its own."""
    salt = secrets.token_bytes(16)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${_scrypt(password, salt, _N, _R, _P).hex()}"


def matches(password: str, kept: str) -> bool:
    """Whether `kept` was made of `password`; takes the same time either way."""
    try:
        _, n, r, p, salt, digest = kept.split("$")
        found = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    except ValueError:
        return False
    return hmac.compare_digest(found.hex(), digest)


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(errors="replace"), salt=salt, n=n, r=r, p=p, dklen=32)


def new_code() -> str:
    """A one-time code for the first visit: 12 letters that nobody takes for one another, 59 bits."""
    letters = [secrets.choice(_CODE_LETTERS) for _ in range(12)]
    return "-".join("".join(letters[n : n + 4]) for n in (0, 4, 8))


def same_code(given: str, code: str) -> bool:
    """Whether somebody typed the code; dashes, spaces and case do not count."""
    plain = "".join(given.upper().split()).replace("-", "")
    return hmac.compare_digest(plain.encode(errors="replace"), code.replace("-", "").encode())


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    not_before_s: float = 0.0


class _Budget:
    """Wrong passwords that many addresses have together: so many at once, and another every so often."""

    def __init__(self, now_s: float) -> None:
        self._left = float(STRANGERS_FREE)
        self._at_s = now_s

    def wait_s(self, now_s: float) -> float:
        """How long until there is one left; 0 where there is."""
        earned = (now_s - self._at_s) / STRANGERS_EVERY_S
        self._left, self._at_s = min(self._left + earned, STRANGERS_FREE), now_s
        return max(0.0, (1 - self._left) * STRANGERS_EVERY_S)

    def spend(self) -> None:
        """One was wrong."""
        self._left = max(0.0, self._left - 1)


class PasswordGuard:
    """Slows down who guesses: per address, all strangers together, and one comparison at a time. From any
    thread.

    A stranger is an address from which nobody has signed in since the start. Those of the house's own network
    and those of the internet have a budget each, so that nobody out there keeps the owner at home out; an
    address from which somebody has signed in, and this machine itself, wait for nobody else.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._strangers = {near: _Budget(clock.monotonic_s()) for near in (True, False)}
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._waiting = 0

    def compare(self, address: str, password: str, kept: str) -> bool:
        """Whether the password is right. Raises TooManyTries when this address, or everybody like it, must
        wait."""
        self.admit(address)
        with self._lock:
            if self._waiting >= WAITING_TRIES:
                raise TooManyTries(1.0)
            self._waiting += 1
        try:
            with self._turn:
                right = matches(password, kept)
        finally:
            with self._lock:
                self._waiting -= 1
        self.note(address, right=right)
        return right

    def admit(self, address: str) -> None:
        """Raises TooManyTries while the address has to wait."""
        key, now_s = _network(address), self._clock.monotonic_s()
        with self._lock:
            tries = self._tries.get(key)
            wait_s = tries.not_before_s - now_s if tries else 0.0
            if self._is_stranger(key):
                wait_s = max(wait_s, self._strangers[_is_near(key)].wait_s(now_s))
        if wait_s > 0:
            raise TooManyTries(wait_s)

    def note(self, address: str, *, right: bool) -> None:
        """What came of a try."""
        key = _network(address)
        with self._lock:
            if right:
                self._tries.pop(key, None)
                self._known[key] = None
                self._known.move_to_end(key)
                while len(self._known) > KNOWN_ADDRESSES:
                    self._known.popitem(last=False)
                return
            if self._is_stranger(key):
                self._strangers[_is_near(key)].spend()
            tries = self._tries.setdefault(key, _Tries())
            self._tries.move_to_end(key)
            tries.wrong += 1
            if tries.wrong >= FREE_TRIES:
                wait_s = min(2.0 ** (tries.wrong - FREE_TRIES), LONGEST_WAIT_S)
                tries.not_before_s = self._clock.monotonic_s() + wait_s
            while len(self._tries) > KNOWN_ADDRESSES:
                self._tries.popitem(last=False)

    def _is_stranger(self, key: str) -> bool:
        return key not in self._known and key != THIS_MACHINE


def _is_near(key: str) -> bool:
    """Whether it is an address of a house's own network, as far as an address shows."""
    try:
        return ipaddress.ip_network(key).is_private
    except ValueError:
        return False


def _network(address: str) -> str:
    """One household: an IPv4 address, or the /64 in which every machine of IPv6 can take any address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.is_loopback:
        return THIS_MACHINE
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
    return address
