"""From nothing to a house that is heard: real microphones, a real broker, somebody's phone, real sounds."""

import subprocess
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from monitor.config.capabilities import warnings
from monitor.config.loading import load_config
from monitor.synthesis.household import doorbell, knock
from testkit.first_run import FirstRun, NtfyPhone, ntfy
from testkit.mosquitto import Mosquitto, Subscriber
from testkit.pulse import PulseServer, sound_environment
from tests.web.test_page import PHONE, check_accessible, shot

RATE_HZ = 48_000
REFUSED = ("Failed to load resource",)
"""While the daemon begins anew nobody answers; and what is no address is refused."""


@dataclass
class Machine:
    """A machine with two microphones, and what is around it."""

    run: FirstRun
    sound: PulseServer
    broker: Mosquitto
    phone: NtfyPhone
    address: str

    def play(self, recording: Path) -> "subprocess.Popen[bytes]":
        """Into the microphone `porch`."""
        return self.sound.play(recording)


@pytest.fixture(name="machine")
def _machine(tmp_path: Path) -> Iterator[Machine]:
    phone = NtfyPhone()
    with sound_environment(tmp_path), ntfy(phone) as address, Mosquitto(tmp_path / "broker") as broker:
        sound, run = PulseServer(tmp_path), FirstRun(tmp_path)
        sound.start()
        try:
            run.start()
            yield Machine(run, sound, broker, phone, address)
        finally:
            run.stop()
            sound.kill()


@contextmanager
def playing(machine: Machine, recording: Path) -> Iterator[None]:
    """While it is there something is to be shown; the rest of the recording is not waited for."""
    player = machine.play(recording)
    try:
        yield
    finally:
        player.terminate()
        player.wait()


