"""The reference page is what the code says."""

from pathlib import Path

from scripts.docs.mqtt import ALERT_FIELDS, EVENT_FIELDS, alert_fields, event_fields, page
from scripts.homeassistant.checks import CHECKS

PAGE = Path(__file__).parents[2] / "docs/reference/mqtt.md"


def test_the_page_is_up_to_date():
    """docs/reference/mqtt.md is what `python -m scripts.docs.mqtt` writes."""
    assert PAGE.read_text() == page()


def test_every_field_is_explained():
    """No field is missing on the page, and none stands there that is not sent."""
    assert EVENT_FIELDS.keys() == event_fields()
    assert ALERT_FIELDS.keys() == alert_fields()


def test_the_guide_shows_every_check_against_home_assistant():
    """The table in docs/guides/homeassistant.md is of the checks that scripts/check-homeassistant makes."""
    rows = (PAGE.parents[1] / "guides/homeassistant.md").read_text().splitlines()
    shown = [row.split(" | ")[0].removeprefix("| ") for row in rows if " | yes | " in row]

    assert shown == [check.__doc__ for check in CHECKS]
