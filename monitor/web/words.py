"""The catalogue: every sentence of the page, in every language, side by side in words.json."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "de")


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Sentences by key and language. A plural has a key for each form: `now.open.one`, `now.open.other`."""
    found: dict[str, dict[str, str]] = json.loads(
        files("monitor.web").joinpath("words.json").read_text(encoding="utf-8")
    )
    return found


def sentence(key: str, language: str, **values: Any) -> str:
    """A sentence with its values filled in; with `n` in the form that fits it."""
    words = catalogue()
    if key not in words:
        key = f"{key}.{'one' if values.get('n') == 1 else 'other'}"
    text = words[key][language]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def label_words(label: str, language: str) -> str:
    """What a sound is called."""
    known = catalogue().get(f"label.{label}")
    return known[language] if known else label.replace("_", " ")


def room_words(source: str) -> str:
    """What a source is called in a sentence."""
    plain = source.replace("_", " ").replace("-", " ")
    return plain[:1].upper() + plain[1:]
