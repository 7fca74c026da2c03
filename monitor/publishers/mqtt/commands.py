"""What others may ask of us over MQTT, checked before anybody acts on it."""

import json
import math
import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType

from monitor.clock import Clock
from monitor.labels import sounds
from monitor.logs import get_logger
from monitor.publishers.mqtt.topics import Topics
from monitor.schema import plain_number, plain_text
from monitor.types import HOUSE, Command

log = get_logger()

LARGEST_PAYLOAD_BYTES = 256
LOG_AGAIN_AFTER_S = 60.0
_ID = re.compile(r"[0-9a-f]{12}")


class InvalidCommand(Exception):
    """Not a command that we take; the message is one of a few fixed reasons, never the payload."""


class CommandReader:
    """Turns messages into commands. What cannot be one is counted by reason, and logged once a minute at
    most: anyone on the network can send a thousand a second."""

    def __init__(self, topics: Topics, clock: Clock) -> None:
        self.refused: Counter[str] = Counter()
        self._topics = topics
        self._clock = clock
        self._logged_at_s: float | None = None

    def read(
        self,
        topic: str,
        payload: bytes,
        sources: Container[str],
        house: Mapping[str, Sequence[str]] = MappingProxyType({}),
        *,
        retained: bool,
    ) -> Command | None:
        """The command, or None after counting why it is none. `house`: what each value of ours can be."""
        try:
            if retained:
                raise InvalidCommand("retained: it would be obeyed again at every start")
            return read_command(self._topics, topic, payload, sources, house)
        except InvalidCommand as reason:
            self._count(str(reason))
            return None

    def _count(self, reason: str) -> None:
        self.refused[reason] += 1
        now_s = self._clock.monotonic_s()
        if self._logged_at_s is None or now_s - self._logged_at_s >= LOG_AGAIN_AFTER_S:
            self._logged_at_s = now_s
            log.warning("mqtt command ignored", reason=reason, ignored_so_far=self.refused.total())


def read_command(
    topics: Topics,
    topic: str,
    payload: bytes,
    sources: Container[str],
    house: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Command:
    """The command that `payload` on `topic` is. Raises InvalidCommand."""
    if len(payload) > LARGEST_PAYLOAD_BYTES:
        raise InvalidCommand("too large")
    try:
        text = payload.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise InvalidCommand("not text") from None
    if topic == topics.test_set:
        return _test(text)
    if topic == topics.ack_set:
        return _acknowledgement(text)
    if topic == topics.nothing_set:
        return _nothing(text)
    if topic == topics.chain_set:
        return _chain(text)
    if topic == topics.verdict_set:
        return _verdict(text)
    path = topic.removeprefix(topics.root + "/")
    if path.startswith(f"{HOUSE}/"):
        return _house(path.split("/")[1], text, house)
    return _setting(path, text, sources)


def _test(text: str) -> Command:
    if text != "PRESS":
        raise InvalidCommand("test takes PRESS")
    return Command("test", by="mqtt")


def _acknowledgement(text: str) -> Command:
    if text == "PRESS":
        return Command("ack", by="mqtt")
    if not _ID.fullmatch(text):
        raise InvalidCommand("ack takes PRESS or the id of an alert")
    return Command("ack", value=text, by="mqtt")


def _nothing(text: str) -> Command:
    if not _ID.fullmatch(text):
        raise InvalidCommand("nothing takes the id of an alert")
    return Command("nothing", value=text, by="mqtt")


def _chain(text: str) -> Command:
    if not _ID.fullmatch(text):
        raise InvalidCommand("chain takes the id of a silent test")
    return Command("chain", value=text, by="mqtt")


def _verdict(text: str) -> Command:
    try:
        match json.loads(text):
            case {"id": str(id), "verdict": ("right" | "wrong" | "unsure") as word, **more}:
                label = more.pop("label", None)
            case _:
                raise InvalidCommand("verdict takes an event's id and right, wrong or unsure")
    except (ValueError, RecursionError):
        raise InvalidCommand("verdict takes JSON") from None
    if not _ID.fullmatch(id) or more:
        raise InvalidCommand("verdict takes an event's id and right, wrong or unsure")
    if label is not None and label not in sounds():
        raise InvalidCommand("verdict takes a label that exists")
    return Command("verdict", value=id, by="mqtt", word=word, label=label)


def _house(name: str, text: str, house: Mapping[str, Sequence[str]]) -> Command:
    if name not in house:
        raise InvalidCommand("unknown value of the house")
    word = plain_text(text)
    if word not in house[name]:
        raise InvalidCommand("a value of the house takes one of its options")
    return Command("house", name, word, by="mqtt")


def _setting(path: str, text: str, sources: Container[str]) -> Command:
    match path.split("/"):
        case [source, _, "set"] if source not in sources:
            raise InvalidCommand("unknown source")
        case [source, "mute", "set"]:
            return Command("mute", source, _switch(text), by="mqtt")
        case [source, "sensitivity", "set"]:
            return Command("sensitivity", source, _sensitivity(text), by="mqtt")
    raise InvalidCommand("unknown command")


def _switch(text: str) -> bool:
    if text not in ("ON", "OFF"):
        raise InvalidCommand("mute takes ON or OFF")
    return text == "ON"


def _sensitivity(text: str) -> float:
    try:
        value = plain_number(text)
    except ValueError:
        value = math.nan
    if not -1 <= value <= 1:  # also true of nan
        raise InvalidCommand("sensitivity takes a number from -1 to 1")
    return value
