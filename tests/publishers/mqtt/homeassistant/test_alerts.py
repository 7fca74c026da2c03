"""What the templates of alerts do in a Home Assistant that remembers, as it does, what its entities were."""

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment

from monitor.publishers.documents import alert_document
from monitor.publishers.mqtt.homeassistant.alerts import MOST_FIRED
from monitor.publishers.mqtt.homeassistant.discovery import node_document
from monitor.publishers.mqtt.topics import Topics
from testkit.builders import START, alert, house

NODE = node_document(replace(house(), rules=("Smoke",)), Topics("earwitness", "home"))["components"]
ALERT = "event.earwitness_home_alert"
TRIGGER = "trigger_critical"
_moments = count()


class Receiver:
    """One Home Assistant: the state of its event entity, and what a trigger and the entity fired for."""

    def __init__(self, order: Iterable[str] = (ALERT, TRIGGER)) -> None:
        self.attributes: dict[str, Any] = {}
        self.fired: list[str] = []
        self.rang: list[str] = []
        self._order = tuple(order)
        self._environment = Environment()
        self._environment.filters["tojson"] = json.dumps

    def receive(self, document: dict[str, Any]) -> None:
        """A message on the topic of alerts: entity and trigger get it in either order."""
        for each in self._order:
            if each == ALERT:
                self._entity(document)
            else:
                self._trigger(document)

    def _entity(self, document: dict[str, Any]) -> None:
        if shown := self._rendered(NODE["alert"], document):
            self.attributes = json.loads(shown)
            self.fired.append(self.attributes["id"])

    def _trigger(self, document: dict[str, Any]) -> None:
        if self._rendered(NODE[TRIGGER], document) == "alert":
            self.rang.append(document["id"])

    def _rendered(self, component: dict[str, Any], document: dict[str, Any]) -> str:
        template = self._environment.from_string(component["value_template"])
        return template.render(
            value_json=document,
            entity_id=ALERT,
            state_attr=lambda entity, name: self.attributes.get(name) if entity == ALERT else None,
            states=SimpleNamespace(event=[SimpleNamespace(attributes=self.attributes)]),
        )


def published(id: str = "a1", **more: Any) -> dict[str, Any]:
    """An alert on its topic; no two are sent at the same moment."""
    document = alert_document(replace(alert(), id=id), START, late=False)
    return document | {"delivered_at": f"moment {next(_moments)}"} | more


REPEAT: dict[str, Any] = {"late": True, "sequence": 1}


@pytest.mark.parametrize("order", [(ALERT, TRIGGER), (TRIGGER, ALERT)])
def test_a_repeat_rings_where_the_alert_was_missed_and_nowhere_else(order):
    """Two Home Assistants on one broker, of which one was away."""
    there, away = Receiver(order), Receiver(order)
    there.receive(published())
    for each in (there, away):
        each.receive(published(**REPEAT))
        each.receive(published(**REPEAT | {"sequence": 2}))
        assert each.fired == each.rang == ["a1"]


@pytest.mark.parametrize("order", [(ALERT, TRIGGER), (TRIGGER, ALERT)])
def test_an_alert_rings_also_where_its_update_came_first(order):
    """The update goes out at once, the alert that was missed a moment later."""
    back = Receiver(order)
    back.receive(published(update=True))
    assert back.rang == []
    back.receive(published(**REPEAT))
    back.receive(published(**REPEAT | {"update": True}))
    assert back.rang == ["a1"]
    assert back.fired == ["a1", "a1"]


def test_each_room_that_joins_is_shown_and_none_twice():
    """An update is a message of its own, and its repeat is a repeat."""
    there = Receiver()
    there.receive(published())
    there.receive(published(update=True))
    there.receive(published(update=True))
    there.receive(published(update=True, **REPEAT))
    assert there.fired == ["a1", "a1", "a1"]


def test_an_entity_remembers_a_bounded_number():
    """Home Assistant's recorder drops attributes beyond 16 kB."""
    there = Receiver()
    for number in range(MOST_FIRED + 20):
        there.receive(published(f"{number:012x}"))
    assert len(there.attributes["fired"]) == MOST_FIRED
    assert len(json.dumps(there.attributes["fired"])) < 2000
    there.receive(published(f"{MOST_FIRED:012x}", **REPEAT))
    assert len(there.fired) == MOST_FIRED + 20


def test_ids_of_digits_are_text():
    """Jinja would take `12e345678901` for a number."""
    there = Receiver()
    for id in ("641866514357", "000000000012", "12e345678901"):
        there.receive(published(id))
        there.receive(published(id, **REPEAT))
    assert there.rang == ["641866514357", "000000000012", "12e345678901"]
