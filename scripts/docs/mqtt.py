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
    "event_type": "the label again: what Home Assistant's event entity takes as the type",
    "delivered_at": "when this message was sent to the broker",
    "late": "true when it was held back or is sent again: it is history, and changes no state",
}
ALERT_FIELDS = {
    "id": "12 hexadecimal digits; the same id again is the same alert, corroborated or repeated",
    "rule": "the name of the rule",
    "severity": "`info`, `warning` or `critical`; `info` once it is older than the rule's `stale_after_s`",
    "message": "what was heard and where, as one sentence",
    "test": "true when somebody pressed the test button: nothing was heard",
    "update": "true when another room joined an alert that was sent before: do not ring again",
    "event_ids": "the events that it is about, in order; clips and pictures are named by them",
    "labels": "what was heard, in order",
    "sources": "the sources that heard it, in order",
    "raised_at": "when the rule matched, in the time of the sound",
    "delivered_at": "when this message was sent to the broker",
    "late": "true when it was held back or is sent again",
    "sequence": "0 the first time; above that it is a repeat: so often this was sent before",
    "why": "which clause of the rule matched with which value",
}

_INTRODUCTION = """# MQTT

Topics, payloads and options of the `mqtt` publisher, written from the code by
`python -m scripts.docs.mqtt`.

Everything is published with QoS 1 under `<topic_prefix>/<node>/`. States are retained and remembered: after
every reconnect, and when Home Assistant publishes `online`, all of them are published again, so that a missed
`OFF` leaves no sensor stuck. Events and alerts are not retained; each is kept on disk until the broker has
acknowledged it, in order per source. A message may arrive twice, with the same `id`.
"""

_COMMANDS = """## Commands

A message on a topic ending in `/set` is a command. It is refused when it is longer than 256 bytes, is not
text, has the wrong type or range, names an unknown source, or is retained (it would be executed again at
every start). Of a longer packet only the first 256 kB are read into memory. Refusals are counted, and
logged once a minute at most. Anyone who may write these topics may mute a room: give the broker
passwords and an access list, for example for mosquitto:

```
user earwitness
topic readwrite earwitness/home/#
topic readwrite homeassistant/device/+/config
topic read homeassistant/status
```
"""

_CONNECTION = """## The connection

MQTT 5 is tried first, at every connection. 3.1.1 is used when the broker refuses 5, or after three tries
without an answer (2, 3 and 5 s; one try for a broker that has accepted 3.1.1 and never 5). A lost connection
is tried again after 0.5 to 4 s. When the broker refuses user name or password, the log reports it once, with
the fix, and the broker is asked again every 30 to 60 s. Only a broker that had accepted us before is asked at
the usual pace for two minutes, because it may be starting.

Over MQTT 5 a broker reports when its access list forbids a message. The message then stays in the outbox
and is tried again after 1 s, then less often, at least every 72 s; messages on other topics are sent, and
the log names the topic once. It is the same for a message that nobody subscribes to: after a broker's restart
Home Assistant may come back a moment later than this daemon.
Over 3.1.1 a broker acknowledges a forbidden message and drops it. So over 3.1.1 the publisher subscribes
to its own `alert` and `+/event`, and a message counts as delivered when it has come back. An alert that
has not come back within 5 s is kept and published again; so is an event while other events do come back.
If nothing may be read, health and *Trouble* report that delivery is unproven: give the user `readwrite`
on its own topics, or use MQTT 5.

A broker that keeps no retained messages (mosquitto: `retain_available false`), or takes QoS 0 only
(`max_qos 0`), refuses a connection with the usual last will. The next connection asks for less. Without
retained messages every state is published at each connection, whenever it changes, and when Home Assistant
publishes `online`; another subscriber that comes later does not see the earlier states. With QoS 0 nothing
is acknowledged: a message counts as delivered when it has come back, as over 3.1.1. The log, health and
*Trouble* name the broker's option to change. At the next connection everything is asked for again.

A broker may accept only so much. The publisher keeps to its receive maximum and, over MQTT 5, to its largest
packet: discovery documents are split into several of one device (`…_P2`, `…_P3`), pictures that are too
large are left out and logged, and an alert that is too long is published without `why`. Over 3.1.1 a broker
with `message_size_limit` acknowledges a document or picture that is too long, and throws it away. So over
3.1.1, or with QoS 0, the publisher also subscribes to its own documents and to what it publishes in more than
1500 bytes. A document that has not come back within 5 s is split until its parts do. A picture that has not
is in health and *Trouble* until one comes back; so are documents if this user may not read them. If a broker
closes the connection instead of naming a limit, the messages that were on their way are then sent one by one.
A message that ends two connections sets the limit, or is set aside for an hour if its size cannot be the
cause. The log, health and *Trouble* name it.

After every connection alerts are sent first, then documents and states, then events. An alert that was sent
before Home Assistant can have read its documents is published again.

With `tls` the broker's certificate and name are verified. After a kill, a crash or a cut cable the broker
publishes `offline` on `status` (the last will); at a clean stop the daemon does. A last will that comes late,
or what another client publishes on the `status` of the node or of a source, is put right at once.

The daemon never waits for Home Assistant: its `offline` on `<discovery_prefix>/status` may be retained,
forged or of another Home Assistant, and others may subscribe too. With `homeassistant: true`, the alerts that
it may have missed are sent again when it publishes `online`: those sent from 120 s before its `offline` on
(from 120 s before its `online` if no `offline` was seen, or from the connection on if that is less than ten
minutes old), with the same id, `late: true` and a `sequence` above 0. Whoever has got the alert already
passes over what has a `sequence` and an `id` that it knows: with two Home Assistants on one broker that is
the one that was there. Over MQTT 5 the broker reports a message without subscribers:
the message is not delivered, and is kept for the `stale_after_s` of its rule, else for a day; alerts of
smoke, carbon monoxide and fire without end.
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
