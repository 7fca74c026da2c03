"""Home Assistant's own frontend in Chromium: what a person does there by hand, never typing YAML."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

from scripts.homeassistant.house import PASSWORD, PERSON, HomeAssistant
from testkit.visit import Chromium

WIDE, HIGH = 1300, 900
_ADDED = "add-automation-element-dialog"


@dataclass
class Frontend:
    """Signed in."""

    page: Page
    address: str

    def automate(self, name: str, trigger: tuple[str, str], action: str, **filled: str) -> None:
        """Make an automation and save it. `trigger`: a device and what happens to it, as the pickers show
        them. `filled`: the action's `target`, and fields of it by their names."""
        self.page.goto(f"{self.address}/config/automation/dashboard")
        self.page.get_by_role("button", name="Create automation").click()
        self.page.get_by_text("Create new automation").click()
        self._choose_trigger(*trigger)
        self._choose_action(action)
        for field, value in filled.items():
            if field == "target":
                self.page.locator("ha-target-picker").get_by_role("button").first.click()
                self._pick(value)
            else:
                row = self.page.locator("ha-service-control ha-settings-row", has_text=field)
                row.locator("input").first.fill(value)
        self._save(name)

    def add_card(self, board: str, name: str) -> None:
        """Choose a card in the picker of a dashboard's first view, and save it."""
        self.page.goto(f"{self.address}/{board}/0?edit=1")
        self.page.get_by_role("button", name="Add card").click()
        self.page.locator("hui-card-picker input").first.fill(name)
        self.page.locator("hui-card-picker .card", has_text=name).first.click()
        dialog = self.page.locator("hui-dialog-edit-card")
        expect(dialog.locator("earwitness-card .room").first).to_be_visible()
        expect(dialog.locator("ha-form")).to_contain_text("Title")
        dialog.get_by_role("button", name="Save").click()
        self.page.get_by_role("button", name="Done").click()

    def card(self, board: str) -> Locator:
        """The card of a dashboard's first view."""
        self.page.goto(f"{self.address}/{board}/0")
        card = self.page.locator("earwitness-card")
        expect(card.locator(".head h2")).not_to_be_empty()
        return card

    def _choose_trigger(self, device: str, what: str) -> None:
        self.page.get_by_role("button", name="Add trigger").click()
        self.page.locator(_ADDED).get_by_text("Device", exact=True).first.click()
        self.page.locator(_ADDED).get_by_text("When something happens to a device").click()
        self.page.locator("ha-device-picker").click()
        self._pick(device)
        picker = self.page.locator("ha-device-trigger-picker")
        expect(picker).not_to_contain_text("No triggers")
        picker.click()
        self._pick(what)

    def _choose_action(self, action: str) -> None:
        self.page.get_by_role("button", name="Add action").click()
        self.page.locator(_ADDED).locator("input").first.fill(action)
        self.page.locator(_ADDED).get_by_text(action).first.click()

    def _pick(self, words: str) -> None:
        """In the list that is open."""
        opened = self.page.locator("ha-picker-combo-box")
        opened.locator("input").first.fill(words)
        opened.locator("ha-combo-box-item", has_text=words).first.click()

    def _save(self, name: str) -> None:
        self.page.get_by_role("button", name="Save").first.click()
        dialog = self.page.locator("ha-dialog-automation-save")
        dialog.locator("ha-textfield input").first.fill(name)
        dialog.get_by_role("button", name="Save").click()
        self.page.wait_for_url(re.compile(r"/config/automation/edit/\d+"))


@contextmanager
def signed_in(ha: HomeAssistant, **more: Any) -> Iterator[Frontend]:
    """Sign in with the form, as a person does."""
    address = ha.address
    with (
        Chromium() as chromium,
        chromium.page(address, width=WIDE, height=HIGH, watched=False, **more) as page,
    ):
        page.locator("input[name=username]").fill(PERSON)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("input[name=password]").press("Enter")
        page.locator("ha-sidebar").wait_for()
        yield Frontend(page, address)
