"""Where `${NAME}` comes from: the environment, and behind it files that hold one secret each."""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from monitor.schema import read_file, read_text

FOLDER = "credentials"
"""Beside the configuration. The unit file names that of /etc/earwitness in `LoadCredential=`."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Credentials:
    """Values by name. `folder` is the one beside the configuration, None for a document without a file.
    Before it comes the one in which systemd puts what it has read for the service (CREDENTIALS_DIRECTORY)."""

    def __init__(self, environment: Mapping[str, str], folder: Path | None = None) -> None:
        self._environment = environment
        self._folder = folder

    def value(self, name: str) -> str:
        """Raises LookupError, whose text says how to give it."""
        if not _NAME.fullmatch(name):
            raise LookupError("is not set; a name has letters, digits and _ only")
        if name in self._environment:
            return self._environment[name]
        for folder in self._folders():
            # systemd puts the credential's id before the name of a file that it took from a folder.
            for file in (name, f"earwitness_{name}"):
                with suppress(OSError, ValueError):
                    return read_text(folder / file).rstrip("\n")
        raise LookupError(self._fix(name))

    def _folders(self) -> list[Path]:
        systemd = self._environment.get("CREDENTIALS_DIRECTORY")
        return [*([Path(systemd)] if systemd else []), *([self._folder] if self._folder else [])]

    def _fix(self, name: str) -> str:
        if self._folder is not None and _is_closed(self._folder, name):
            return f"is not set, and {self._folder} cannot be read by this user; try it with sudo"
        folder = self._folder or Path("/etc/earwitness", FOLDER)
        return f"is not set; `export {name}=...`, or write it into the file {folder / name}"


def _is_closed(folder: Path, name: str) -> bool:
    """Whether a file may be there that this user may not read."""
    try:
        read_file(folder / name)
    except PermissionError:
        return True
    except OSError:
        return False
    return False
