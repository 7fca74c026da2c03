from pathlib import Path

from monitor.classifiers.taggers.embedded import shipped_model
from scripts.train_tagger.card import card, read_sources

DOCS = Path(__file__).parents[3] / "docs"


def test_the_model_card_is_that_of_the_shipped_model() -> None:
    """With the evaluation's figures; `python -m scripts.train_tagger card` writes it anew."""
    assert (DOCS / "model-card.md").read_text() == card(read_sources(shipped_model(), DOCS / "model-card"))
