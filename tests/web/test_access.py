"""Who may come in: what somebody on the network gets without a password, and what they get with one."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from select import select

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from starlette.requests import Request
from urllib3.exceptions import HTTPError

from monitor.config.web import WebConfig
from monitor.errors import StoreError
from monitor.web.access.keys import Keys, LoginSession
from monitor.web.access.passwords import (
    STRANGERS_FREE,
    PasswordGuard,
    TooManyTries,
    hashed,
    matches,
    new_code,
    same_code,
)
from monitor.web.access.visitors import Doorkeeper, Visitor
from monitor.web.http.routes import Route
from monitor.web.http.table import ROUTES
from testkit.fakes import FakeClock
from testkit.mosquitto import free_port
from testkit.noisy_house import until
from testkit.visit import Visit
from tests.web.conftest import Home, house, run

PASSWORD = "correct horse"
VIEWER = "battery staple"
OPEN = {"api/session", "api/health", "api/password"}


@pytest.fixture(scope="module", name="lan")
def _lan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Open to the network, with passwords."""
    port = free_port()
    web = {"host": "0.0.0.0", "password": PASSWORD, "viewer_password": VIEWER}
    visit = Visit(port, {"Host": f"nas.lan:{port}"})
    yield from run(tmp_path_factory.mktemp("lan"), house(port, web=web), visit)


def path_of(route: Route) -> str:
    return "/" + re.sub(r"\{\w+(:\w+)?\}", "000000000000", route.path)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_stranger_gets_nothing(lan, route):
    """Every route says 401 to whoever is not signed in, except those to sign in with and the bare health."""
    answer = lan.visit.ask(route.method, path_of(route), {})
    if route.path in OPEN:
        assert answer.status in (200, 204, 401, 403, 422, 503)
        assert b"kitchen" not in answer.body
    else:
        assert answer.status == 401
        assert answer.headers["content-type"] == "application/problem+json"


def test_health_without_a_password_is_a_bare_code(lan):
    """A watchdog learns that all is well, and nothing else."""
    answer = lan.visit.get("/api/health")
    assert (answer.status, answer.body) == (200, b"")


PATHS = [
    "/../web.db", "/%2e%2e/web.db", "/static/../page.py", "//etc/passwd", "/words/../words.json",
    "/api/events/..%2f..%2fweb.db/clip", "/api/events/%00/clip", "/api/../api/house", "/API/house",
    "/api/house/", "/.git/config", "/api//house", "/metrics/", "/app.js%00.html", "/api/house;x=1",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out(lan, path):
    """Files are found in a table made at the start: no path is ever opened."""
    answer = lan.visit.get(path)
    assert answer.status in (400, 401, 404, 307)
    assert b"kitchen" not in answer.body
    assert b"root:" not in answer.body


METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PRI", "get", "")
KNOWN_PART = st.sampled_from(
    [
        *{part for route in ROUTES for part in route.path.split("/")},
        "..",
        ".",
        "",
        "%2e%2e",
        "%00",
        "%",
        "\xff",
    ]
)
PART = KNOWN_PART | st.text(st.characters(codec="latin-1"), max_size=8)
KNOWN_HEADER = st.sampled_from(
    ["Host: localhost", "Host:", "X-Earwitness: 1", "Authorization: Bearer ew_x", "Cookie: earwitness=a; =",
     "X-Ingress-Path: /api/hassio_ingress/abcdefghijkl", "X-Remote-User-Id: 1", "X-Forwarded-For: 127.0.0.1",
     "Transfer-Encoding: chunked", "Content-Length: 3", "Content-Length: -1", "Range: bytes=0-",
     "Upgrade: websocket", "Connection: upgrade", "Expect: 100-continue", "Origin: null",
     "Origin: http://[", "Host: [", "X-Forwarded-Host: ]", "Sec-Fetch-Site: \xff", "If-None-Match: \xff"]
)  # fmt: skip
HEADER = KNOWN_HEADER | st.text(st.characters(codec="latin-1"), max_size=20)
PARTS = st.sampled_from([route.path.split("/") for route in ROUTES]) | st.lists(KNOWN_PART) | st.lists(PART)
HEADERS = st.lists(KNOWN_HEADER, max_size=4) | st.lists(HEADER, max_size=4)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.sampled_from(METHODS), PARTS, HEADERS, st.just(b"") | st.binary(max_size=9))
def test_whatever_a_stranger_sends_gets_nothing(lan, method, parts, headers, body):
    """Bytes on the socket, well formed or not: no room's name comes back, no fault of the daemon's; and not
    a line of its log is theirs."""
    head = "\r\n".join([f"{method} /{'/'.join(parts)} HTTP/1.1", *headers, "Connection: close", "", ""])
    with socket.create_connection(("127.0.0.1", lan.port), 60) as stranger:
        stranger.sendall(head.encode("latin-1") + body)
        # Who shuts his side at once gets no answer; only what is not finished is ended so.
        if not select([stranger], [], [], 0.3)[0]:
            stranger.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            answer = b"".join(iter(lambda: stranger.recv(65536), b""))
            assert not answer.startswith(b"HTTP/1.1 5"), answer
            assert b'"kitchen"' not in answer
    assert "Traceback" not in lan.log
    assert "HTTP" not in lan.log


