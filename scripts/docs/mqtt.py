"""Writes docs/reference/mqtt.md: `python -m scripts.docs.mqtt > docs/reference/mqtt.md`."""

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime

from pydantic import BaseModel

from monitor.publishers.documents import EVENT_NAMES, alert_document, event_document
from monitor.publishers.mqtt.config import MqttConfig
from monitor.publishers.mqtt.options import TlsConfig
from monitor.publishers.mqtt.topics import Topics
from monitor.schema import attribute_docs
from monitor.types import Alert, SoundEvent
from testkit.markdown import table

TOPICS = Topics("earwitness", "<node>")
ARGUMENTS = {"source": "<source>", "label": "<label>", "name": "<mute or sensitivity>", "value": "<value>"}

ENVELOPE_FIELDS = {
    "event_type": "the label again, as the type for Home Assistant's event entity",
    "delivered_at": "when this message was sent to the broker",
    "late": "true if it was held back or is sent again: it is history and changes no state",
}
ALERT_FIELDS = {
    "id": "12 hexadecimal digits; the same id again is the same alert, corroborated or repeated",
    "rule": "the name of the rule",
    "severity": "`info`, `warning` or `critical`; `info` once it is older than the rule's `stale_after_s`",
    "message": "the sound and the room, as one sentence",
    "test": "true if somebody pressed the test button: nothing was heard",
    "update": "true if another room joined an alert that was sent before: do not ring again",
    "event_ids": "the ids of its events, in order; the names of clips and pictures contain them",
    "labels": "the labels that were heard, in order",
    "sources": "the sources that heard it, in order",
    "raised_at": "when the rule was met, in the time of the sound",
    "delivered_at": "when this message was sent to the broker",
    "late": "true if it was held back or is sent again",
    "sequence": "0 the first time; else how many times it was sent before",
    "why": "each clause of the rule, with the value that met it",
}

_INTRODUCTION = """# MQTT

Topics, payloads and options of the `mqtt` publisher, written from the code by
`python -m scripts.docs.mqtt`.

Everything is published with QoS 1 under `<topic_prefix>/<node>/`. States are retained. The daemon also
remembers them: after every reconnect, and when Home Assistant publishes `online`, it publishes all of them
again. So a missed `OFF` leaves no sensor stuck. Events and alerts are not retained. Each is kept on disk
until the broker has acknowledged it, in order per source. A message may arrive twice, with the same `id`.
"""

_COMMANDS = """## Commands

A message on a topic that ends in `/set` is a command. It is refused if it is longer than 256 bytes, is not
text, has the wrong type or range, names an unknown source, or is retained (it would be carried out again at
every start). Of a longer packet only the first 256 kB are read into memory. Refusals are counted, and
logged once a minute at most. Anyone who may write these topics may mute a room. So give the broker
passwords and an access list, for example for mosquitto:

```
user earwitness
topic readwrite earwitness/home/#
topic readwrite homeassistant/device/+/config
topic read homeassistant/status
```
"""

