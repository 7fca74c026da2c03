"""The daemon's own entities and device triggers in the discovery documents, one by one."""

from collections.abc import Iterator

from monitor.labels import SEVERITIES
from monitor.publishers.base import House, HouseValue
from monitor.publishers.mqtt.homeassistant.alerts import alert_event, rule_key, rule_trigger, severity_trigger
from monitor.publishers.mqtt.homeassistant.components import Component, connectivity, words
from monitor.publishers.mqtt.topics import Topics

_LAGS = "(value_json.sources | default({})).values() | map(attribute='lag_s', default=0)"
_LAG = f"{{{{ ({_LAGS} | list + [0]) | max }}}}"


def node_components(topics: Topics, house: House) -> Iterator[tuple[str, Component]]:
    """The daemon's entities and triggers by key."""
    # Always available: a dead daemon is to read "disconnected".
    yield "connection", connectivity(topics.status) | {"availability": []}
    yield from _health_components(topics)
    # Always available, too: an alert goes out before `online`, and automations pass over what comes then.
    yield "alert", alert_event("Alert", topics)
    yield "alert_active", _alert_active(topics)
    yield "update", _update(topics)
    yield "test", _button("Test alert", "mdi:bell-check", topics.test_set)
    yield "acknowledge", _button("Acknowledge alerts", "mdi:bell-off", topics.ack_set)
    yield "nothing", _nothing(topics)
    for severity in SEVERITIES:
        yield f"trigger_{severity}", severity_trigger(severity, topics)
    for value in house.values:
        if value.topic is None:
            yield f"house_{value.name}", _house_value(value, topics)
    for rule in house.rules:
        key = rule_key(rule)
        yield f"rule_{key}", alert_event(rule, topics, of_rule=rule)
        yield f"trigger_rule_{key}", rule_trigger(rule, topics)


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


def _nothing(topics: Topics) -> Component:
    """For the alert that *Alert active* shows. By its id, as Home Assistant has it at that moment: a graver
    one that was raised since is not meant. That is in the button's own attributes, whatever it is called."""
    button = _button("It was nothing", "mdi:bell-cancel", topics.nothing_set)
    return button | {
        "json_attributes_topic": topics.alert_active_attributes,
        "command_template": "{{ state_attr(entity_id, 'id') or '' }}",
    }


def _update(topics: Topics) -> Component:
    """Unknown until somebody publishes the newest version: we ask no server in the Internet."""
    return {
        "platform": "update",
        "name": "Update",
        "title": "earwitness",
        "entity_category": "diagnostic",
        "state_topic": topics.version,
        "latest_version_topic": topics.version_latest,
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


def _button(name: str, icon: str, topic: str) -> Component:
    return {"platform": "button", "name": name, "icon": icon, "command_topic": topic}