def test_a_session_opens_the_page_and_its_role_is_kept(lan):
    """Who signs in with the viewers' password may look; with the house's, change things."""
    owner, viewer = lan.visit.signed_in(PASSWORD, "Anna"), lan.visit.signed_in(VIEWER)
    assert owner.get("/api/house").json()["may_change"] is True
    assert owner.get("/api/house").json()["name"] == "Anna"
    assert viewer.get("/api/house").json()["may_change"] is False
    assert viewer.ask("POST", "/api/sources/hall/mute", {"muted": True}).status == 403


def test_viewers_neither_hear_nor_see_spectrograms(lan):
    """Speech can be read back from a spectrogram."""
    owner, viewer = lan.visit.signed_in(PASSWORD), lan.visit.signed_in(VIEWER)
    lan.visit.headers["Cookie"] = owner.headers["Cookie"]
    event = next(one for one in lan.has_heard() if one["clip"])
    lan.visit.headers.pop("Cookie")
    for part in ("clip", "picture", "bundle"):
        assert owner.get(f"/api/events/{event['id']}/{part}").status == 200
        assert viewer.get(f"/api/events/{event['id']}/{part}").status == 403
    for part in ("scope", "audio"):
        assert viewer.get(f"/api/sources/hall/{part}").status == 403
    assert viewer.get("/api/export?format=zip").status == 403
    assert viewer.get("/api/export?format=csv").status == 200


def test_nobody_chooses_the_key_of_a_session(lan):
    """A key that was planted before signing in opens nothing afterwards (session fixation)."""
    planted = "a" * 43
    answer = lan.visit.ask(
        "POST", "/api/session", {"password": PASSWORD}, {"Cookie": f"earwitness={planted}"}
    )
    assert planted not in answer.headers["set-cookie"]
    assert lan.visit.get("/api/house", Cookie=f"earwitness={planted}").status == 401


