"""What somebody has chosen so far, kept so that neither a reload nor a restart loses it.

Addresses and passwords are kept beside it under names of ours, and never sent to a browser again.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from monitor.errors import StoreError
from monitor.schema import Port, read_file
from monitor.store.files import write_private
from monitor.web.model import Model
from monitor.web.rules.templates import TemplateId

FILE = "setup.json"
MOST = 20
"""Sources, and people, that somebody may choose."""
RoomName = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\n\r\t{}$#]+$")]
SoundQuality = Literal["good", "silent", "still", "quiet", "clipping", "hum", "telephone"]
Privacy = Literal["nothing", "no_speech", "everything"]


class ChosenSource(Model):
    """A microphone or camera that is to be listened to."""

    kind: Literal["microphone", "camera"]
    device: Annotated[str, Field(min_length=1, max_length=200)]
    """Of a microphone what `earwitness devices` lists; of a camera the name under which its address is
    kept."""
    room: RoomName
    judged: tuple[SoundQuality, ...] = ()
    """What ten seconds of it were like; empty: nobody has listened yet."""


class ChosenBroker(Model):
    """Where events and alerts are published; its password is kept apart."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,253}$")]
    port: Port = 1883
    username: Annotated[str, Field(max_length=100)] = ""


class ChosenPerson(Model):
    """Somebody who is notified."""

    id: Annotated[str, Field(pattern=r"^PERSON_\d{1,3}$")]
    """The name under which the address is kept."""
    name: RoomName
    arrived: bool = False
    """Whether they said that the test arrived."""


class Choices(Model):
    """Everything that is asked. What nobody has chosen yet is as most houses want it."""

    step: Annotated[int, Field(ge=1, le=5)] = 1
    sources: Annotated[tuple[ChosenSource, ...], Field(max_length=MOST)] = ()
    sounds: tuple[TemplateId, ...] = ("smoke", "co", "break_in", "help")
    privacy: Privacy = "nothing"
    broker: ChosenBroker | None = None
    people: Annotated[tuple[ChosenPerson, ...], Field(max_length=MOST)] = ()


class Drawer:
    """Choices and secrets in the state folder. Methods may wait for a disk; one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def read(self) -> tuple[Choices, dict[str, str]]:
        """What was chosen, and the secrets by name. What cannot be understood is as if it were not there."""
        try:
            kept = json.loads(read_file(self._file))
            return Choices.model_validate(kept["choices"]), dict(kept["secrets"])
        except FileNotFoundError:
            return Choices(), {}
        except OSError as error:
            raise StoreError(f"{self._file}: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, ValidationError):
            return Choices(), {}

    def write(self, choices: Choices, secrets: Mapping[str, str]) -> None:
        """Keep them. Raises StoreError."""
        whole: dict[str, Any] = {"choices": choices.model_dump(mode="json"), "secrets": dict(secrets)}
        write_private(self._file, (json.dumps(whole, indent=1) + "\n").encode())

    def keep(self, kind: str, secret: str) -> str:
        """Keep a secret under a new name, `CAMERA_3`; a camera that is known, with another password perhaps,
        under its own. Raises StoreError."""
        choices, secrets = self.read()
        same = _camera_at if kind == "CAMERA" else str
        known = next(
            (name for name, one in secrets.items() if name.startswith(kind) and same(one) == same(secret)),
            None,
        )
        name = known or next(f"{kind}_{n}" for n in range(1, 1000) if f"{kind}_{n}" not in secrets)
        self.write(choices, {**_still_chosen(secrets, choices, kind), name: secret})
        return name

    def drop_camera(self, name: str) -> bool:
        """Forget a camera, and that it was chosen; whether there was one. Raises StoreError."""
        choices, secrets = self.read()
        if name not in secrets or not name.startswith("CAMERA_"):
            return False
        sources = tuple(one for one in choices.sources if one.device != name)
        rest = {each: secret for each, secret in secrets.items() if each != name}
        self.write(choices.model_copy(update={"sources": sources}), rest)
        return True

    def clear(self) -> None:
        """Begin anew. Raises StoreError."""
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self._file}: {error.strerror}") from error


def _still_chosen(secrets: Mapping[str, str], choices: Choices, kind: str) -> dict[str, str]:
    """Without those of this kind that nobody chose, the oldest first, where there are many."""
    used = {one.device for one in choices.sources} | {one.id for one in choices.people}
    loose = [name for name in secrets if name.startswith(kind) and name not in used]
    return {name: one for name, one in secrets.items() if name not in loose[:-MOST]}


def _camera_at(address: str) -> str:
    """An address without its user and password."""
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def shown(address: str) -> str:
    """An address without what lets somebody in."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # of a service that writes other things there
        return f"{address.partition(':')[0]}://"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return f"{parts.scheme}://{host}{port}{parts.path}"
