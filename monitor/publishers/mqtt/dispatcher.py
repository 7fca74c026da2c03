"""Sends over one connection what waits: alerts first, nothing larger than the broker takes."""

from monitor.clock import Clock
from monitor.logs import get_logger
from monitor.publishers.base import DELIVERED, Refused
from monitor.publishers.mqtt.acceptance.complaints import Complaints
from monitor.publishers.mqtt.acceptance.echo import Echo
from monitor.publishers.mqtt.acceptance.size import SwallowedStates
from monitor.publishers.mqtt.acceptance.suspects import Suspects
from monitor.publishers.mqtt.homeassistant.announcer import Announcer
from monitor.publishers.mqtt.homeassistant.original import QUESTION
from monitor.publishers.mqtt.homeassistant.watch import HomeAssistantWatch
from monitor.publishers.mqtt.news import Acknowledged, Received, TooLarge, Unsendable, packet_bytes
from monitor.publishers.mqtt.queue import Publication, PublishQueue, QueuedState
from monitor.publishers.mqtt.session import Session
from monitor.publishers.mqtt.topics import Topics
from monitor.types import Alert

log = get_logger()


class Dispatcher:
    """In the connection's thread."""

    def __init__(
        self,
        outgoing: PublishQueue,
        echo: Echo,
        watch: HomeAssistantWatch,
        complaints: Complaints,
        announcer: Announcer,
        clock: Clock,
        topics: Topics,
        discovery_prefix: str,
    ) -> None:
        self.suspects = Suspects()
        self._swallowed = SwallowedStates(topics, discovery_prefix, self.suspects, complaints)
        self._named_bytes: int | None = None
        self.largest_packet_bytes: int | None = None
        """What the broker takes, as it says or as was found out; None: any size."""
        self._outgoing = outgoing
        self._echo = echo
        self._watch = watch
        self._complaints = complaints
        self._announcer = announcer
        self._clock = clock

    def begin(self, session: Session) -> float:
        """A new connection: the seconds until documents go out."""
        self._named_bytes = session.largest_packet
        self._swallowed.echo.begin(active=self._echo.active)
        wait_s = self._announcer.connected(self._clock.monotonic_s())
        self.review(session)
        return wait_s

    def review(self, session: Session) -> float:
        """Keep to what the broker takes; the seconds until it is to be looked at again."""
        self._swallowed.review(self._clock.monotonic_s())
        limits = [each for each in (self._named_bytes, self.suspects.limit_bytes) if each is not None]
        session.largest_packet = self.largest_packet_bytes = min(limits, default=None)
        self._announcer.fit(session.largest_packet)
        return self._look(session, self._clock.monotonic_s())

    def _look(self, session: Session, now_s: float) -> float:
        """See whether another has the ids under which we announce; the seconds until there is more to do."""
        if filters := self._announcer.filters(now_s):
            session.subscribe(*filters)
        if topic := self._announcer.question(now_s):
            session.send(topic, QUESTION, retain=False)
        before = self._announcer.copied_from
        pause_s = self._announcer.look(now_s)
        if self._announcer.is_looking:
            self._watch.waits(now_s)
        if self._announcer.copied_from != before:
            self._watch.is_new()
        return pause_s

    def acknowledged(self, news: Acknowledged) -> None:
        """The broker has the message."""
        self.suspects.acknowledged(news.number, too_large=news.too_large)
        self._swallowed.echo.acknowledged(news.number, self._clock.monotonic_s())

    def is_echo(self, message: Received) -> bool:
        """Whether it is a state of ours that has come back, and nothing else."""
        if not self._swallowed.echo.follows(message.topic):
            return False
        self._swallowed.came_back(message.topic, message.payload)
        return True

    def denied(self, topic_filter: str) -> bool:
        """We may not read there: whether only an echo, or a word of another daemon, was expected."""
        if self._announcer.asks(topic_filter):
            return True
        echo: Echo = self._echo if topic_filter in self._echo.filters else self._swallowed.echo
        echo.denied(topic_filter)
        return echo is self._echo or self._swallowed.echo.follows(topic_filter)

    def send_waiting(self, session: Session) -> None:
        """As much as may be on its way: alerts, then states, and events once those had time to be read."""
        while self._has_room(session) and (each := self._outgoing.next_publication(alerts_only=True)):
            self._send(session, each)
        while self._has_room(session) and (state := self._outgoing.next_state()):
            self._publish_state(session, state)
        while self._has_room(session) and self._watch.settled and (each := self._outgoing.next_publication()):
            self._send(session, each)
        if session.idle:
            self.suspects.drained()

    def ended(self) -> None:
        """The connection is gone."""
        guilty = self.suspects.ended(self._clock.monotonic_s())
        if guilty is not None:
            self._complaints.hung_up_on(guilty.topic, guilty.size_bytes, self.suspects.limit_bytes)

    def _has_room(self, session: Session) -> bool:
        return session.idle if self.suspects.one_by_one else session.room > 0

    def _publish_state(self, session: Session, state: QueuedState) -> None:
        if self.suspects.is_aside(state.key, self._clock.monotonic_s()):
            self._outgoing.settled()
            return
        is_watched = self._swallowed.watches(state.topic, state.payload)
        if is_watched and self._swallowed.echo.asks(state.topic):
            session.subscribe(state.topic)
        try:
            number = session.send(state.topic, state.payload, retain=True)
        except Unsendable as error:
            self._outgoing.settled()
            self._complaints.unsendable(state.topic, error)
        else:
            self._outgoing.state_sent(number, state)
            size_bytes = packet_bytes(state.topic, state.payload)
            self.suspects.sent(number, state.key, state.topic, size_bytes)
            if is_watched:
                self._swallowed.echo.sent(number, state.topic, state.payload)

    def _send(self, session: Session, publication: Publication) -> None:
        topic = publication.topic
        if self.suspects.is_aside(publication.key, self._clock.monotonic_s()):
            self._outgoing.settled()
            publication.done(Refused("the broker hung up on it twice; it is set aside for an hour"))
            return
        try:
            number, payload = self._fitting(session, publication)
        except TooLarge as error:
            self._outgoing.settled()
            self._complaints.too_large(topic, error)
            publication.done(Refused(str(error)))
        except Unsendable:
            # As in the sender: stopping for one message would silence the alarms behind it at every start.
            self._outgoing.settled()
            log.exception("cannot be published and is given up", id=publication.message.id, topic=topic[:100])
            publication.done(DELIVERED)
        else:
            publication.sent_bytes = len(payload)
            self._outgoing.sent(number, publication)
            self.suspects.sent(number, publication.key, topic, packet_bytes(topic, payload))
            self._echo.sent(number, topic, payload)
            if isinstance(publication.message, Alert) and not publication.message.is_chain_test:
                self._watch.sent_alert(self._clock.now())

    def _fitting(self, session: Session, publication: Publication) -> tuple[int, bytes]:
        """Send it: its number and what was sent. Raises Unsendable."""
        topic, error = publication.topic, TooLarge()
        for payload in publication.payloads(self._clock.now(), self._clock.monotonic_s()):
            try:
                return session.send(topic, payload, retain=False), payload
            except TooLarge as too_large:
                error = too_large
        raise error
