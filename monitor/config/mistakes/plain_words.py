"""What pydantic finds wrong with a value, in plain words: the value where it may be shown, what is allowed,
and an example."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic_core import ErrorDetails

from monitor.labels import did_you_mean

NOT_SHOWN: Any = object()
"""Stands for a value that may be a secret."""

PATTERNS: Mapping[str, str] = {
    r"^(auto|cpu|mps|cuda(:\d+)?)$": "should be auto, cpu, mps or cuda; cuda:1 is the second GPU",
    r"^[a-z]{2,3}$": "should be a language of two or three letters, such as en",
    r"^[A-Za-z0-9-]{1,64}$": "should be the name of an HTTP header, such as Remote-User",
    r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(/\+)+(/[A-Za-z0-9_-]+)*$": (
        "should be topics with a + where the node's name stands, such as earwitness/+"
    ),
    r"^https?://[^\s/]+(/[^\s]*)?$": "should be an address, such as https://house.example/earwitness",
    r"^https?://": "should be an address that begins with http:// or https://",
    r"^[^\s/@]+$": "should be a host's name or address alone, such as homeassistant.local or 10.0.0.2",
    r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$": (
        "should be a topic of letters, digits, _ and -, such as earwitness or homes/north"
    ),
    r"^[^#+]+$": "should be one topic, without # and +, such as hall/say",
    r"^20\d\d\.\d{1,2}(\.\S{1,16})?$": 'should be a version in quotes, such as "2026.10"',
    r"^[a-z]{2,3}[a-z0-9+-]*$": "should be a voice of espeak, such as en or en-gb",
    r"^[A-Za-z0-9_-]{1,64}$": "should be a name of letters, digits, _ and -, such as porch_cam",
}
"""What a text has to look like, by its pattern."""
_SHOWN = re.compile(r"[\w .:/+-]{1,40}")
_TIME = "should be a day and time with its zone, such as 2026-01-31T08:00:00+01:00"
_NO_TEXT = {
    type(None): "nothing stands here; write a text, or leave the key out",
    list: "is a list; write a single text",
    dict: "is a block with keys of its own; write a single text",
}
_KINDS = {
    "bool_parsing": "should be true or false",
    "bool_type": "should be true or false",
    "int_parsing": "should be a whole number",
    "int_parsing_size": "should be a whole number",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_parsing": "should be a number, such as 0.7",
    "float_type": "should be a number, such as 0.7",
    "finite_number": "has no end; write a number, such as 0.7",
    "path_type": "should be a path, such as recordings/kitchen.wav",
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "timezone_aware": _TIME,
    "missing": "is required",
    "extra_forbidden": "there is no such key",
    "list_type": "is a list; begin each item with `- `, or write [one, another]",
    "tuple_type": "is a list; begin each item with `- `, or write [one, another]",
    "dict_type": "has keys of its own; write them below it, each as `key: value`",
    "model_type": "has keys of its own; write them below it, each as `key: value`",
    "model_attributes_type": "has keys of its own; write them below it, each as `key: value`",
}
_SINGLE = ("bool_parsing", "int_parsing", "float_parsing")
"""A word where another kind of value belongs: it is shown."""


def plain_words(found: ErrorDetails, value: Any = NOT_SHOWN) -> str:
    """What is wrong, without pydantic's own words for it."""
    kind, bounds = found["type"], found.get("ctx", {})
    if words := _out_of_bounds(kind, bounds, value):
        return words
    match kind:
        case "string_type":
            if value is NOT_SHOWN:
                return "should be a text"
            what = "a date" if isinstance(value, date) else "a number, or yes or no,"
            return _NO_TEXT.get(type(value), f'is {what} to YAML; put it in quotes: "..."')
        case "string_pattern_mismatch":
            return PATTERNS.get(str(bounds["pattern"]), f"should look like {bounds['pattern']}")
        case "literal_error":
            return _none_of(str(bounds["expected"]), value)
        case "value_error":
            return found["msg"].removeprefix("Value error, ")
    if kind in _SINGLE:
        return _KINDS[kind] + _not(value)
    return _KINDS.get(kind) or found["msg"].replace("Input should be", "should be")


def _out_of_bounds(kind: str, bounds: Mapping[str, Any], value: Any) -> str:
    """A number or a length that is too much or too little; empty for what is neither."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    shown = f"{value:g} is" if is_number else "is"
    match kind:
        case "less_than_equal":
            return f"{shown} too much; at most {bounds['le']:g}"
        case "less_than":
            return f"{shown} too much; it must be below {bounds['lt']:g}"
        case "greater_than_equal":
            return f"{shown} too little; at least {bounds['ge']:g}"
        case "greater_than":
            return f"{shown} too little; it must be above {bounds['gt']:g}"
        case "too_short" | "string_too_short":
            least = bounds["min_length"]
            things = "items" if kind == "too_short" else "characters"
            return "is empty; write one at least" if least == 1 else f"has too few {things}; at least {least}"
        case "too_long" | "string_too_long":
            things = "items" if kind == "too_long" else "characters"
            return f"has too many {things}; at most {bounds['max_length']}"
    return ""


def _none_of(expected: str, value: Any) -> str:
    """`'high' should be 'info', 'warning' or 'critical'`, with the word that was nearly written."""
    known: Sequence[str] = re.findall(r"'([^']+)'", expected)
    hint = did_you_mean(value, known) if isinstance(value, str) else ""
    return f"should be {expected}{_not(value)}{hint}"


def _not(value: Any) -> str:
    """`, not 'maybe'`; empty for what is long or odd."""
    plain = isinstance(value, str | int | float) and _SHOWN.fullmatch(str(value))
    return f", not {value!r}" if plain else ""