def test_a_cookie_says_little_and_lives_under_its_prefix(lan):
    """Scripts cannot read it, other sites' requests do not carry it, and no path is named that a proxy would
    have to rewrite."""
    cookie = lan.visit.ask("POST", "/api/session", {"password": PASSWORD}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path" not in cookie


def test_signing_out_ends_the_session(lan):
    """The cookie opens nothing any more, wherever it was copied to."""
    owner = lan.visit.signed_in(PASSWORD)
    assert owner.ask("DELETE", "/api/session").status == 204
    assert owner.get("/api/house").status == 401


def test_another_page_cannot_act_for_somebody_who_is_signed_in(lan):
    """Without our header, from another origin, or across sites nothing is changed (CSRF)."""
    owner = lan.visit.signed_in(PASSWORD)
    forged = [
        {"X-Earwitness": "0"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ]
    for headers in forged:
        assert owner.ask("POST", "/api/sources/hall/mute", {"muted": True}, headers).status == 403, headers
    own = {"Origin": f"http://nas.lan:{lan.port}"}
    assert owner.ask("POST", "/api/sources/hall/mute", {"muted": False}, own).status == 204


def test_a_token_may_what_its_scope_says(lan):
    """A card reads, a script writes; both without a cookie and without our header; deleted, neither does."""
    owner = lan.visit.signed_in(PASSWORD)
    made = {
        scope: owner.ask("POST", "/api/tokens", {"name": scope, "scope": scope}).json()
        for scope in ("read", "write")
    }
    read, write = (
        Visit(lan.port, {"Authorization": f"Bearer {made[scope]['key']}", "X-Earwitness": ""})
        for scope in ("read", "write")
    )
    assert read.get("/api/house").status == 200
    assert read.ask("POST", "/api/sources/hall/mute", {"muted": False}).status == 403
    assert write.ask("POST", "/api/sources/hall/mute", {"muted": False}).status == 204
    assert made["read"]["key"] not in owner.get("/api/tokens").body.decode()
    assert owner.ask("DELETE", f"/api/tokens/{made['read']['id']}").status == 204
    assert read.get("/api/house").status == 401


def test_ten_thousand_wrong_passwords_find_nothing():
    """Each costs more than the one before: after the first five the wait doubles, up to five minutes."""
    clock, kept = FakeClock(), hashed("the right one")
    guard = PasswordGuard(clock)
    compared = 0
    for n in range(10_000):
        try:
            assert not guard.compare("10.0.0.66", f"wrong {n}", kept)
            compared += 1
        except TooManyTries:
            clock.advance(0.01)
    assert compared < 15
    assert guard.compare("10.0.0.7", "the right one", kept)


def test_the_guide_says_how_many_guesses_an_address_has():
    """Counted by somebody who tries again as soon as it is allowed, for two days."""
    clock, started_s = FakeClock(), 0.0
    guard, tries_s = PasswordGuard(clock), list[float]()
    while started_s < 2 * 86400:
        try:
            guard.admit("10.0.0.66")
        except TooManyTries as refused:
            clock.advance(refused.wait_s)
            started_s += refused.wait_s
            continue
        tries_s.append(started_s)
        guard.note("10.0.0.66", right=False)
    first = sum(at_s < 540 for at_s in tries_s)
    a_day = sum(at_s >= 86400 for at_s in tries_s)
    guide = " ".join((Path(__file__).parents[2] / "docs/guides/page.md").read_text().split())
    assert f"{first} tries in the first nine minutes and {a_day} a day after that" in guide


def tried(guard: PasswordGuard, address: str) -> bool:
    """Whether a wrong password of this address is compared now."""
    try:
        guard.admit(address)
    except TooManyTries:
        return False
    guard.note(address, right=False)
    return True


def far(n: int) -> str:
    return f"81.2.{n // 250}.{n % 250}"


def test_an_attacker_with_many_addresses_has_no_more_tries():
    """Ten thousand addresses try five passwords each: a hundred are compared, and then one a minute."""
    clock = FakeClock()
    guard = PasswordGuard(clock)
    assert sum(tried(guard, far(n // 5)) for n in range(50_000)) == STRANGERS_FREE
    clock.advance(86400)
    for n in range(STRANGERS_FREE):
        assert tried(guard, far(n))
    found = 0
    for n in range(24 * 60 * 4):
        clock.advance(15)
        found += tried(guard, far(n))
    assert found == 1440
    guide = " ".join((Path(__file__).parents[2] / "docs/guides/page.md").read_text().split())
    assert f"{STRANGERS_FREE} wrong passwords together, and {found:,} a day after that" in guide


def test_an_attacker_with_many_addresses_keeps_nobody_out():
    """Who has signed in before from there, who is in the house, and who sits at this machine come in."""
    clock, kept = FakeClock(), hashed("the right one")
    guard = PasswordGuard(clock)
    assert guard.compare("62.1.1.1", "the right one", kept)
    while tried(guard, far(int(clock.monotonic_s()))):
        clock.advance(1)
    for address in ("62.1.1.1", "192.168.1.9", "fd00::9", "127.0.0.1", "::1", "::ffff:10.0.0.8"):
        assert guard.compare(address, "the right one", kept)
    with pytest.raises(TooManyTries):
        guard.admit("62.1.1.2")


def test_a_house_full_of_hijacked_devices_keeps_this_machine_and_known_phones_in():
    """Its own network has a budget, too: 254 addresses of it are one attacker."""
    clock = FakeClock()
    guard = PasswordGuard(clock)
    guard.note("10.0.0.7", right=True)
    assert sum(tried(guard, f"10.0.1.{n % 254}") for n in range(1000)) == STRANGERS_FREE
    assert not tried(guard, "10.0.0.8")
    for address in ("10.0.0.7", "127.0.0.1", "62.1.1.1"):
        guard.admit(address)


def test_guessing_over_http_is_slowed_down(lan):
    """The sixth wrong password is not compared, and the answer says how long to wait."""
    answers = [
        lan.visit.ask("POST", "/api/session", {"password": f"wrong {n}"}, {"X-Forwarded-For": f"10.0.0.{n}"})
        for n in range(8)
    ]
    assert {answer.status for answer in answers} == {401, 429}
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_slow_and_large_bodies_are_given_up(lan):
    """A megabyte is enough for anything; and whoever sends nothing is hung up on."""
    large = lan.visit.ask("POST", "/api/session", b"x" * 1_100_000)
    assert large.status in (413, 429)
    with socket.create_connection(("127.0.0.1", lan.port), 20) as slow:
        slow.sendall(
            b"POST /api/session HTTP/1.1\r\nHost: x\r\nX-Earwitness: 1\r\nContent-Length: 50\r\n\r\n{"
        )
        assert slow.recv(100).startswith(b"HTTP/1.1 408")


def test_connections_that_ask_for_nothing_leave_the_daemon_its_files(lan):
    """The last of them is hung up on at once, while the first may still ask."""
    with ExitStack() as life:
        crowd = [
            life.enter_context(socket.create_connection(("127.0.0.1", lan.port), 60)) for _ in range(700)
        ]
        with suppress(ConnectionResetError):
            assert crowd[-1].recv(1) == b""
        assert select([crowd[0]], [], [], 0)[0] == []
    until(lambda: _answers(lan), "the page to answer again")
    assert lan.daemon.process.poll() is None


def _answers(home: Home) -> bool:
    with suppress(OSError, HTTPError):
        return home.visit.get("/api/health").status in (200, 503)
    return False


def test_nobody_can_frame_the_page(lan):
    """Not by an older browser either, and no script but our own runs (clickjacking, injection)."""
    policy = lan.visit.get("/").headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_loopback_is_only_trusted_when_nothing_stands_between(home):
    """Without a password this machine itself may do everything; a proxy on it, or a name that somebody points
    at it (DNS rebinding), is not this machine."""
    assert home.visit.get("/api/house").status == 200
    assert home.visit.get("/api/house", X_Forwarded_For="10.0.0.9").status == 401
    assert home.visit.get("/api/house", Forwarded="for=10.0.0.9").status == 401
    assert home.visit.get("/api/house", X_Real_IP="10.0.0.9").status == 401
    assert home.visit.get("/api/house", Host="evil.example").status == 401
    assert home.visit.get("/api/house", Host="localhost.evil.example").status == 401
    assert home.visit.get("/api/house", Sec_Fetch_Site="cross-site").status == 403


def asked(client: str, **headers: str) -> Request:
    """A request as it comes from an address."""
    lines = [(key.replace("_", "-").lower().encode(), value.encode()) for key, value in headers.items()]
    return Request({"type": "http", "client": (client, 1), "headers": lines, "scheme": "http", "path": "/"})


def test_a_proxy_is_believed_from_its_own_address_alone(tmp_path):
    """It says who somebody is, where they come from, and that they came by https; anybody else may say so."""
    proxy = {"header": "Remote-User", "addresses": ["10.0.0.2/32"], "admins": ["anna"]}
    config = WebConfig.model_validate({"host": "0.0.0.0", "password": PASSWORD, "proxy": proxy})
    said = {"Remote_User": "anna", "X_Forwarded_For": "1.2.3.4, 10.0.0.9", "X_Forwarded_Proto": "https"}
    with Keys(tmp_path, FakeClock()) as keys:
        doors = Doorkeeper(config, keys)
        proxied, other = asked("10.0.0.2", **said), asked("10.0.0.3", **said)
        assert doors.visitor(proxied) == Visitor("anna", "admin", "proxy")
        assert doors.visitor(asked("10.0.0.2", Remote_User="ben")) == Visitor("ben", "viewer", "proxy")
        assert (doors.address(proxied), doors.is_https(proxied)) == ("10.0.0.9", True)
        assert doors.visitor(other) is None
        assert (doors.address(other), doors.is_https(other)) == ("10.0.0.3", False)
        assert doors.visitor(asked("10.0.0.2", X_Forwarded_For="127.0.0.1")) is None


def test_keys_come_back_with_the_disk(tmp_path):
    """A disk that takes nothing at the start: nobody is let in, and the page needs no restart afterwards."""
    folder = tmp_path / "state"
    folder.write_text("in the way")
    with Keys(folder, FakeClock()) as keys:
        with pytest.raises(StoreError):
            keys.password("admin")
        folder.unlink()
        folder.mkdir()
        key = keys.open_session(LoginSession("anna", "admin"))
        assert keys.session(key) == LoginSession("anna", "admin")


def test_the_first_visitor_sets_the_password_with_the_code_from_the_log(tmp_path):
    """Whoever sees the log owns the house; nobody else can come first. Sessions survive a restart."""
    port = free_port()
    config = house(port, web={"host": "0.0.0.0"}, sources=[{"type": "demo", "name": "hall", "speech": False}])
    visit = Visit(port, {"Host": f"nas.lan:{port}"})
    for home in run(tmp_path, config, visit):
        assert visit.get("/api/session").json()["needs"] == "code"
        [code] = set(re.findall(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", home.log))
        wrong = visit.ask("PUT", "/api/password", {"password": PASSWORD, "code": "AAAA-AAAA-AAAA"})
        assert wrong.status == 403
        right = visit.ask("PUT", "/api/password", {"password": PASSWORD, "code": code.lower()})
        assert right.status == 200
        again = visit.ask("PUT", "/api/password", {"password": "another one", "code": code})
        assert again.status == 403
        owner = Visit(port, {**visit.headers, "Cookie": right.headers["set-cookie"].partition(";")[0]})
    for _ in run(tmp_path, config, visit):
        assert owner.get("/api/house").json()["may_change"] is True
        assert visit.get("/api/house").status == 401


def test_a_code_is_typed_as_people_type():
    """Case, dashes and spaces do not count."""
    code = new_code()
    assert same_code(code.lower().replace("-", " "), code)
    assert not same_code(code[:-1], code)


def test_a_password_is_kept_as_a_slow_digest():
    """Two digests of the same password differ, and a damaged one opens nothing."""
    assert hashed("same") != hashed("same")
    assert matches("same", hashed("same"))
    assert not matches("other", hashed("same"))
    assert not matches("same", "scrypt$broken")


def test_a_household_of_ipv6_addresses_is_one_guesser():
    """Every machine has 2^64 of them."""
    clock, guard = FakeClock(), None
    guard = PasswordGuard(clock)
    for n in range(5):
        guard.note(f"2001:db8::{n}", right=False)
    with pytest.raises(TooManyTries):
        guard.admit("2001:db8::ffff")
    guard.admit("2001:db8:1::1")
