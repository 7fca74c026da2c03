"""What a person does in Home Assistant's frontend: three automations, and our card on a dashboard."""

import json
import os
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Page, expect

from monitor.types import ActiveAlert, Command, LabelState, Setting
from monitor.web.http.card import CARD
from scripts.homeassistant.daemon import heard, raised
from scripts.homeassistant.frontend import Frontend, signed_in
from scripts.homeassistant.house import wait_until
from scripts.homeassistant.world import World, notified

BOARD = "sound-board"
LAMP = "light.hall_lamp"
HASS = Path(__file__).parents[2] / "tests/web/hass.json"
_SENT = "A smoke alarm sounds"


def three_automations_are_made_by_hand(world: World) -> str:
    """A person makes three automations in the frontend, without YAML, and each runs at our message"""
    with signed_in(world.ha) as frontend:
        frontend.automate(
            "Smoke rings",
            ("Earwitness probe", '"Smoke alarm" raises an alert'),
            "Notifications: Send a persistent notification",
            Message=_SENT,
        )
        cry = ("Kitchen sounds", "Kitchen sounds Baby cry started detecting sound")
        frontend.automate("Cry lights", cry, "Light: Turn on", target="Hall lamp")
        seen = ("Earwitness probe", "Earwitness probe Alert active turned off")
        frontend.automate("Seen darkens", seen, "Light: Turn off", target="Hall lamp")
    for name in ("smoke_rings", "cry_lights", "seen_darkens"):
        world.ha.wait_state(f"automation.{name}", "on")
    world.daemon.post(replace(raised(), rule="Smoke alarm"))
    wait_until(lambda: _SENT in notified(world.ha), "the notification")
    world.ha.wait_state(LAMP, "off")
    world.daemon.post(LabelState("kitchen", "baby_cry", True))
    world.ha.wait_state(LAMP, "on")
    world.daemon.post(ActiveAlert(raised(), 1))
    world.ha.wait_state(world.entity("alert_active", None), "on")
    world.daemon.post(ActiveAlert(None))
    world.ha.wait_state(LAMP, "off")
    world.daemon.post(LabelState("kitchen", "baby_cry", False))
    return "3 automations"


def the_card_is_chosen_and_acts(world: World) -> str:
    """Our card is chosen in the picker, shows rooms and the open alert, and its buttons reach the daemon"""
    world.ha.ask("lovelace/resources/create", res_type="module", url=f"/local/{CARD}")
    world.ha.ask(
        "lovelace/dashboards/create", url_path=BOARD, title="Sounds", mode="storage", require_admin=False
    )
    world.ha.ask("lovelace/config/save", url_path=BOARD, config={"views": [{"title": "Sounds", "cards": []}]})
    alert = raised()
    world.daemon.post(Setting("kitchen", "mute", False))
    world.daemon.post(ActiveAlert(alert, 1))
    world.daemon.post(heard())
    world.daemon.post(LabelState("kitchen", "glass_break", True))
    world.ha.wait_state(world.entity("glass_break"), "on")
    with signed_in(world.ha) as frontend:
        frontend.add_card(BOARD, "Earwitness")
        _keep_what_it_reads(frontend.page)
        _acts(world, frontend, alert.id)
    with signed_in(world.ha, locale="de-DE", color_scheme="dark") as frontend:
        world.daemon.post(ActiveAlert(alert, 1))
        card = frontend.card(BOARD)
        expect(card.locator(".alert")).to_contain_text("Es war nichts")
        expect(card.locator(".room").first).to_contain_text("Glasbruch 93")
        assert _lightness(frontend.page) < 0.3
    world.daemon.post(ActiveAlert(None))
    world.daemon.post(LabelState("kitchen", "glass_break", False))
    return "light, dark, English, German"


def _acts(world: World, frontend: Frontend, alert: str) -> None:
    card = frontend.card(BOARD)
    expect(card.locator(".room")).to_have_count(2)
    expect(card.locator(".room").first).to_contain_text("Breaking glass 93")
    expect(card.locator(".alert")).to_contain_text("Glass breaks in the kitchen")
    assert _lightness(frontend.page) > 0.7
    card.get_by_role("button", name="Acknowledge").click()
    assert world.command() == Command("ack", by="mqtt")
    card.get_by_role("button", name="It was nothing").click()
    assert world.command() == Command("nothing", value=alert, by="mqtt")
    world.daemon.post(ActiveAlert(None))
    expect(card.locator(".alert")).to_have_count(0)
    expect(card.locator(".head")).to_contain_text("All well")
    card.get_by_role("button", name="Mute Kitchen").click()
    assert world.command() == Command("mute", "kitchen", True, by="mqtt")
    world.daemon.post(Setting("kitchen", "mute", True))
    card.get_by_role("button", name="Hear Kitchen again").click()
    assert world.command() == Command("mute", "kitchen", False, by="mqtt")
    world.daemon.post(Setting("kitchen", "mute", False))
    expect(card.get_by_role("button", name="Mute Kitchen")).to_be_visible()


def _lightness(page: Page) -> float:
    """Of the card's ground: 0 is black, 1 is white."""
    shown: str = page.locator("earwitness-card ha-card").evaluate(
        "card => getComputedStyle(card).backgroundColor"
    )
    parts = [float(each) for each in shown.removeprefix("rgb(").removesuffix(")").split(",")]
    return sum(parts) / 3 / 255


def _keep_what_it_reads(page: Page) -> None:
    """What Home Assistant gives to cards, of our entities: the tests of the card feed it with that."""
    if not os.environ.get("KEEP_HASS"):
        return
    found = page.evaluate("""async () => {
        const hass = document.querySelector("home-assistant").hass;
        const all = await hass.callWS({ type: "config/entity_registry/list" });
        const registry = all.filter((one) => one.platform === "mqtt");
        const ids = new Set(registry.map((one) => one.entity_id));
        const only = (from, fits) =>
            Object.fromEntries(Object.entries(from).filter(([key, one]) => fits(key, one)));
        return {
            language: hass.language, locale: hass.locale, config: { time_zone: hass.config.time_zone },
            states: only(hass.states, (id) => ids.has(id)), registry,
            devices: only(hass.devices, (_, one) => one.manufacturer === "earwitness"),
        };
    }""")
    for state in found["states"].values():
        del state["context"]
        for long in ("event_types", "options"):
            state["attributes"].pop(long, None)
    lines = (f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in found.items())
    HASS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
