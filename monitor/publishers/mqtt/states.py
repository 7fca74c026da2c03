"""Messages that are states: which topic each is kept on, and as which payload."""

from collections.abc import Iterator

from monitor.publishers.base import Room
from monitor.publishers.documents import (
    active_alert_document,
    dbfs,
    encoded,
    health_document,
    iso,
    minute_document,
)
from monitor.publishers.mqtt.queue import Rank
from monitor.publishers.mqtt.topics import Topics
from monitor.types import (
    ActiveAlert,
    Health,
    LabelState,
    Level,
    Picture,
    Problem,
    Setting,
    SoundLevel,
    SourceStatus,
    State,
)

TopicState = tuple[str, bytes, Rank]
"""Topic, payload, and its place where all are published anew."""
WRONG = ("notes", "stalled", "lagging", "stuck")
"""What in a health report is trouble, where it is not empty."""


def first_states(room: Room, topics: Topics) -> Iterator[TopicState]:
    """What holds of a source until something else is published. OFF also for a source that may never open:
    the broker may still keep what was ON when an earlier start of ours crashed. That nobody listens is shown
    by `offline`, which makes the entities unavailable in Home Assistant."""
    for label in room.labels:
        yield topics.sounding(room.source, label), b"OFF", Rank.STATE
        if label not in room.hidden:
            yield topics.count(room.source, label), b"0", Rank.STATE
    yield topics.problem(room.source), b"OFF", Rank.STATE
    yield topics.source_status(room.source), b"offline", Rank.SOURCE_STATUS


def topic_states(message: State, room: Room | None, topics: Topics) -> Iterator[TopicState]:
    """The payloads of a state, and their topics. `room` is its source as announced."""
    match message:
        case LabelState():
            if room is not None:
                yield from _sounding(message, room, topics)
        case SourceStatus(source, online):
            attributes = {"reason": message.reason, "since": iso(message.at)}
            yield topics.source_status_attributes(source), encoded(attributes), Rank.STATE
            yield topics.source_status(source), b"online" if online else b"offline", Rank.SOURCE_STATUS
        case Level(source):
            yield topics.level(source), _number(dbfs(message.level_dbfs)), Rank.STATE
            yield topics.floor(source), _number(dbfs(message.floor_dbfs)), Rank.STATE
        case SoundLevel(source):
            level = message.laeq_dbfs if message.laeq_dba is None else message.laeq_dba
            yield topics.laeq_attributes(source), encoded(minute_document(message)), Rank.STATE
            yield topics.laeq(source), _number(dbfs(level)), Rank.STATE
        case Problem(source, _, kinds):
            yield topics.problem_attributes(source), encoded({"kinds": list(kinds)}), Rank.STATE
            yield topics.problem(source), _switch(bool(kinds)), Rank.STATE
        case Setting(value=None):
            return
        case Setting(source, name, str(word)):
            yield topics.setting(source, name), word.encode(), Rank.STATE
        case Setting(source, name, value):
            payload = _switch(value) if isinstance(value, bool) else _number(value)
            yield topics.setting(source, name), payload, Rank.STATE
        case Picture(source, event_id, label, png):
            whose = {"event_id": event_id, "label": label}
            yield topics.image_attributes(source), encoded(whose), Rank.STATE
            yield topics.image(source), png, Rank.STATE
        case ActiveAlert():
            attributes = active_alert_document(message)
            yield topics.alert_active_attributes, encoded(attributes), Rank.STATE
            yield topics.alert_active, _switch(message.alert is not None), Rank.STATE
        case Health():
            yield topics.health, encoded(health_document(message)), Rank.STATE
            wrong = {key: message.values[key] for key in WRONG if message.values.get(key)}
            yield topics.trouble_attributes, encoded(wrong), Rank.STATE
            yield topics.trouble, _switch(bool(wrong)), Rank.STATE


def _sounding(sounding: LabelState, room: Room, topics: Topics) -> Iterator[TopicState]:
    if sounding.on and sounding.label in room.event_labels:
        yield topics.last_sound(room.source), sounding.label.encode(), Rank.STATE
    if sounding.label in room.labels:
        yield topics.sounding(room.source, sounding.label), _switch(sounding.on), Rank.STATE
        if sounding.on and sounding.label not in room.hidden:
            yield topics.count(room.source, sounding.label), str(sounding.count).encode(), Rank.STATE


def _switch(on: bool) -> bytes:
    return b"ON" if on else b"OFF"


def _number(value: float) -> bytes:
    return f"{value:g}".encode()