_CONNECTION = """## The connection

MQTT 5 is tried first, at every connection. 3.1.1 is used if the broker refuses 5, or after three tries
without an answer (2, 3 and 5 s; one try for a broker that has accepted 3.1.1 and never 5). A lost
connection is tried again after 0.5 to 4 s. If the broker refuses user name or password, the log reports it
once, with the fix, and the broker is tried every 30 to 60 s. A broker that had accepted us before may be
starting. So it is tried at the usual pace for two minutes.

Over MQTT 5 a broker reports that its access list forbids a message. The message then stays in the outbox
and is sent again after 1 s, then less often, but at least every 72 s. Messages on other topics are sent,
and the log names the topic once. The same is done with a message that nobody subscribes to, because after a
broker's restart Home Assistant may come back a moment later than this daemon.

Over 3.1.1 a broker acknowledges a forbidden message and drops it. So over 3.1.1 the publisher subscribes to
its own `alert` and `+/event`, and a message counts as delivered when it has come back. If an alert has not
come back within 5 s, it is kept and published again. The same is done with an event while other events do
come back. If nothing may be read, health and *Trouble* report that delivery is unproven. Then give the user
`readwrite` on its own topics, or use MQTT 5.

A broker may keep no retained messages (mosquitto: `retain_available false`), or accept only QoS 0 (`max_qos
0`). It then refuses a connection with the usual last will, and the next connection asks for less.

Without retained messages every state is published at each connection, whenever it changes, and when Home
Assistant publishes `online`. Another subscriber that comes later does not see the earlier states. With QoS
0 nothing is acknowledged: a message counts as delivered when it has come back, as over 3.1.1. The log,
health and *Trouble* name the broker's option to change. The next connection asks for everything again.

A broker may have limits. The publisher respects its receive maximum and, over MQTT 5, its largest packet.
Discovery documents are split into several of one device (`…_P2`, `…_P3`), pictures that are too large are
left out and logged, and an alert that is too long is published without `why`.

Over 3.1.1 a broker with `message_size_limit` acknowledges a document or picture that is too long, and
drops it. So over 3.1.1, or with QoS 0, the publisher also subscribes to its own documents and to its
messages of more than 1500 bytes. A document that has not come back within 5 s is split until its parts
come back. If a picture has not come back, health and *Trouble* show it until one comes back. They also
show documents that this user may not read.

A broker may also close the connection instead of naming a limit. Then the messages that were on their way
are sent one by one. A message that ends two connections sets the limit, or is set aside for an hour if its
size cannot be the cause. The log, health and *Trouble* name it.

After every connection alerts are sent first, then documents and states, then events. If an alert was sent
before Home Assistant can have read its documents, it is published again.

With `tls` the broker's certificate and name are verified. After a kill, a crash or a cut cable the broker
publishes `offline` on `status` (the last will). At a clean stop the daemon publishes it. If a last will
comes late, or if another client publishes on the `status` of the node or of a source, the daemon corrects
it at once.

The daemon never waits for Home Assistant. Its `offline` on `<discovery_prefix>/status` may be retained,
forged or from another Home Assistant, and others may subscribe, too.

With `homeassistant: true`, the alerts that Home Assistant may have missed are sent again when it
publishes `online`, with the same id, `late: true` and a `sequence` above 0. These are the alerts sent
from 120 s before its `offline` on. If no `offline` was seen, it is from 120 s before its `online` on, or
from the connection on if that is less than ten minutes old. With two Home Assistants on one broker, the
one that was there ignores the repeat: it has a `sequence` and an `id` that it knows.

Over MQTT 5 the broker reports a message without subscribers. Such a message does not count as delivered. It
is kept for the `stale_after_s` of its rule, else for a day. Alerts of smoke, carbon monoxide and fire are
kept without end.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(
        [
            _INTRODUCTION,
            "## Topics\n",
            table(("topic", "payload"), _topics()),
            "",
            "## Event\n",
            f"On `{TOPICS.event('<source>')}`. Times are UTC in ISO 8601 with milliseconds.\n",
            table(("field", "meaning"), event_meanings().items()),
            "",
            "## Alert\n",
            f"On `{TOPICS.alert}`.\n",
            table(("field", "meaning"), ALERT_FIELDS.items()),
            "",
            _COMMANDS,
            _CONNECTION,
            "## Options\n",
            "```yaml\npublishers:\n  - {type: mqtt, host: 10.0.0.5, username: earwitness, "
            'password: "${MQTT_PASSWORD}", tls: {}}\n```\n',
            table(("option", "default", "meaning"), _options(MqttConfig)),
            "",
            "Under `tls`:\n",
            table(("option", "default", "meaning"), _options(TlsConfig)),
            "",
        ]
    )


def event_meanings() -> dict[str, str]:
    """What every field of an event's document means, in its order."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    event = SoundEvent("0" * 12, "speech", "kitchen", "started", "confirmed", at, at, 0.9, "embedded")
    docs = attribute_docs(SoundEvent).items()
    meanings = {EVENT_NAMES.get(name, name): " ".join(text.split()) for name, text in docs}
    return {name: (ENVELOPE_FIELDS | meanings)[name] for name in event_document(event, at, late=False)}


def alert_fields() -> set[str]:
    """What an alert's document really has."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return set(alert_document(Alert("0" * 12, "Smoke", "critical", (), at, "", {}), at, late=False))


def _topics() -> Iterator[tuple[str, str]]:
    for name, member in vars(Topics).items():
        if isinstance(member, property) and name not in ("root", "commands", "statuses"):
            yield f"`{getattr(TOPICS, name)}`", _in_one_line(member)
        elif inspect.isfunction(member) and not name.startswith("_"):
            given = [ARGUMENTS[each] for each in inspect.signature(member).parameters if each != "self"]
            yield f"`{member(TOPICS, *given)}`", _in_one_line(member)


def _in_one_line(member: object) -> str:
    return " ".join((inspect.getdoc(member) or "").split())


def _options(block: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    docs = attribute_docs(block)
    for name, field in block.model_fields.items():
        if name == "type":
            continue
        default = "required" if field.is_required() else f"`{_yaml(field.default)}`"
        yield f"`{name}`", default, " ".join(docs.get(name, "").split())


def _yaml(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    print(page(), end="")
