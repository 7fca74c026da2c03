"""Sources, Sounds and Rules in Debian's Chromium: one walk through each, with the daemon behind it."""

import re
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from testkit.mosquitto import free_port
from testkit.visit import Visit
from tests.web.conftest import HEARD_ALL, Home, house, run
from tests.web.test_page import PHONE, check_accessible, loudest_hz, shot

TONE_HZ = 3000
FULL_SCALE = 32767


def write_tone(path: Path) -> None:
    """Four seconds at -20 dBFS, a whole number of periods."""
    samples = 0.1 * np.sin(2 * np.pi * TONE_HZ * np.arange(4 * 16_000) / 16_000)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((samples * FULL_SCALE).astype("<i2").tobytes())


@pytest.fixture(scope="module", name="workshop")
def _workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A kitchen that has heard the whole scene, and a room in which a tone goes on."""
    folder = tmp_path_factory.mktemp("workshop")
    write_tone(folder / "tone.wav")
    tone = {"type": "file", "name": "tone", "path": str(folder / "tone.wav"), "realtime": True, "loop": True}
    port = free_port()
    config = house(port, sources=[HEARD_ALL, tone], evidence={})
    yield from run(folder, config, Visit(port, {"Host": f"localhost:{port}"}))


def test_a_source_shows_what_it_sounds_like_now(workshop, chromium):
    """A 3 kHz tone is a line at 3 kHz, everybody sees that somebody looks, and nothing is computed after."""
    with chromium.page(f"{workshop.address}#/", **PHONE, device_scale_factor=1) as page:
        page.get_by_role("link", name="Tone", exact=True).click()
        card = page.locator(".source", has_text="Tone")
        expect(card).to_contain_text("recording")
        expect(page.locator(".source")).to_have_count(1)
        card.get_by_role("button", name="Look live").click()
        expect(card).to_contain_text(re.compile(r"loudest near 3 kHz"))
        expect(card).to_contain_text("1 person looks live")
        page.wait_for_function("() => document.querySelector('ew-scope').columns > 60")
        assert 2850 < loudest_hz(page, "ew-scope") < 3150
        check_accessible(page)
        shot(page, "sources")
        assert watched(workshop) == 1
        card.get_by_role("button", name="Look live").click()
        expect(card).not_to_contain_text("looks live")
        card.get_by_label("Sensitivity").select_option("lower")
        page.get_by_role("link", name="All sources").click()
        expect(page.locator(".source")).to_have_count(2)
        check_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    workshop.visit.until("/api/house", lambda found: found["sources"][1]["sensitivity"] == -0.5)
    assert watched(workshop) == 0


def watched(home: Home) -> int:
    found: int = home.visit.get("/api/house").json()["sources"][1]["watched"]
    return found
