"""Takes a node that is no more off a broker: its devices in Home Assistant, and what the broker keeps."""

import socket
import time
from dataclasses import replace
from typing import Self

from monitor.errors import PublishError
from monitor.publishers.mqtt.homeassistant.discovery import ours, parsed
from monitor.publishers.mqtt.news import Accepted, Address, Denied, Ended, MqttVersion, News, Received
from monitor.publishers.mqtt.options import MqttOptions
from monitor.publishers.mqtt.session import Session
from monitor.publishers.mqtt.topics import Topics
from monitor.types import new_id

PATIENCE_S = 30.0
"""What a broker gets for each step."""
STEP_S = 1.0


class Forgetting:
    """One connection to a broker, open inside the `with` block; one thread. Raises PublishError where the
    broker does not let us in, and when it does not answer for 30 s."""

    def __init__(self, broker: MqttOptions, node: str) -> None:
        self.is_running = False
        """Whether a daemon of this node is connected: what is removed would come back at once."""
        self._topics = Topics(broker.topic_prefix, node)
        self._discovery_prefix = broker.discovery_prefix
        address = broker.address(node, f"{broker.topic_prefix}/{node}/forgetting")
        version: MqttVersion = "5" if broker.protocol == "5" else "3.1.1"
        self._session = Session(_under_another_name(address), version)
        self._bell, self._other_end = socket.socketpair()
        self._place = str(address)

    def __enter__(self) -> Self:
        try:
            self._session.open(self._bell)
        except OSError as error:
            self._close()
            raise PublishError(f"{self._place}: {error}") from error
        try:
            self._wait_until_accepted()
        except PublishError:
            self._close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._session.leave()
        self._close()

    def found(self) -> list[str]:
        """The topics of the node that the broker keeps something on, documents first."""
        self._session.subscribe(f"{self._discovery_prefix}/device/+/config", f"{self._topics.root}/#")
        # What a broker keeps comes before what is published after we asked for it.
        end = f"{self._topics.root}/forgetting/{new_id()}"
        self._session.send(end, b"", retain=False)
        documents: list[str] = []
        states: list[str] = []
        is_all, until_s = False, time.monotonic() + PATIENCE_S
        while not is_all and time.monotonic() < until_s:
            for news in self._step(STEP_S):
                if not isinstance(news, Received):
                    continue
                is_all |= news.topic == end
                if not news.retained:
                    continue
                if news.topic.startswith(f"{self._topics.root}/"):
                    states.append(news.topic)
                    self.is_running |= (news.topic, news.payload) == (self._topics.status, b"online")
                elif (document := parsed(news.payload)) and ours(document, self._topics):
                    documents.append(news.topic)
        return [*sorted(documents), *sorted(states)]

    def forget(self, topics: list[str]) -> None:
        """Remove what the broker keeps there. Returns when it has acknowledged all of it."""
        waiting = list(topics)
        until_s = time.monotonic() + PATIENCE_S
        while waiting or not self._session.idle:
            while waiting and self._session.room > 0:
                self._session.send(waiting.pop(0), b"", retain=True)
            if self._step(STEP_S):
                until_s = time.monotonic() + PATIENCE_S
            self._check(until_s)

    def _wait_until_accepted(self) -> None:
        until_s = time.monotonic() + PATIENCE_S
        while not any(isinstance(news, Accepted) for news in self._step(STEP_S)):
            self._check(until_s)

    def _check(self, until_s: float) -> None:
        if time.monotonic() > until_s:
            raise PublishError(f"{self._place}: the broker does not answer")

    def _step(self, timeout_s: float) -> list[News]:
        news = self._session.step(self._bell, timeout_s)
        for each in news:
            if isinstance(each, Ended):
                raise PublishError(f"{self._place}: {each.reason}")
            if isinstance(each, Denied):
                raise PublishError(
                    f"{self._place}: this user may not read {each.topic_filter}: {each.reason}"
                )
        return news

    def _close(self) -> None:
        self._session.close()
        self._bell.close()
        self._other_end.close()


def _under_another_name(address: Address) -> Address:
    """A client of the same name would throw out the daemon that uses it."""
    return replace(address, client_id=f"earwitness-{new_id()}")