def recorded(path: Path, parts: list[np.ndarray]) -> Path:
    """A room with its own noise, in which these sound, each in seconds of their own."""
    rng = np.random.default_rng(1)
    length = RATE_HZ * 3
    whole = np.concatenate([np.pad(part[:length], (0, length - len(part[:length]))) for part in parts])
    noisy = 0.4 * whole + rng.normal(0, 0.001, len(whole))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes((np.clip(noisy, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def test_first_run_set_up_first_event_wrong_counted(machine, chromium, tmp_path):
    """Five steps on a phone, kept over a reload and a restart; a test that arrives; then somebody rings, the
    house tells it everywhere, and what its owner says of it is counted."""
    rng = np.random.default_rng(2)
    knocks = recorded(tmp_path / "knocks.wav", [knock(rng, RATE_HZ) for _ in range(20)])
    bell = recorded(tmp_path / "bell.wav", [doorbell(rng, RATE_HZ) for _ in range(20)])
    run = machine.run
    with chromium.page(run.address, **PHONE, device_scale_factor=2, allowed=REFUSED) as page:
        find_the_porch(page)
        listen_to_it(page, machine, knocks)
        choose_what_matters(page)
        run.stop()
        run.start()
        page.goto(f"{run.address}#/setup")
        page.reload()
        expect(page.get_by_role("heading", name="What may be kept?")).to_be_visible()
        page.get_by_role("radio", name="Clips without speech").check()
        page.get_by_role("link", name="Next").click()
        tell_somebody(page, machine)
        page.get_by_role("link", name="Check it").click()
        expect(page.get_by_text("My phone: a test arrived.")).to_be_visible()
        check_accessible(page)
        shot(page, "setup-last")
        page.get_by_role("button", name="Write it and begin").click()
        expect(page.get_by_role("heading", name="Your house is set up")).to_be_visible()
        page.get_by_role("button", name="Test the alert chain").click()
        assert "Test: " in machine.phone.wait_for("Smoke alarm")
        run.visit.until("/api/house", lambda house: [one["online"] for one in house["sources"]] == [True])
        with Subscriber(machine.broker) as broker, playing(machine, bell):
            machine.phone.wait_for("Somebody is at the door")
            broker.wait_until(
                lambda: any(m.topic.endswith("/alert") and b"at the door" in m.payload for m in broker.heard)
            )
        call_it_wrong(page, run)
    check_written(run)
    assert run.visit.get("/api/setup").json()["cameras"] == []


def find_the_porch(page: Page) -> None:
    """The page opens at set-up; a microphone is chosen and its room named."""
    expect(page.get_by_role("heading", name="What should be heard?")).to_be_visible()
    card = page.locator(".source", has=page.get_by_role("checkbox", name="porch"))
    expect(card.get_by_text("It listens. Say something.")).to_be_visible()
    check_accessible(page)
    shot(page, "setup-find")
    expect(page.get_by_text("Nothing is chosen to be heard yet.")).to_be_visible()
    expect(page.get_by_role("link", name="Next")).to_have_attribute("href", "#/setup/2")
    page.get_by_role("checkbox", name="porch").check()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("textbox", name="Room").locator("visible=true").fill("Porch")
    page.get_by_role("link", name="Next").click()


def listen_to_it(page: Page, machine: Machine, knocks: Path) -> None:
    """Somebody knocks while it listens; without, it says that nothing was to be heard."""
    expect(page.get_by_role("heading", name="Porch")).to_be_visible()
    with playing(machine, knocks):
        page.get_by_role("button", name="Listen to all for 10 seconds").click()
        expect(page.get_by_text("Good: it hears this room well.")).to_be_visible()
    page.get_by_role("link", name="Next").click()


def choose_what_matters(page: Page) -> None:
    """A fire always does."""
    smoke = page.get_by_role("button", name="Smoke and fire alarms")
    smoke.click(force=True)
    expect(smoke).to_have_attribute("aria-pressed", "true")
    door = page.get_by_role("button", name="At the door")
    door.click()
    expect(door).to_have_attribute("aria-pressed", "true")
    shot(page, "setup-matters")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("heading", name="What may be kept?")).to_be_visible()


def tell_somebody(page: Page, machine: Machine) -> None:
    """A phone, with a test that arrives; and the broker."""
    page.get_by_label("Over", exact=True).select_option("apprise")
    page.get_by_role("textbox", name="Address").fill("syslog://")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Write an address that begins with one of these")).to_be_visible()
    page.get_by_role("textbox", name="Address").fill(machine.address)
    page.get_by_role("button", name="Add").click()
    for _ in range(6):  # on a busy machine the message may not be out within the page's ten seconds
        page.get_by_role("button", name="Send a test").click()
        if machine.phone.has_got("This is how earwitness reaches you.", within_s=15):
            break
    machine.phone.wait_for("This is how earwitness reaches you.")
    page.get_by_role("button", name="Yes, it arrived").click()
    expect(page.get_by_text("A test arrived.")).to_be_visible()
    page.get_by_label("Port").fill(str(machine.broker.port))
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("The broker on 127.0.0.1 accepts the connection.")).to_be_visible()
    check_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def call_it_wrong(page: Page, run: FirstRun) -> None:
    """From the timeline, and counted at its sound."""
    page.goto(f"{run.address}#/timeline")
    row = page.locator(".row", has_text="Doorbell").first
    row.get_by_role("button", name="Wrong").click()
    expect(page.get_by_text("Noted: wrong.")).to_be_visible()
    run.visit.until("/api/sounds/doorbell", lambda found: found["wrong"] == 1 and found["count"] >= 1)
    page.goto(f"{run.address}#/sounds/doorbell")
    expect(page.get_by_role("heading", name="Doorbell")).to_be_visible()


def check_written(run: FirstRun) -> None:
    """What a person would have written: no secret in it, and nothing that `check` minds."""
    text = run.written.read_text()
    assert "${MY_PHONE_ADDRESS}" in text
    assert "ntfy://" not in text
    assert (run.written.parent / "credentials/MY_PHONE_ADDRESS").stat().st_mode & 0o777 == 0o600
    assert "# Bell and knocks, for people who cannot hear them." in text
    config = load_config(run.written)
    assert [source.name for source in config.sources] == ["porch"]
    assert config.evidence.no_speech
    assert warnings(config) == []


STEPS_OF_TWO_LINES = """() => [...document.querySelectorAll(".setup-steps small")]
    .filter((one) => one.offsetHeight > 1.5 * parseFloat(getComputedStyle(one).lineHeight))
    .map((one) => one.textContent)"""


def test_set_up_by_keyboard_alone_in_german_and_in_the_dark(home, chromium):
    """Where a configuration is, it stays as it is: what is written lies beside the state, and the page shows
    what installs it."""
    before = (home.folder / "earwitness.yaml").read_text()
    more = {"locale": "de-DE", "color_scheme": "dark"}
    with chromium.page(f"{home.address}#/setup/1", **PHONE, **more, allowed=REFUSED) as page:
        expect(page.get_by_role("heading", name="Was soll gehört werden?")).to_be_visible()
        expect(page.get_by_text("Dieses Haus hat eine Konfiguration.")).to_be_visible()
        assert page.evaluate(STEPS_OF_TWO_LINES) == []
        tab_to(page, "Adresse einer Kamera")
        page.keyboard.type("kamera.lan")
        page.keyboard.press("Enter")
        address = page.get_by_label("Adresse einer Kamera")
        expect(address).to_have_attribute("aria-invalid", "true")
        expect(address).to_be_focused()
        expect(page.locator("form", has=address)).to_contain_text("beginnt mit einem von diesen: rtsp://")
        check_accessible(page)
        page.keyboard.press("Control+a")
        page.keyboard.type("rtsp://anna:geheim@127.0.0.1:1/hof")
        page.keyboard.press("Enter")
        camera = page.locator(".source", has_text="rtsp://127.0.0.1:1/hof")
        expect(camera).to_contain_text("Dort antwortet niemand")
        expect(camera).to_contain_text("the stream cannot be opened")
        tab_to(page, "Adresse einer Kamera")
        page.keyboard.type("rtsp://anna:sonnig@127.0.0.1:1/hof")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Adresse einer Kamera")).to_have_value("")
        expect(camera).to_have_count(1)
        tab_to(page, "Adresse einer Kamera")
        page.keyboard.type("rtsp://127.0.0.1:1/tippfeler")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="rtsp://127.0.0.1:1/tippfeler entfernen").press("Enter")
        expect(page.locator(".source", has_text="tippfeler")).to_have_count(0)
        expect(page.get_by_role("checkbox", name="rtsp://127.0.0.1:1/hof")).to_be_checked()
        tab_to(page, "Raum", backwards=True)
        page.keyboard.press("Control+a")
        page.keyboard.type("Hof")
        page.keyboard.press("Tab")
        check_accessible(page)
        tab_to(page, "Weiter")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Hof")).to_be_visible()
        check_accessible(page)
        for heading in (
            "Welche Geräusche sind Ihnen wichtig?",
            "Was darf aufbewahrt werden?",
            "Wer wird benachrichtigt?",
        ):
            tab_to(page, "Weiter")
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name=heading)).to_be_visible()
            check_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        tab_to(page, "Prüfen")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Schreiben")).to_be_visible()
        tab_to(page, "Schreiben")
        page.keyboard.press("Enter")
        expect(page.locator("pre")).to_contain_text(f"{home.folder}/earwitness.yaml")
        check_accessible(page)
    written = home.folder / "state/setup/earwitness.yaml"
    assert "# Warnt beim ersten Piepen" in written.read_text()
    assert "sonnig" not in written.read_text()
    assert (written.parent / "credentials/HOF_URL").read_text() == "rtsp://anna:sonnig@127.0.0.1:1/hof"
    assert (home.folder / "earwitness.yaml").read_text() == before


