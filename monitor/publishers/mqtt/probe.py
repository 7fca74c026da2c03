"""Who answers where an MQTT broker should be: asked before a first run, and by set-up."""

import socket
import time
from typing import Literal

from monitor.publishers.mqtt.news import Accepted, Address, Ended
from monitor.publishers.mqtt.session import Session
from monitor.types import new_id

BrokerFound = Literal["takes us", "wants a password", "no broker", "nobody"]
PATIENCE_S = 2.0


def ask(
    host: str,
    port: int,
    within_s: float = PATIENCE_S,
    username: str | None = None,
    password: str | None = None,
) -> BrokerFound:
    """Connect, by default without a name, in MQTT 3.1.1, which every broker speaks. Blocks for `within_s`
    after the connection at most."""
    address = Address(host, port, f"earwitness-{new_id()}", None, username, password)
    session = Session(address, "3.1.1")
    bell, other_end = socket.socketpair()
    with bell, other_end:
        try:
            session.open(bell)
            return _answer(session, bell, within_s)
        except OSError:
            return "nobody"
        finally:
            session.close()


def _answer(session: Session, bell: socket.socket, within_s: float) -> BrokerFound:
    until_s = time.monotonic() + within_s
    while (left_s := until_s - time.monotonic()) > 0:
        for news in session.step(bell, left_s):
            if isinstance(news, Accepted):
                session.leave()
                return "takes us"
            if isinstance(news, Ended):
                return "wants a password" if news.kind == "refused" else "no broker"
    return "no broker"
