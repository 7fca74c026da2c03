"""Which version of a model listened when: so that what people judged is counted for the one that heard it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.classifiers.taggers.embedded import EmbeddedConfig, read_sidecar, shipped_model
from monitor.clock import instant
from monitor.config.model import Config
from monitor.errors import ModelError
from monitor.logs import Lapse, get_logger
from monitor.store.kept_file import KeptFile

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
    return _file(folder).read(_understood) or []


class KeptVersions:
    """Which versions listen, noted as they change. Never raises for a disk: what it does not take is
    logged once, and written when it takes it again. One thread, which may wait for a disk."""

    def __init__(self, folder: Path) -> None:
        self._file = _file(folder)

    def note(self, versions: Mapping[str, str], now: datetime) -> None:
        """From now on these listen, by the names of their classifiers."""
        known = self._file.read(_understood) or []
        last = {one.classifier: one.version for one in known}
        fresh = [
            Version(name, version, now) for name, version in versions.items() if last.get(name) != version
        ]
        for one in fresh:
            if one.classifier in last:
                log.info(
                    "the sound model has another version; `eval --mine` shows how it judges your sounds",
                    classifier=one.classifier, version=one.version, before=last[one.classifier],
                )  # fmt: skip
        if fresh:
            self._file.write([_as_json(one) for one in [*known, *fresh][-MOST:]])

    def tend(self) -> None:
        """Write what the disk did not take before."""
        self._file.write_again()


def _file(folder: Path) -> KeptFile:
    return KeptFile(
        folder / FILE,
        "which versions of the sound model listened is not known any more",
        Lapse(
            "the version of the sound model is not being kept", "the version of the sound model is kept again"
        ),
    )


def _understood(rows: Any) -> list[Version]:
    return [Version(str(row["classifier"]), str(row["version"]), instant(row["since"])) for row in rows]


def _as_json(one: Version) -> dict[str, str]:
    return {"classifier": one.classifier, "version": one.version, "since": one.since.isoformat()}


def version_at(known: Sequence[Version], classifier: str, at: datetime) -> str:
    """The version of a classifier at that time; empty where it is not known."""
    own = [one for one in known if one.classifier == classifier and one.since <= at]
    return own[-1].version if own else ""
