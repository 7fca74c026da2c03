"""The daemon's own entities and device triggers in the discovery documents, one by one."""

import json
import zlib
from collections.abc import Iterator

from monitor.labels import SEVERITIES
from monitor.publishers.base import House, HouseValue
from monitor.publishers.mqtt.homeassistant.components import Component, connectivity, words
from monitor.publishers.mqtt.topics import Topics

_SILENT = "value_json['update'] or (value_json.late and value_json.severity != 'critical')"
"""What no device trigger fires for: an alert that rang before, and a late one that is not critical.
`value_json.update` would be the method of a dictionary."""
_LAGS = "(value_json.sources | default({})).values() | map(attribute='lag_s', default=0)"
_LAG = f"{{{{ ({_LAGS} | list + [0]) | max }}}}"


def node_components(topics: Topics, house: House) -> Iterator[tuple[str, Component]]:
    """The daemon's entities and triggers by key."""
    # Always available: a dead daemon is to read "disconnected".
    yield "connection", connectivity(topics.status) | {"availability": []}
    yield from _health_components(topics)
    # Always available, too: an alert goes out before `online`, and automations pass over what comes then.
    yield "alert", _alert("Alert", topics, "{{ dict(value_json, event_type=value_json.severity) | tojson }}")
    yield "alert_active", _alert_active(topics)
    yield "test", _button("Test alert", "mdi:bell-check", topics.test_set)
    yield "acknowledge", _button("Acknowledge alerts", "mdi:bell-off", topics.ack_set)
    for severity in SEVERITIES:
        yield f"trigger_{severity}", _trigger(topics, f"Any {severity} rule", _severity_is(severity))
    for value in house.values:
        if value.topic is None:
            yield f"house_{value.name}", _house_value(value, topics)
    for rule in house.rules:
        key = rule_key(rule)
        yield f"rule_{key}", _alert(rule, topics, _of_rule(rule))
        yield f"trigger_rule_{key}", _trigger(topics, rule, _rule_is(rule))


def rule_key(rule: str) -> str:
    """What stands for a rule in keys and ids: its name may hold anything."""
    return f"{zlib.crc32(rule.encode(errors='replace')):08x}"


def _drill_components(topics: Topics) -> Iterator[tuple[str, Component]]:
    """When an alarm's test button was last pressed for all to hear, and whether it is time again."""
    shared = {"entity_category": "diagnostic", "state_topic": topics.health}
    drill = "(value_json.drill | default({}))"
    yield (
        "last_drill",
        shared
        | {
            "platform": "sensor",
            "name": "Last drill",
            "device_class": "timestamp",
            "value_template": f"{{{{ {drill}.last | default(none) }}}}",
        },
    )
    yield (
        "drill_coverage",
        shared
        | {
            "platform": "sensor",
            "name": "Drill coverage",
            "icon": "mdi:home-sound-in",
            "value_template": f"{{{{ {drill}.coverage | default(none) }}}}",
        },
    )
    yield (
        "drill_overdue",
        shared
        | {
            "platform": "binary_sensor",
            "name": "Drill overdue",
            "icon": "mdi:calendar-alert",
            "value_template": f"{{{{ 'ON' if {drill}.overdue | default(false) else 'OFF' }}}}",
        },
    )


def _health_components(topics: Topics) -> Iterator[tuple[str, Component]]:
    diagnostic = {"entity_category": "diagnostic"}
    yield (
        "health",
        diagnostic
        | {
            "platform": "sensor",
            "name": "Health",
            "device_class": "timestamp",
            "state_topic": topics.health,
            "value_template": "{{ value_json.at }}",
            "json_attributes_topic": topics.health,
        },
    )
    yield (
        "lag",
        diagnostic
        | {
            "platform": "sensor",
            "name": "Delay",
            "device_class": "duration",
            "state_class": "measurement",
            "unit_of_measurement": "s",
            "suggested_display_precision": 1,
            "state_topic": topics.health,
            "value_template": _LAG,
        },
    )
    yield from _drill_components(topics)
    yield (
        "trouble",
        diagnostic
        | {
            "platform": "binary_sensor",
            "name": "Trouble",
            "device_class": "problem",
            "state_topic": topics.trouble,
            "json_attributes_topic": topics.trouble_attributes,
        },
    )


def _alert(name: str, topics: Topics, template: str) -> Component:
    """Fires for the alerts that `template` lets through: an empty result fires nothing."""
    return {
        "availability": [],
        "platform": "event",
        "name": name,
        "icon": "mdi:bell-alert",
        "state_topic": topics.alert,
        "event_types": list(SEVERITIES),
        "value_template": template,
    }


def _of_rule(rule: str) -> str:
    as_event = "dict(value_json, event_type=value_json.severity) | tojson"
    return f"{{{{ {as_event} if {_rule_is(rule)} else '' }}}}"


def _rule_is(rule: str) -> str:
    return f"value_json.rule == {_literal(rule)}"


def _severity_is(severity: str) -> str:
    return f"value_json.severity == {_literal(severity)}"


def _literal(text: str) -> str:
    """As a string of Jinja, which reads JSON's escapes; braces could end the template."""
    return json.dumps(text).replace("{", "\\u007b").replace("}", "\\u007d").replace("%", "\\u0025")


def _alert_active(topics: Topics) -> Component:
    """Until somebody acknowledges: what an automation waits for, also after Home Assistant restarted."""
    return {
        "availability": [],
        "platform": "binary_sensor",
        "name": "Alert active",
        "icon": "mdi:bell-ring",
        "state_topic": topics.alert_active,
        "json_attributes_topic": topics.alert_active_attributes,
    }


def _house_value(value: HouseValue, topics: Topics) -> Component:
    """What Home Assistant sets for the rules: its automations, or a person."""
    component: Component = {
        "name": f"House {words(value.name)}",
        "icon": "mdi:home-account",
        "state_topic": topics.house_value(value.name),
        "command_topic": topics.house_value_set(value.name),
    }
    if tuple(value.options) == ("on", "off"):
        return component | {"platform": "switch", "payload_on": "on", "payload_off": "off"}
    return component | {"platform": "select", "options": list(value.options)}


def _trigger(topics: Topics, subtype: str, condition: str) -> Component:
    """A device trigger. Home Assistant shows it as `"Smoke" raises an alert`."""
    return {
        "platform": "device_automation",
        "automation_type": "trigger",
        "type": "raises an alert",
        "subtype": subtype,
        "topic": topics.alert,
        "payload": "alert",
        "value_template": f"{{{{ 'alert' if {condition} and not ({_SILENT}) else '' }}}}",
    }


def _button(name: str, icon: str, topic: str) -> Component:
    return {"platform": "button", "name": name, "icon": icon, "command_topic": topic}
