"""The page of labels."""

from pathlib import Path

from scripts.docs.labels import labels_page

PAGE = Path(__file__).parents[2] / "docs/reference/labels.md"


def test_the_page_of_labels_is_up_to_date() -> None:
    """docs/reference/labels.md is what `python -m scripts.docs.labels` writes."""
    assert PAGE.read_text(encoding="utf-8") == labels_page()
