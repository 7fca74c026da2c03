"""Who is asking, and whether it is really they: every request is judged here before anything is done."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from monitor.config.web import WebConfig
from monitor.web.access.keys import Keys, Role
from monitor.web.http.problems import Refusal

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

COOKIE = "earwitness"
OUR_HEADER = "x-earwitness"
INGRESS = "earwitness.ingress"
"""Set in the scope of what came in at the ingress listener."""
SAFE = frozenset({"GET", "HEAD"})
Via = Literal["here", "session", "token", "proxy", "ingress"]

_FORWARDED = ("forwarded", "via", "x-real-ip", "x-ingress-path", "cf-connecting-ip", "true-client-ip")
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_INGRESS_PATH = re.compile(r"/api/hassio_ingress/[A-Za-z0-9_-]{8,128}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who may look."""

    name: str
    role: Role
    via: Via

    @property
    def may_change(self) -> bool:
        """Whether they may change anything."""
        return self.role == "admin"


class Doorkeeper:
    """Knows visitors by their address, cookie, token, or the word of a proxy."""

    def __init__(self, config: WebConfig, keys: Keys) -> None:
        self._config = config
        self._keys = keys
        self._proxies = networks(config.proxy.addresses if config.proxy else ())

    def has_password(self, *, at_once: bool = False) -> bool:
        """Whether anybody has set one; without, only this machine itself may look."""
        return self._config.password is not None or self._keys.password("admin", at_once=at_once) is not None

    def visitor(self, ask: "HTTPConnection", *, at_once: bool = False) -> Visitor | None:
        """Who this is; None for a stranger. Raises StoreError; with `at_once` it waits for no disk and raises
        NotAtOnce."""
        if ask.scope.get(INGRESS):
            return _from_ingress(ask)
        authorization = ask.headers.get("authorization", "")
        if authorization[:7].lower() == "bearer ":
            return self._by_token(authorization[7:].strip(), at_once=at_once)
        if self._config.proxy and (name := ask.headers.get(self._config.proxy.header)) and self._trusts(ask):
            admins = self._config.proxy.admins
            return Visitor(name[:100], "viewer" if admins and name not in admins else "admin", "proxy")
        if key := ask.cookies.get(COOKIE):
            session = self._keys.session(key, at_once=at_once)
            if session:
                return Visitor(session.name, session.role, "session")
        return self._here(ask, at_once=at_once)

    def address(self, ask: "HTTPConnection") -> str:
        """Where a request comes from: as the trusted proxy says, if it came through that."""
        peer = ask.client.host if ask.client else "unknown"
        if self._trusts(ask) and (given := ask.headers.get("x-forwarded-for")):
            return given.rpartition(",")[2].strip()[:100] or peer
        return peer

    def is_https(self, ask: "HTTPConnection") -> bool:
        """Whether the browser came by https; a proxy that is not trusted cannot say so."""
        forwarded = self._trusts(ask) and ask.headers.get("x-forwarded-proto") == "https"
        return ask.url.scheme == "https" or forwarded

    def _here(self, ask: "HTTPConnection", *, at_once: bool) -> Visitor | None:
        """Without a password this machine itself may do everything. A proxy on it makes everyone loopback,
        and a page elsewhere can point a name of its own at it: neither is this machine itself."""
        if self.has_password(at_once=at_once) or not is_here(ask):
            return None
        return Visitor("", "admin", "here")

    def _by_token(self, key: str, *, at_once: bool) -> Visitor | None:
        token = self._keys.token(key, at_once=at_once)
        if token is None:
            self.has_password(
                at_once=at_once
            )  # what a stranger is asked for next, read while it may be waited
            return None
        return Visitor(token.name, "admin" if token.scope == "write" else "viewer", "token")

    def _trusts(self, ask: "HTTPConnection") -> bool:
        return ask.client is not None and is_within(ask.client.host, self._proxies)


def is_here(ask: "HTTPConnection") -> bool:
    """Whether the request comes from a browser on this machine that was pointed at this machine."""
    if ask.client is None or not _is_loopback(ask.client.host):
        return False
    if any(name.startswith("x-forwarded-") or name in _FORWARDED for name in ask.headers):
        return False
    return (host_name(ask.headers.get("host", "")) or "") in _LOCAL_NAMES


def check_origin(ask: "HTTPConnection", method: str, visitor: Visitor | None) -> None:
    """A page elsewhere must not act in the name of somebody who is signed in here. Raises Refusal.

    What changes something needs a header of ours, which no other page can send without our leave (CORS), and
    an `Origin` of our own. A token is not sent by browsers of themselves and needs neither.
    """
    if visitor is not None and visitor.via == "token":
        return
    if ask.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refusal(403, "another page asked for this; open the page itself")
    origin = ask.headers.get("origin")
    if origin is not None and _place(origin) not in _own_hosts(ask):
        raise Refusal(403, "another page asked for this; open the page itself")
    if method not in SAFE and ask.headers.get(OUR_HEADER) != "1":
        raise Refusal(403, "send the header X-Earwitness: 1 with everything that changes something")


def _own_hosts(ask: "HTTPConnection") -> set[str]:
    """`X-Forwarded-Host` counts: a proxy sets it, and no page elsewhere can."""
    return {ask.headers.get("host", "").lower(), ask.headers.get("x-forwarded-host", "").lower()} - {""}


def _place(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def host_name(host: str) -> str | None:
    """The name in a Host header, without its port; None when there is none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def is_within(address: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    """Whether an address lies in one of the networks."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in network for network in networks)


def networks(texts: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks that these texts name."""
    return [ipaddress.ip_network(text) for text in texts]


def _is_loopback(address: str) -> bool:
    return is_within(address, networks(("127.0.0.0/8", "::1/128")))


def _from_ingress(ask: "HTTPConnection") -> Visitor | None:
    """Home Assistant has checked who this is, and shows the page to its administrators alone (`panel_admin`)
    unless set otherwise; only with both headers is it they."""
    if not _INGRESS_PATH.fullmatch(ask.headers.get("x-ingress-path", "")):
        return None
    name = ask.headers.get("x-remote-user-display-name") or ask.headers.get("x-remote-user-name") or ""
    known = bool(ask.headers.get("x-remote-user-id"))
    return Visitor(name[:100], "admin" if known else "viewer", "ingress")
