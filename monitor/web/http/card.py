"""The card for Home Assistant's dashboards: one file, put together of the page's own elements.

It reads Home Assistant's entities alone and asks nothing of the page, so it is copied to where Home Assistant
serves it, and has in it what the page has in files of their own: style, icons and words.
"""

import json
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from monitor.web.http.bundle import bundled
from monitor.web.words import LANGUAGES, catalogue

CARD = "earwitness-card.js"
ELEMENTS = "elements.css"
ICONS = "icons.svg"
_FOLDER = "card/"
_ENTRY = f"{_FOLDER}card.js"
_GIVEN = f"{_FOLDER}given.js"
_STYLE = f"{_FOLDER}card.css"
_TEXT = re.compile(r'"([a-z_.]+)"')
_BEGUN = re.compile(r"\bt\(\s*`([a-z_.]+\.)\$\{")
_NAMES = "label."


def card(files: MutableMapping[str, bytes]) -> str:
    """The card as one module. What it alone is made of is taken out of the page's `files`, by path."""
    given = {"STYLE": _text(files[ELEMENTS]) + _text(files[_STYLE]), "ICONS": _text(files[ICONS])}
    modules = {path: _text(body) for path, body in files.items() if path.endswith(".js")}
    modules[_GIVEN] = _constants({**given, "WORDS": {}})
    said = bundled(modules, _ENTRY).text
    modules[_GIVEN] = _constants({**given, "WORDS": _words(said)})
    for path in [path for path in files if path.startswith(_FOLDER)]:
        del files[path]
    return bundled(modules, _ENTRY).text


def _words(said: str) -> dict[str, dict[str, str]]:
    """Of each language what the modules say, and what sounds are called."""
    keys = set(_TEXT.findall(said))
    begun = (_NAMES, *_BEGUN.findall(said))

    def is_said(key: str) -> bool:
        return key in keys or key.rpartition(".")[0] in keys or key.startswith(begun)

    return {
        language: {key: words[language] for key, words in catalogue().items() if is_said(key)}
        for language in LANGUAGES
    }


def _constants(values: Mapping[str, Any]) -> str:
    lines = (
        f"export const {name} = {json.dumps(value, ensure_ascii=False, separators=(',', ':'))};\n"
        for name, value in values.items()
    )
    return "".join(lines)


def _text(body: bytes) -> str:
    return body.decode("utf-8")
