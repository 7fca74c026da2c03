"""The card on Home Assistant's dashboards, fed with what a real Home Assistant gave its cards
(`KEEP_HASS=1 scripts/check-homeassistant ROOT the_card_is_chosen_and_acts` writes it)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

from monitor.labels import LIFE_SAFETY
from monitor.web.http.card import CARD
from monitor.web.http.shell import shell
from monitor.web.words import LANGUAGES

HASS = Path(__file__).with_name("hass.json")
PLACE = "http://homeassistant.test/"
HARNESS = """<!doctype html><html lang="en"><title>A dashboard</title>
<main><h1>A dashboard</h1></main><script type="module">
import "./earwitness-card.js";
const given = await (await fetch("./hass.json")).json();
const calls = [];
const card = document.createElement("earwitness-card");
let hass = { ...given, entities: {}, callWS: async () => given.registry,
  callService: async (...call) => {
    if (call[2].entity_id === "switch.earwitness_porch_mute") throw { message: "Service unavailable" };
    calls.push(call);
  } };
const change = (states, more = {}) => {
  const changed = Object.fromEntries(Object.entries(states).map(([id, one]) =>
    [id, { ...hass.states[id], ...one, attributes: { ...hass.states[id].attributes, ...one.attributes } }]));
  card.hass = hass = { ...hass, ...more, states: { ...hass.states, ...more.states, ...changed } };
};
Object.assign(window, { calls, card, change, given });
card.setConfig({ type: "custom:earwitness-card" });
document.querySelector("main").append(card);
change({});
</script>"""


@pytest.fixture(name="page")
def _page(chromium):
    answers = {
        "": ("text/html", HARNESS.encode()),
        CARD: ("text/javascript", shell()[CARD].body),
        "hass.json": ("application/json", HASS.read_bytes()),
    }

    def answer(route: Route) -> None:
        kind, body = answers[route.request.url.removeprefix(PLACE)]
        route.fulfill(content_type=kind, body=body)

    with chromium.page(PLACE, begin="about:blank", width=420) as page:
        page.route(f"{PLACE}**", answer)
        page.goto(PLACE)
        expect(page.locator("earwitness-card .room")).to_have_count(2)
        yield page


def test_the_card_is_one_file_that_asks_nothing_of_anybody():
    """It is copied to where Home Assistant serves it; its words are in it, in every language."""
    text = shell()[CARD].body.decode()
    assert not re.search(r"\bfetch\(|XMLHttpRequest|EventSource|import\(|^import ", text, re.MULTILINE)
    words: dict[str, dict[str, str]] = json.loads(re.findall(r"^const WORDS = (.*);$", text, re.MULTILINE)[0])
    assert words.keys() == set(LANGUAGES)
    for known in words.values():
        assert {
            "label.smoke_alarm",
            "problem.dead",
            "alert.nothing",
            "now.open.one",
            "card.none",
        } <= known.keys()
        assert not [key for key in known if key.startswith(("setup.", "teach."))]


def test_page_and_card_know_what_warns_of_a_danger_to_life():
    """As the daemon does: such an alarm is at the top as long as it sounds."""
    text = shell()[CARD].body.decode()
    [named] = re.findall(r"const ALARMS = (\[.*?\]);", text)
    assert set(json.loads(named)) == LIFE_SAFETY


def test_the_card_shows_rooms_and_the_open_alert_and_acts_on_entities(page):
    """Buttons and switches of ours, by whatever id their owner gave them; what Home Assistant refuses is
    shown."""
    card = page.locator("earwitness-card")
    expect(card.locator(".head")).to_contain_text("1 alert waits for you")
    expect(card.locator(".alert")).to_contain_text("Glass breaks in the kitchen")
    expect(card.locator(".room", has_text="Kitchen")).to_contain_text("Breaking glass 93%")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found: dict[str, Any] = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}}).response
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
    card.get_by_role("button", name="Acknowledge").click()
    card.get_by_role("button", name="It was nothing").click()
    expect(card.get_by_role("status")).to_have_text("Noted as wrong.")
    card.get_by_role("button", name="Mute Kitchen").click()
    card.get_by_role("button", name="Mute Porch").click()
    expect(card.get_by_role("status")).to_have_text("Service unavailable")
    assert page.evaluate("calls") == [
        ["button", "press", {"entity_id": "button.earwitness_probe_acknowledge_alerts"}],
        ["button", "press", {"entity_id": "button.earwitness_probe_it_was_nothing"}],
        ["switch", "turn_on", {"entity_id": "switch.earwitness_kitchen_mute"}],
    ]


def test_the_card_follows_what_changes(page):
    """An alert that was seen, an alarm in a muted room, a sick and a lost microphone, a dead daemon, another
    language."""
    card = page.locator("earwitness-card")
    kitchen = card.locator(".room").first
    active, sensor = "binary_sensor.earwitness_probe_alert_active", "binary_sensor.earwitness_kitchen_"
    page.evaluate("([id]) => change({[id]: {attributes: {count: 3}}})", [active])
    expect(card.get_by_role("button", name="Acknowledge all 3")).to_be_visible()
    page.evaluate("([id]) => change({[id]: {state: 'off', attributes: {id: null, count: 0}}})", [active])
    expect(card.locator(".alert")).to_have_count(0)
    page.evaluate(
        "([id, mute]) => change({[id + 'glass_break']: {state: 'off'}, [id + 'smoke_alarm_sounding']:"
        " {state: 'on'}, [mute]: {state: 'on'}})",
        [sensor, "switch.earwitness_kitchen_mute"],
    )
    expect(kitchen).to_contain_text("Smoke alarm")
    expect(card.locator(".head.alarm")).to_contain_text("Still sounding: Smoke alarm, Kitchen")
    expect(kitchen.get_by_role("button", name="Hear Kitchen again")).to_be_visible()
    page.evaluate(
        "([id]) => change({[id + 'problem']: {state: 'on', attributes: {kinds: ['clipping']}}, [id +"
        " 'connection']: {state: 'off', attributes: {reason: 'no device'}}}, {language: 'de'})",
        [sensor],
    )
    expect(kitchen).to_contain_text("no device")
    expect(card.locator(".wrong")).to_contain_text("Kitchen: ist übersteuert")
    page.evaluate("change({'binary_sensor.earwitness_probe_connection': {state: 'off'}})")
    expect(card.locator(".wrong")).to_contain_text("probe: earwitness antwortet nicht.")


SECOND = """() => {
    const named = (from) => JSON.parse(JSON.stringify(from).replaceAll("probe", "villa")
        .replaceAll("kitchen", "cellar").replaceAll("porch", "attic"));
    const both = (from) => [...from, ...from.map(named)];
    change({}, { entities: {}, callWS: async () => both(given.registry),
        states: { ...given.states, ...named(given.states) } });
}"""


def test_one_card_shows_every_node(page):
    """Each with its rooms and its own alert, whose buttons are its own."""
    page.evaluate(SECOND)
    card = page.locator("earwitness-card")
    expect(card.locator(".room")).to_have_count(4)
    expect(card.locator(".head")).to_contain_text("2 alerts wait for you")
    card.locator(".alert").nth(1).get_by_role("button", name="It was nothing").click()
    expect(card.get_by_role("status")).to_have_text("Noted as wrong.")
    assert page.evaluate("calls") == [
        ["button", "press", {"entity_id": "button.earwitness_villa_it_was_nothing"}]
    ]


def test_a_card_without_earwitness_says_what_to_look_at(page):
    """And a card of one node shows no other."""
    page.evaluate("card.setConfig({device: 'somebody else'})")
    expect(page.locator("earwitness-card .wrong")).to_contain_text("knows no earwitness yet")
    expect(page.locator("earwitness-card .room")).to_have_count(0)
