"""The event entities and device triggers of alerts in the node's discovery document.

An alert is published again when a Home Assistant may have missed it, and every Home Assistant on the broker
gets that repeat. So each event entity remembers in its attribute `fired` what it has fired for, also over a
restart of Home Assistant, and passes over a repeat that it knows. Templates are Home Assistant's own memory
for that: nobody has to create a helper.
"""

import json
import zlib

from monitor.labels import SEVERITIES
from monitor.publishers.mqtt.homeassistant.components import Component
from monitor.publishers.mqtt.topics import Topics

MOST_FIRED = 100
"""Alerts that an event entity remembers: 1.5 kB of the 16 kB that Home Assistant's recorder keeps of it."""
_KEY = "value_json.id ~ ('+' if value_json['update'] else '')"
"""An alert and its updates apart: whoever gets the update first has not rung for the alert.
`value_json.update` would be the method of a dictionary."""
_FIRED = "(state_attr(entity_id, 'fired') or [])"
_IS_KNOWN = "key in fired and (value_json.sequence or not value_json['update'])"
_AS_EVENT = f"dict(value_json, event_type=value_json.severity, fired=([key] + fired)[:{MOST_FIRED}]) | tojson"
_FIRED_BEFORE = (
    "states.event | map(attribute='attributes') | selectattr('fired', 'defined')"
    " | rejectattr('delivered_at', 'eq', value_json.delivered_at) | map(attribute='fired') | sum(start=[])"
)
"""What the event entities have fired for; a trigger has no memory of its own. One that has just fired for
this very message, as its `delivered_at` shows, does not count: it may get the message before the trigger
does."""
_IS_SILENT = (
    "value_json['update'] or (value_json.late and value_json.severity != 'critical')"
    f" or (value_json.sequence and value_json.id in {_FIRED_BEFORE})"
)
"""What no device trigger fires for: another room that joins, a late alert that is not critical, and a repeat
of what Home Assistant has got."""


def alert_event(name: str, topics: Topics, of_rule: str | None = None) -> Component:
    """Fires for every alert, or those of one rule."""
    condition = f"not ({_IS_KNOWN})" + (f" and {_rule_is(of_rule)}" if of_rule is not None else "")
    return {
        "availability": [],
        "platform": "event",
        "name": name,
        "icon": "mdi:bell-alert",
        "state_topic": topics.alert,
        "event_types": list(SEVERITIES),
        # An empty result fires nothing.
        "value_template": f"{{% set key, fired = {_KEY}, {_FIRED} %}}"
        f"{{{{ {_AS_EVENT} if {condition} else '' }}}}",
    }


def severity_trigger(severity: str, topics: Topics) -> Component:
    """Fires for any rule of this severity."""
    condition = f"value_json.severity == {_literal(severity)}"
    return _trigger(topics, f"Any {severity} rule", condition)


def rule_trigger(rule: str, topics: Topics) -> Component:
    """Fires for this rule."""
    return _trigger(topics, rule, _rule_is(rule))


def rule_key(rule: str) -> str:
    """What stands for a rule in keys and ids: its name may hold anything."""
    return f"{zlib.crc32(rule.encode(errors='replace')):08x}"


def _trigger(topics: Topics, subtype: str, condition: str) -> Component:
    """Home Assistant shows it as `"Smoke" raises an alert`."""
    return {
        "platform": "device_automation",
        "automation_type": "trigger",
        "type": "raises an alert",
        "subtype": subtype,
        "topic": topics.alert,
        "payload": "alert",
        "value_template": f"{{{{ 'alert' if {condition} and not ({_IS_SILENT}) else '' }}}}",
    }


def _rule_is(rule: str) -> str:
    return f"value_json.rule == {_literal(rule)}"


def _literal(text: str) -> str:
    """As a string of Jinja, which reads JSON's escapes; braces could end the template."""
    return json.dumps(text).replace("{", "\\u007b").replace("}", "\\u007d").replace("%", "\\u0025")
