"""The generated pages under docs/reference are what the code says."""

from pathlib import Path

from scripts.docs.configuration import page as configuration_page
from scripts.docs.files import HEAD, section
from scripts.docs.labels import labels_page
from scripts.docs.mqtt import ALERT_FIELDS, alert_fields, event_meanings
from scripts.docs.mqtt import page as mqtt_page
from scripts.homeassistant.checks import CHECKS

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_options_is_current() -> None:
    """docs/reference/configuration.md is what `python -m scripts.docs.configuration` prints now."""
    assert (DOCS / "reference/configuration.md").read_text() == configuration_page() + "\n"


def test_the_page_of_labels_is_current() -> None:
    """docs/reference/labels.md is what `python -m scripts.docs.labels` writes."""
    assert (DOCS / "reference/labels.md").read_text(encoding="utf-8") == labels_page()


def test_the_page_of_topics_is_current() -> None:
    """docs/reference/mqtt.md is what `python -m scripts.docs.mqtt` writes."""
    assert (DOCS / "reference/mqtt.md").read_text() == mqtt_page()


def test_every_field_is_explained() -> None:
    """No field is missing on the page, and none stands there that is not sent."""
    assert all(event_meanings().values())
    assert ALERT_FIELDS.keys() == alert_fields()


def test_the_guide_shows_every_check_against_home_assistant() -> None:
    """The table in docs/guides/homeassistant.md is of the checks that scripts/check-homeassistant makes."""
    rows = (DOCS / "guides/homeassistant.md").read_text().splitlines()
    shown = [row.split(" | ")[0].removeprefix("| ") for row in rows if " | yes | " in row]

    assert shown == [check.__doc__ for check in CHECKS]


def test_the_list_of_files_is_up_to_date() -> None:
    """The last section of ARCHITECTURE.md is what `python -m scripts.docs.files` writes."""
    text = (DOCS.parent / "ARCHITECTURE.md").read_text()
    assert text[text.index(HEAD) :] == section()
