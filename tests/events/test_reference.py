"""The page of labels."""

from pathlib import Path

from monitor.events.reference import labels_page

PAGE = Path(__file__).parents[2] / "docs/reference/labels.md"


def test_the_page_of_labels_is_up_to_date() -> None:
    """docs/reference/labels.md is what `python -m monitor.events.reference` writes."""
    assert PAGE.read_text(encoding="utf-8") == labels_page()
