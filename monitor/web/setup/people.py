"""Who is notified: services on the network that a person names, tested before anybody relies on them."""

import secrets
from typing import Annotated, Literal
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import Field

from monitor.clock import Clock
from monitor.notifiers.apprise import NotifyConfig
from monitor.publishers.base import DELIVERED, Failed, PublishOutcome
from monitor.schema import Secret
from monitor.types import Alert, SoundEvent, new_id
from monitor.web.model import Model
from monitor.web.words import sentence

NTFY = "ntfy.sh"
SCHEMES = frozenset({
    "ntfy", "ntfys", "tgram", "pover", "mailto", "mailtos", "gotify", "gotifys", "signal", "signals",
    "matrix", "matrixs", "discord", "slack", "hassio", "hassios", "pbul", "sns", "twilio", "threema",
    "zulip", "mmost", "mmosts", "rocket", "rockets", "prowl", "bark", "barks",
})  # fmt: skip
"""What may be named here: services that bring a message to a person over the network. Apprise has others that
act on this machine itself or send a request anywhere, and those belong into the configuration."""
_OF_FILES = ("file", "key", "template", "pgp", "path", "cert", "image", "attach", "config", "include")


class NewPerson(Model):
    """Whom to notify, and over what."""

    service: Literal["ntfy", "telegram", "apprise"]
    server: Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9.:-]*$")] = NTFY
    """Of ntfy."""
    topic: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_-]*$")] = ""
    """Of ntfy; by default one that nobody guesses."""
    token: Annotated[str, Field(max_length=200)] = ""
    """Of Telegram's bot."""
    chat: Annotated[str, Field(max_length=40, pattern=r"^-?\d*$")] = ""
    """Of Telegram."""
    address: Annotated[str, Field(max_length=500)] = ""
    """Of Apprise, such as `pover://user@token`."""


def new_topic() -> str:
    """A topic of ntfy that nobody guesses: whoever knows it reads along."""
    return f"earwitness-{secrets.token_urlsafe(9).replace('_', 'x').replace('-', 'y')}"


def address_of(wanted: NewPerson, language: str) -> str:
    """As an address of Apprise. Raises ValueError with the fix, in this language."""
    match wanted.service:
        case "ntfy":
            return f"ntfys://{wanted.server or NTFY}/{wanted.topic or new_topic()}"
        case "telegram":
            if not wanted.token or not wanted.chat:
                raise ValueError(sentence("setup.telegram_needs", language))
            return f"tgram://{quote(wanted.token, safe=':')}/{wanted.chat}/"
        case "apprise":
            return _checked(wanted.address.strip(), language)


def _checked(address: str, language: str) -> str:
    scheme = address.partition("://")[0].lower()
    if scheme not in SCHEMES or any(letter.isspace() for letter in address):
        known = ", ".join(sorted(SCHEMES))
        raise ValueError(sentence("setup.address_begins", language, known=known))
    if any(_may_name_a_file(key, value) for key, value in parse_qsl(urlsplit(address).query)):
        raise ValueError(sentence("setup.address_of_file", language))
    if NotifyConfig(urls=[Secret(address)]).not_understood():
        raise ValueError(sentence("setup.address_unknown", language))
    return address


def _may_name_a_file(key: str, value: str) -> bool:
    """Some services read keys, templates or pictures from a file of this machine that the address names."""
    return any(word in key.lower() for word in _OF_FILES) or bool(set(value) & set("/\\"))


def send_test(address: str, node: str, language: str, clock: Clock) -> str:
    """Send one message, and return why it could not be; empty when its receiver took it. Blocks for ten
    seconds at most."""
    config = NotifyConfig(name="setup", urls=[Secret(address)])
    found: list[PublishOutcome] = []
    with config.build(clock)[0] as receiver:
        receiver.publish(_alert(node, language, clock), found.append)
    outcome = found[0] if found else Failed("no answer")
    return "" if outcome is DELIVERED or not isinstance(outcome, Failed) else outcome.reason


def _alert(node: str, language: str, clock: Clock) -> Alert:
    now = clock.now()
    event = SoundEvent(
        id=new_id(), label="doorbell", source="test", state="started", certainty="confirmed",
        started_at=now, at=now, score=1.0, classifier="test", evidence={"test": True},
    )  # fmt: skip
    message = sentence("setup.test_message", language)
    return Alert(new_id(), node, "info", (event,), now, message, why={}, test=True)
