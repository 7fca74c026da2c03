"""A connection to an MQTT broker that is kept up: one thread that connects, talks, and connects again."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Literal, Protocol

from monitor.clock import Backoff, length_in_words
from monitor.logs import get_logger
from monitor.publishers.mqtt.acceptance.twins import Twins
from monitor.publishers.mqtt.news import (
    Accepted,
    Acknowledged,
    Address,
    Denied,
    Ended,
    MqttVersion,
    News,
    Received,
)
from monitor.publishers.mqtt.session import Session
from monitor.publishers.mqtt.versions import Versions
from monitor.publishers.terminal.reminder import Reminder

log = get_logger()

SAY_SILENT_S = 3.0
"""How long the last version that is tried may stay unanswered before that is logged."""
UNACKNOWLEDGED_S = 30.0
"""A broker that answers pings and acknowledges nothing for this long is left and met anew."""
UNANSWERED_S = 5.0
"""One that does not answer at all is left sooner: an alert may be on its way to nobody."""
FAREWELL_S = 1.5
STABLE_S = 10.0
"""A connection that lasted this long begins its next back-off at the quick end."""

QUICKEST_RETRY_S = 0.5
SLOWEST_RETRY_S = 4.0
REFUSED_RETRY_S = (30.0, 60.0)
TRUSTED_FOR_S = 120.0
"""A broker that took us before and refuses us now may just be starting (Home Assistant's own asks Home
Assistant who we are): for this long it is asked at the usual pace, before the slow one begins."""

_SILENT = Ended("silent", "it takes the connection and does not answer; is this an MQTT broker?")


class Handler(Protocol):
    """Who talks over the link. Every method is called in the link's thread and must not block."""

    def connected(self, session: Session) -> None:
        """A new connection: everything must be published and subscribed anew."""

    def received(self, message: Received) -> None:
        """A message of a subscribed topic."""

    def denied(self, news: Denied) -> bool:
        """The broker does not let us subscribe: whether that is dealt with."""

    def acknowledged(self, news: Acknowledged) -> None:
        """The broker has taken or refused a message."""

    def pump(self, session: Session) -> float:
        """Send what waits while the session has room; the seconds after which to be asked again."""

    def farewell(self, session: Session) -> None:
        """The link is closing: the last words. `pump` has sent what it could."""

    def lost(self) -> None:
        """The connection is gone; what was not acknowledged may not have arrived."""

    def failed(self) -> None:
        """A bug has ended the thread: `Connection.check` raises it."""


