"""Passwords that stand in a configuration which everybody on the machine can read."""

import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, SecretStr

from monitor.config.credentials import FOLDER
from monitor.config.drafting import Draft
from monitor.config.yaml_document import Document, KeyPath

_OPEN = frozenset(
    {"http", "https", "rtsp", "rtsps", "udp", "json", "jsons", "xml", "xmls", "form", "forms"}
    | {"mailto", "mailtos", "mqtt", "mqtts", "syslog", "rsyslog", "kodi", "kodis", "xbmc", "xbmcs", "growl"}
    | {"dbus", "qt", "glib", "kde", "gnome", "macosx", "windows"}
)
"""Addresses that hold no secret but a password; those of other services may be secrets as a whole."""
_SECRET_KEYS = frozenset({"pass", "password", "token", "key", "apikey", "secret"})
"""What else of an address, after its `?`, lets somebody in."""


def plain_secret_warnings(draft: Draft, document: Document, path: Path) -> Iterator[str]:
    """A line for each secret that stands in the file itself, where others than its owner can read that."""
    if not _is_readable_by_all(path):
        return
    places = (draft.original(place) for place, secret in _secrets(draft.config, ()) if _is_telling(secret))
    for place in dict.fromkeys(map(document.nearest, places)):
        if place and place not in document.filled and place not in document.unset:
            fix = f"write ${{NAME}} there and the secret into {path.resolve().parent / FOLDER}/NAME"
            yield document.about(place, f"a secret that every user of this machine can read; {fix}")


def _is_readable_by_all(path: Path) -> bool:
    """Those who are neither its owner nor of its group can reach the file, too."""
    try:
        whole = path.resolve(strict=True)
        folders = all(each.stat().st_mode & stat.S_IXOTH for each in whole.parents)
        return folders and bool(whole.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _secrets(value: Any, place: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Everything that counts as a secret, with its place."""
    if isinstance(value, SecretStr):
        yield place, value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name, inner in value:
            yield from _secrets(inner, (*place, name))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _secrets(inner, (*place, name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for i, inner in enumerate(value):
            yield from _secrets(inner, (*place, i))


def _is_telling(secret: str) -> bool:
    """Whether it lets somebody in: an address without a password does not."""
    if "://" not in secret:
        return bool(secret)
    try:
        parts = urlsplit(secret)
    except ValueError:  # no address after all
        return True
    keys = {key.lower() for key in parse_qs(parts.query)}
    return parts.scheme.lower() not in _OPEN or bool(parts.password) or not _SECRET_KEYS.isdisjoint(keys)
