"""What pydantic finds wrong with a document, in the words of who wrote it.

Values are left out: they may be secrets.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from monitor.config.mistakes.plain_words import NOT_SHOWN, plain_words
from monitor.config.model import Config
from monitor.config.yaml_document import Document, KeyPath
from monitor.labels import did_you_mean

_MEANT = {
    "host": ("hostname", "server", "broker", "ip", "address"),
    "username": ("user", "login"),
    "password": ("pass", "passwd", "secret"),
    "url": ("uri", "stream", "link"),
    "path": ("file", "filename"),
    "name": ("id", "title"),
    "hear": ("labels", "label", "sounds", "sound", "listen"),
    "between": ("time", "hours"),
    "count": ("times", "repeats"),
    "within_s": ("within", "window"),
    "publishers": ("mqtt", "publisher"),
    "sources": ("source", "microphones", "cameras"),
    "notifiers": ("notify", "notifier", "notifications"),
    "classifiers": ("classifier", "models", "listeners"),
    "rules": ("rule", "alerts"),
}
"""Keys of ours, and what others call the same."""
_TYPES_MEANT = {
    "stream": ("camera", "rtsp", "rtsps", "hls", "ip_camera"),
    "microphone": ("mic", "usb", "alsa", "soundcard"),
    "file": ("recording", "wav"),
    "notify": ("ntfy", "apprise", "telegram", "pushover", "mail", "email"),
    "mqtt": ("homeassistant", "home_assistant", "broker"),
}
"""Types of ours, and what others call the same."""
_PLAIN_KEY = re.compile(r"[\w.-]{1,60}")
_HOST_AND_PORT = re.compile(r"([^:/@\s]+|\[[0-9a-fA-F:]+\]):(\d{1,5})")


def problem_lines(error: ValidationError, document: Document, place: KeyPath = ()) -> Iterator[str]:
    """One line per problem: `file:line: place: what is wrong`."""
    for found in error.errors(include_url=False, include_input=False):
        if line := problem_line(found, document, (*place, *found["loc"])):
            yield line


def problem_line(found: ErrorDetails, document: Document, whole: KeyPath) -> str:
    """The line of one problem at a place; empty where that was reported when the document was read."""
    if document.nearest(whole) in document.unread:
        return ""
    if found["type"] == "extra_forbidden" and not _PLAIN_KEY.fullmatch(str(whole[-1])):
        # The rest of a password with a comma in it must not be shown as a key.
        text = 'a comma ends a text without quotes, and what follows is no key; put it in quotes: "..."'
        return document.about(document.nearest(whole[:-1]), text)
    return document.about(whole, _plain(found, document, whole))


def _plain(found: ErrorDetails, document: Document, place: KeyPath) -> str:
    key = str(place[-1]) if place else ""
    match found["type"]:
        case "extra_forbidden" if key.isdecimal():
            return f"a comma ends a number; write a point, as in 0.{key}"
        case "extra_forbidden":
            return f"unknown key {key!r}{_meant(key, place)}"
        case "missing":
            return _missing(document, place)
        case "union_tag_not_found":
            return "needs a `type`"
        case "union_tag_invalid":
            tag, known = str(found["ctx"]["tag"]), str(found["ctx"]["expected_tags"])
            hint = _type_meant(tag, re.findall(r"'(\w+)'", known))
            return f"unknown type {tag!r}{hint} (there are {known})"
        case "list_type" | "tuple_type":
            return _no_list(document.value(place), key)
        case "dict_type" | "model_type" | "model_attributes_type":
            return _no_mapping(document.value(place))
        case "float_parsing" | "float_type" if key.endswith("_s"):
            return _no_seconds(document.value(place), place)
        case "less_than_equal" if share := _percent(document.value(place), found):
            return f"should be between 0 and 1; did you mean {share}?"
        case _:
            hidden = document.nearest(place) in document.filled
            return plain_words(found, NOT_SHOWN if hidden else document.value(place))


_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_LENGTH = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*([a-z]{1,3})", re.IGNORECASE)
_NEVER = ("never", "none", "off", "no", "false")


def _no_seconds(value: Any, place: KeyPath) -> str:
    """Names the unit, and the number that was meant where it is plain."""
    text = "should be a number of seconds, such as 300"
    found = _LENGTH.fullmatch(value.strip()) if isinstance(value, str) else None
    if found and (unit_s := _SECONDS.get(found[2].lower())):
        return f"{text}; {found[0]} is {float(found[1]) * unit_s:g}"
    if str(value).lower() in _NEVER and "0: never" in " ".join(_description(place).split()):
        return f"{text}; 0 is never"
    return text


def _percent(value: Any, found: ErrorDetails) -> str:
    """What a share written in percent is from 0 to 1; empty where it is none."""
    is_percent = isinstance(value, int | float) and 2 <= value <= 100
    return f"{value / 100:g}" if found["ctx"]["le"] == 1 and is_percent else ""


def _description(place: KeyPath) -> str:
    nodes = [_schema()]
    for part in place:
        nodes = [below for node in nodes for below in _below(node, part)]
    return " ".join(str(node.get("description", "")) for node in nodes)


def _missing(document: Document, place: KeyPath) -> str:
    if not document.values:
        return (
            "is required, and the file is empty; start from config/minimal.yaml, or with "
            "`sources: [{type: microphone, name: kitchen}]`"
        )
    return "is required"


def _no_list(value: Any, key: str) -> str:
    """Shows the dash where it belongs."""
    if value is None and key == "sources":
        return "nothing stands below it; list one at least, such as `- {type: microphone, name: kitchen}`"
    if value is None:
        return f"nothing stands below it; write `{key}: []` for none, or leave it out"
    if not isinstance(value, Mapping) or not value:
        return "is a list; begin each item with `- `, or write [one, another]"
    first, inner = next(iter(value.items()))
    if isinstance(inner, Mapping):
        return f"is a list; write each item as `- ` with its keys, for example `- {{name: {first}, ...}}`"
    return f"is a list; begin each item with `- `: here `- {first}: ...`, and indent the keys after it"


def _no_mapping(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "has keys, and is no list; leave out the `- ` and write `key: value`"
    if value is None:
        return "nothing stands below it; write its keys there, or leave it out"
    return "has keys of its own; write them below it, each as `key: value`"


def _meant(key: str, place: KeyPath) -> str:
    """What is called so elsewhere, or is nearly written so, among the keys that may stand here."""
    known = _keys_at(place[:-1]) or _all_keys()
    if others := [ours for ours, names in _MEANT.items() if ours in known and key.lower() in names]:
        return f"; did you mean {others[0]!r}?"
    return did_you_mean(key, known)


def _type_meant(tag: str, known: Sequence[str]) -> str:
    ours = [one for one in known if tag.lower() in _TYPES_MEANT.get(one, ())]
    return f"; did you mean {ours[0]!r}?" if ours else did_you_mean(tag, known)


def meant_key(key: str, place: KeyPath) -> str:
    """The key of ours that an unknown one stands for; empty where none is near."""
    found = re.search(r"did you mean '([^']+)'", _meant(key, place))
    return found[1] if found else ""


@cache
def _schema() -> dict[str, Any]:
    return Config.model_json_schema()


def _all_keys() -> frozenset[str]:
    blocks = [_schema(), *_schema().get("$defs", {}).values()]
    return frozenset(key for block in blocks for key in block.get("properties", {}))


def _keys_at(place: KeyPath) -> frozenset[str]:
    """The keys of the block at a place, which has the names of variants in it; none where that is unclear."""
    nodes = [_schema()]
    for part in place:
        nodes = [below for node in nodes for below in _below(node, part)]
    return frozenset(key for node in nodes for key in _resolved(node).get("properties", {}))


def _below(node: dict[str, Any], part: str | int) -> Iterator[dict[str, Any]]:
    node = _resolved(node)
    for inner in node.get("anyOf", []):
        yield from _below(inner, part)
    if isinstance(part, int):
        yield from [node["items"]] if "items" in node else []
    elif part in node.get("properties", {}):
        yield node["properties"][part]
    elif part in node.get("discriminator", {}).get("mapping", {}):
        yield {"$ref": node["discriminator"]["mapping"][part]}
    elif isinstance(node.get("additionalProperties"), dict):
        yield node["additionalProperties"]


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        found: dict[str, Any] = _schema()["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        return found
    return node


def ports_in_hosts(document: Document) -> Iterator[str]:
    """A port behind a name would be looked up as a part of it; an IPv6 address has more than one colon."""
    for place in (one for one in document.lines if one[-1] == "host"):
        value = document.value(place)
        if isinstance(value, str) and (found := _HOST_AND_PORT.fullmatch(value)):
            text = f"the port has a key of its own; write `host: {found[1]}` and `port: {found[2]}`"
            yield document.about(place, text)
