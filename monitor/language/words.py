"""What sounds are called, and every sentence of a notification, in every language side by side in words.json.
The page has these, too, and sentences of its own.

The language and the rooms belong to a house, and a process serves one: whoever reads a configuration names
them (`speak`, `name_rooms`).
Topics, ids, rules' names and the reasons of faults have one language alone.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from monitor.clock import unit_of

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
Catalogue = Mapping[str, Mapping[str, str]]
"""Sentences by key and language. A plural has a key for each form: `notice.times.one` and `.other`."""

_PLACE = re.compile(r"\{(\w+)\}")
NOTICE = "notice."
"""How keys begin that the page has no use for."""


@cache
def notice_catalogue() -> Catalogue:
    """The words that do without the page."""
    text = files("monitor.language").joinpath("words.json").read_text(encoding="utf-8")
    found: Catalogue = json.loads(text)
    return found


def filled(words: Catalogue, key: str, language: str, values: Mapping[str, Any]) -> str:
    """A sentence with its values filled in; with `n` in the form that fits it."""
    if key not in words:
        key = f"{key}.{'one' if values.get('n') == 1 else 'other'}"
    # At once: a value with a brace in it, as somebody's rule may be called, is no place for the next.
    return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), words[key][language])


def speak(language: Language) -> None:
    """From now on notifications use this language. Any thread."""
    global _language
    _language = language


def house_language() -> Language:
    """The language of this house; English until another is named."""
    return _language


def say(key: str, language: Language | None = None, **values: Any) -> str:
    """A sentence for people, in the house's language if no other is asked for."""
    return filled(notice_catalogue(), key, language or _language, values)


def label_words(label: str, language: str | None = None) -> str:
    """What a sound is called, as one begins a sentence with it."""
    known = notice_catalogue().get(f"label.{label}")
    plain = label.replace("_", " ")
    return known[language or _language] if known else plain[:1].upper() + plain[1:]


def within(words: str) -> str:
    """Words that begin a sentence, inside of one: nouns keep their capital in German, abbreviations always.

    >>> within("Running water"), within("CO alarm")
    ('running water', 'CO alarm')
    """
    return words if _language == "de" or words[:2].isupper() else words[:1].lower() + words[1:]


def places(sources: Iterable[str]) -> str:
    """What sources are called in a sentence: `kitchen, hall and front door`."""
    return enumerated([_place(name) for name in dict.fromkeys(sources)])


def _place(source: str) -> str:
    plain, title = source.replace("_", " "), _titles.get(source)
    if title and (_language == "de" or title.casefold() != plain):  # an English room has no capital
        return title
    return plain[:1].upper() + plain[1:] if _language == "de" else plain


def name_rooms(titles: Mapping[str, str]) -> None:
    """From now on notifications write these sources so. Any thread.

    `titles`: by a source's name, how a person writes it.
    """
    global _titles
    _titles = dict(titles)


def enumerated(words: Sequence[str], last: Literal["and", "or"] = "and") -> str:
    """`a, b and c`."""
    between = f" {say('notice.and' if last == 'and' else 'notice.or')} "
    return between.join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def number(value: float, digits: int = 0, language: Language | None = None) -> str:
    """A number with so many digits behind its point, or comma, and the minus sign that the page writes."""
    text = f"{value:.{digits}f}".replace("-", "−")
    return text.replace(".", ",") if (language or _language) == "de" else text


def pitch(hz: float, language: Language | None = None) -> str:
    """A pitch with its unit.

    >>> pitch(520), pitch(3120)
    ('520 Hz', '3.1 kHz')
    """
    return f"{number(hz / 1000, 1, language)} kHz" if hz >= 1000 else f"{number(hz, 0, language)} Hz"


def pattern_words(pattern: object, language: Language | None = None) -> str:
    """A rhythm as the label on the device calls it, as `T3`, else in plain words."""
    known = notice_catalogue().get(f"notice.pattern.{pattern}")
    return known[language or _language] if known else str(pattern).replace("_", " ")


def share(score: float) -> str:
    """A score in percent."""
    return say("notice.percent", value=f"{score * 100:.0f}")


def length(seconds: float, language: Language | None = None) -> str:
    """A length of time in one unit; see `clock.length_in_words`."""
    count, unit = unit_of(seconds)
    return say(f"notice.length.{unit}", language, n=count)


def lately(seconds: float, language: Language | None = None) -> str:
    """The same of what still lasts: `for 5 minutes`, `seit 3 Tagen`."""
    count, unit = unit_of(seconds)
    return say(f"notice.lately.{unit}", language, n=count)


def rule_words(rule: str) -> str:
    """What a rule is called: the few that are ours in the house's language, everybody's own as they are."""
    known = notice_catalogue().get(f"ours.{rule.lower().replace(' ', '_')}")
    return known[_language] if known else rule


_language: Language = "en"
_titles: Mapping[str, str] = {}
