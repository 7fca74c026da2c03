"""Which version of a model listened when: so that what people judged is counted for the one that heard it."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor.classifiers.taggers.embedded import EmbeddedConfig, read_sidecar, shipped_model
from monitor.clock import instant
from monitor.config.model import Config
from monitor.errors import ModelError, StoreError
from monitor.logs import get_logger
from monitor.store.files import write_private

log = get_logger()

FILE = "models.json"
"""In the state folder."""
MOST = 500


@dataclass(frozen=True, slots=True)
class Version:
    """From then on a classifier was this."""

    classifier: str
    version: str
    since: datetime


def versions_of(config: Config) -> dict[str, str]:
    """The version of each model of ours, by the name of its classifier; none is loaded."""
    found = {}
    for block in config.classifiers:
        if isinstance(block, EmbeddedConfig):
            with suppress(ModelError):  # the daemon itself reports that
                found[block.name] = read_sidecar(block.model or shipped_model()).version
    return found


def read_versions(folder: Path) -> list[Version]:
    """All that is known, oldest first; what cannot be understood is as good as none."""
    try:
        rows = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return [Version(str(row["classifier"]), str(row["version"]), instant(row["since"])) for row in rows]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []


def note_versions(folder: Path, config: Config, now: datetime) -> None:
    """From now on these listen. Never raises for a disk: verdicts then count for the version before."""
    known = read_versions(folder)
    last = {one.classifier: one.version for one in known}
    fresh = [
        Version(name, version, now)
        for name, version in versions_of(config).items()
        if last.get(name) != version
    ]
    if not fresh:
        return
    for one in fresh:
        if one.classifier in last:
            log.info(
                "the sound model has another version; `eval --mine` shows how it judges your sounds",
                classifier=one.classifier, version=one.version, before=last[one.classifier],
            )  # fmt: skip
    rows = [
        {"classifier": one.classifier, "version": one.version, "since": one.since.isoformat()}
        for one in [*known, *fresh][-MOST:]
    ]
    try:
        write_private(folder / FILE, json.dumps(rows, indent=1).encode())
    except StoreError as error:
        log.warning("the version of the sound model cannot be kept", why=str(error))


def version_at(known: Sequence[Version], classifier: str, at: datetime) -> str:
    """The version of a classifier at that time; empty where it is not known."""
    own = [one for one in known if one.classifier == classifier and one.since <= at]
    return own[-1].version if own else ""
