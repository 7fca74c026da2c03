"""Takes out of any document what could be a secret, a name of a person, a word that was spoken, or a place.

By a list of what may stay, not of what must go: numbers, yes and no, words that are ours (sounds, kinds,
severities, fixed choices), and the names of sources, classifiers and receivers, which every log line has.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from monitor.config.model import Config
from monitor.labels import emotions, sounds
from monitor.rules.model import WEEKDAYS

TEXT = "(text)"
"""Stands for what was taken out."""
_TIMES = re.compile(r"\d{2}:\d{2}-\d{2}:\d{2}|\d{4}-\d\d-\d\d[T ][\d:.+Z-]*")


def known_words(config: Config) -> frozenset[str]:
    """What may stay in this house."""
    blocks = (*config.sources, *config.classifiers, *config.publishers, *config.notifiers)
    names = {block.name for block in blocks}
    return frozenset({*names, *sounds(), *emotions(), *WEEKDAYS, *_choices()})


def plain(value: Any, words: Collection[str]) -> Any:
    """`value` with every other text replaced. Keys stay where they are of ours, or among `words`."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {_key(str(key), words): plain(one, words) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one, words) for one in value]
    text = str(value)
    return text if text in words or _TIMES.fullmatch(text) else TEXT


def _key(key: str, words: Collection[str]) -> str:
    """A key of a document of ours has been written by us; one that a person chose is a name."""
    return key if key in words or key in _keys() or ("." in key and _key_parts_known(key, words)) else TEXT


def _key_parts_known(key: str, words: Collection[str]) -> bool:
    return all(part in words or part in _keys() for part in key.split("."))


def configuration(config: Config) -> dict[str, Any]:
    """The configuration as far as it was written, without what is nobody's business."""
    document: dict[str, Any] = plain(config.model_dump(mode="json", exclude_unset=True), known_words(config))
    return document


@cache
def _keys() -> frozenset[str]:
    """Every key that a configuration can have."""
    schema = Config.model_json_schema()
    blocks = [schema, *schema["$defs"].values()]
    return frozenset(key for block in blocks for key in block.get("properties", {}))


@cache
def _choices() -> frozenset[str]:
    """Every fixed choice of a configuration (`Literal`)."""
    return frozenset(_chosen(Config.model_json_schema()))


def _chosen(node: Any) -> set[str]:
    if isinstance(node, list):
        return {word for one in node for word in _chosen(one)}
    if not isinstance(node, dict):
        return set()
    own = {*node.get("enum", ()), *([node["const"]] if "const" in node else [])}
    return {one for one in own if isinstance(one, str)} | {w for one in node.values() for w in _chosen(one)}