class Connection:
    """Keeps a session up, and logs each change of its state once."""

    def __init__(
        self,
        address: Address,
        party: Handler,
        version: MqttVersion | Literal["auto"] = "auto",
        remind: Callable[[float], Reminder] = Reminder,
    ) -> None:
        self._address = address
        self._party = party
        self._remind = remind
        self._reminder: Reminder | None = None
        self._versions = Versions(version)
        self._bell_r: socket.socket | None = None
        self._bell_w: socket.socket | None = None
        self._stopping = threading.Event()
        self._state = ""
        self._twins = Twins(address.client_id)
        self._network = Backoff(QUICKEST_RETRY_S, SLOWEST_RETRY_S)
        self._refusal = Backoff(*REFUSED_RETRY_S)
        self._refused_since_s: float | None = None
        self._was_accepted = False
        self._is_unheard = False
        self._bug: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._bell_r, self._bell_w = socket.socketpair()
        self._bell_r.setblocking(False)
        self._bell_w.setblocking(False)
        self._thread.start()

    def wake(self) -> None:
        """There is something to send. Any thread."""
        try:
            if self._bell_w is not None:
                self._bell_w.send(b"!")
        except (BlockingIOError, OSError):
            pass  # it rings already, or the link is closed

    def stop(self, within_s: float = 2.0) -> None:
        """Take leave and close. An attempt to connect that still hangs is left behind and ends by itself."""
        self._stopping.set()
        self.wake()
        self._thread.join(within_s)

    def twin(self) -> str:
        """What is wrong if another client has our name, else nothing. Any thread."""
        return self._twins.note

    def check(self) -> None:
        """Raises what ended the thread before its time. Any thread."""
        if self._bug is not None:
            raise self._bug

    def _run(self) -> None:
        try:
            self._keep_up()
        except BaseException as bug:  # noqa: BLE001 - the one place of this thread: the sender gets the bug
            self._bug = bug
            self._party.failed()

    def _keep_up(self) -> None:
        assert self._bell_r is not None
        assert self._bell_w is not None
        with self._bell_r, self._bell_w:
            while not self._stopping.is_set():
                began_s = time.monotonic()
                ended = self._converse(self._bell_r)
                if self._stopping.is_set() or self._versions.ended(ended):
                    continue
                self._log_ended(ended)
                self._stopping.wait(self._pause_s(ended, time.monotonic() - began_s))

    def _converse(self, bell: socket.socket) -> Ended:
        """One session, from its first word to its end."""
        session = Session(self._address, self._versions.current, self._versions.terms)
        began_s = time.monotonic()
        try:
            session.open(bell)
            ended = self._talk(session, bell)
            taken, idle = session.accepted, session.idle
            return self._twins.ended(ended, time.monotonic() - began_s, was_taken=taken, was_idle=idle)
        except (OSError, UnicodeError) as error:  # a host name that no resolver takes is a UnicodeError
            return Ended("lost", _fix(error))
        finally:
            if session.accepted:
                self._party.lost()
            session.close()

    def _talk(self, session: Session, bell: socket.socket) -> Ended:
        began_s = time.monotonic()
        timeout_s = 1.0
        while not self._stopping.is_set():
            for news in session.step(bell, timeout_s):
                if isinstance(news, Ended):
                    return news
                self._take(news, session)
            if session.accepted:
                self._twins.lasts(time.monotonic() - began_s)
                timeout_s = min(self._party.pump(session), 1.0)
            elif time.monotonic() > began_s + self._versions.patience_s:
                return _SILENT
            elif self._versions.is_last and time.monotonic() > began_s + SAY_SILENT_S:
                self._log_ended(_SILENT)
            if session.unanswered_s > UNANSWERED_S:
                return Ended("lost", "it no longer answers")
            if session.unacknowledged_s > UNACKNOWLEDGED_S:
                return Ended("lost", "it no longer acknowledges")
        self._take_leave(session, bell)
        session.leave()
        return Ended("lost", "closed")

    def _take(self, news: News, session: Session) -> None:
        match news:
            case Accepted():
                self._log_connected()
                self._party.connected(session)
            case Received():
                self._party.received(news)
            case Acknowledged():
                self._party.acknowledged(news)
            case Denied(reason):
                if not self._party.denied(news):
                    self._log_unheard(reason)

    def _take_leave(self, session: Session, bell: socket.socket) -> None:
        """Send what waits, the last words, and wait for their acknowledgement, all within FAREWELL_S."""
        until_s = time.monotonic() + FAREWELL_S
        spoken = False
        while session.accepted and time.monotonic() < until_s:
            self._party.pump(session)
            if not spoken and session.room:
                self._party.farewell(session)
                spoken = True
            for news in session.step(bell, 0.1):
                if isinstance(news, Ended):
                    return
                self._take(news, session)
            if spoken and session.idle:
                return

    def _log_connected(self) -> None:
        self._was_accepted = True
        self._versions.accepted()
        self._refused_since_s = None
        self._state = "connected"
        self._reminder = None
        log.info("mqtt connected", broker=str(self._address), version=self._versions.current)

    def _log_unheard(self, reason: str) -> None:
        if not self._is_unheard:
            self._is_unheard = True
            fix = "allow this user to read the topics in docs/reference/mqtt.md in the broker's access list"
            log.warning("mqtt broker does not let us receive commands", reason=reason, fix=fix)

    def _log_ended(self, ended: Ended) -> None:
        """Log that the broker is lost or refuses us: once, and again ever more seldom while it lasts."""
        state = "refused" if ended.kind == "refused" else "lost"
        fix = ended.fix or (self._credentials_fix() if state == "refused" else "")
        reason = f"{ended.reason}; {fix}" if fix else ended.reason
        now_s = time.monotonic()
        if state != self._state or self._reminder is None:
            self._state = state
            self._reminder = self._remind(now_s)
            log.warning(f"mqtt {state}", broker=str(self._address), reason=reason)
        elif self._reminder.due(now_s):
            length = length_in_words(now_s - self._reminder.since_s)
            log.warning(f"mqtt still {state}", broker=str(self._address), reason=reason, lasting=length)

    def _credentials_fix(self) -> str:
        keys = "`username` and `password` of the mqtt publisher in the configuration"
        return f"set {keys}" if self._address.username is None else f"check {keys}"

    def _pause_s(self, ended: Ended, lasted_s: float) -> float:
        """How long to wait before the next attempt."""
        if lasted_s > STABLE_S:
            self._network.reset()
            self._refusal.reset()
        is_refused = ended.kind == "refused" and not self._may_be_starting()
        return (self._refusal if is_refused else self._network).next_s()

    def _may_be_starting(self) -> bool:
        now_s = time.monotonic()
        if self._refused_since_s is None:
            self._refused_since_s = now_s
        return self._was_accepted and now_s - self._refused_since_s < TRUSTED_FOR_S


def _fix(error: OSError | UnicodeError) -> str:
    """What went wrong and what to do, without credentials."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); check tls.ca_file and host"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason}); check port and the tls block of the mqtt publisher"
    if isinstance(error, socket.gaierror | UnicodeError):
        return "its name cannot be resolved; check host"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there; check host and port, and that the broker runs"
    return str(error) or type(error).__name__