def test_an_added_camera_is_heard_and_nobody_goes_on_without_a_source_by_accident(home, chromium):
    """Its box is ticked, its room is ready to be named, and *Next* goes on. Where nothing is chosen *Next*
    says what that means, stays, and goes on only for who says so."""
    assert home.visit.ask("DELETE", "/api/setup").status == 204
    address = f"{home.address}#/setup/1"
    with chromium.page(address, **PHONE) as page:
        on = page.get_by_role("link", name="Next")
        on.click()
        asked = page.get_by_role("dialog", name="Nothing is chosen to be heard yet.")
        expect(asked).to_contain_text("earwitness hears nothing, and no alarm")
        check_accessible(page)
        asked.get_by_role("button", name="Choose one").click()
        expect(asked).to_have_count(0)
        expect(page.get_by_role("heading", name="What should be heard?")).to_be_visible()
        page.get_by_label("Address of a camera").fill("rtsp://127.0.0.1:1/yard")
        page.get_by_role("button", name="Add this camera").click()
        camera = page.get_by_role("checkbox", name="rtsp://127.0.0.1:1/yard")
        expect(camera).to_be_checked()
        expect(page.get_by_label("Room")).to_be_focused()
        expect(page.locator(".nudge")).to_be_empty()
        on.click()
        expect(page.get_by_role("heading", name="Living room")).to_be_visible()
        page.go_back()
        camera.uncheck()
        on.click()
        asked.get_by_role("link", name="Go on without").click()
        expect(page.get_by_role("heading", name="How well is each room heard?")).to_be_visible()
    assert home.visit.get("/api/setup").json()["choices"]["sources"] == []


def test_without_a_microphone_the_demo_is_shown_first(tmp_path, chromium):
    """It says that nothing of it is real, and set-up is a tap away."""
    run = FirstRun(tmp_path)
    run.start()
    try:
        with chromium.page(run.address, **PHONE) as page:
            expect(page.locator(".panel.demo")).to_contain_text("Its sounds and its alerts are not real")
            expect(page.locator(".room")).to_have_count(1)
            check_accessible(page)
            page.locator(".panel.demo").get_by_role("link").click()
            expect(page.get_by_role("heading", name="What should be heard?")).to_be_visible()
    finally:
        run.stop()


def tab_to(page: Page, name: str, *, backwards: bool = False) -> None:
    """Move the focus by the keyboard until it is on what has this name, or begins with it."""
    script = """() => { const it = document.activeElement;
        return (it.labels?.[0]?.textContent || it.textContent || "").trim(); }"""
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if page.evaluate(script).startswith(name):
            return
    raise AssertionError(f"the keyboard does not reach {name!r}")
