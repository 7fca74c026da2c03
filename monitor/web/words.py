"""The catalogue: every sentence of the page, in every language, side by side in words.json, and the words
of notifications."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from monitor.language.words import LANGUAGES as LANGUAGES
from monitor.language.words import NOTICE, Catalogue, filled, notice_catalogue
from monitor.language.words import label_words as label_words


@cache
def catalogue() -> Catalogue:
    """Sentences by key and language. A plural has a key for each form: `now.open.one`, `now.open.other`."""
    own: Catalogue = json.loads(files("monitor.web").joinpath("words.json").read_text(encoding="utf-8"))
    shared = {key: words for key, words in notice_catalogue().items() if not key.startswith(NOTICE)}
    return {**shared, **own}


def sentence(key: str, language: str, **values: Any) -> str:
    """A sentence with its values filled in; with `n` in the form that fits it."""
    return filled(catalogue(), key, language, values)


def room_words(source: str) -> str:
    """What a source is called in a sentence."""
    plain = source.replace("_", " ").replace("-", " ")
    return plain[:1].upper() + plain[1:]
