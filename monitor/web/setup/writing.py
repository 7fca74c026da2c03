"""From choices to the configuration that a person would have written: commented, checked, and put where it
belongs or beside it."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from monitor.config.credentials import FOLDER
from monitor.config.loading import BUILT_IN, OWN, check_document
from monitor.config.model import Config, own_name
from monitor.config.web import WebConfig
from monitor.config.yaml_document import parse_document
from monitor.errors import StoreError
from monitor.schema import RESERVED_SOURCES, slug
from monitor.store.files import write_private
from monitor.web.rules.templates import chosen, rules_of
from monitor.web.setup.choices import Choices
from monitor.web.words import sentence

NAME = "earwitness.yaml"
PEOPLE = "phones"
SERVICE = Path("/etc/earwitness") / NAME


@dataclass(frozen=True, slots=True)
class Written:
    """A configuration as a text, and the secrets that it names."""

    text: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def check(self) -> Config:
        """What `earwitness check` finds. Raises ConfigError with every problem."""
        return check_document(parse_document(self.text.encode(), NAME, self.secrets))


def written(choices: Choices, secrets: Mapping[str, str], config: Config, language: str) -> Written:
    """The configuration; `config` is the one in force, whose name and page stay as they are."""
    author = _Author(choices, secrets, config, language)
    return Written("\n\n".join(part.rstrip() for part in author.parts()) + "\n", author.used)


class _Author:
    """Writes one configuration, part by part, and remembers which secrets it named."""

    def __init__(self, choices: Choices, secrets: Mapping[str, str], config: Config, language: str) -> None:
        self.used: dict[str, str] = {}
        self._choices = choices
        self._secrets = secrets
        self._config = config
        self._language = language
        self._people = [PEOPLE] if any(one.id in secrets for one in choices.people) else []

    def parts(self) -> Iterator[str]:
        """Each with its comment; in the order of the guide."""
        yield self._comment("written.head") + _yaml({"node": self._node()} | self._told() | self._state())
        yield self._comment("written.sources") + _yaml({"sources": [*self._sources()]})
        yield self._comment("written.rules") + "rules:\n" + "\n".join(self._rules())
        yield self._comment("written.publishers") + _yaml({"publishers": self._publishers()})
        if self._people:
            yield self._comment("written.notifiers") + _yaml({"notifiers": [self._notifier()]})
        yield self._comment(f"written.privacy.{self._choices.privacy}") + _yaml(self._evidence())
        if page := _differing(self._config.web):
            yield self._comment("written.web") + _yaml({"web": page})

    def _comment(self, key: str, indent: str = "") -> str:
        return "".join(f"{indent}# {line}\n" for line in sentence(key, self._language).split("\n"))

    def _told(self) -> dict[str, str]:
        """Who sets it up in a language is told in it; English needs no word."""
        return {} if self._language == "en" else {"language": self._language}

    def _node(self) -> str:
        """The built-in scene is a house of its own, whose name is not for a real one."""
        is_scene = all(source.type == "demo" for source in self._config.sources)
        return own_name() if is_scene else self._config.node

    def _state(self) -> dict[str, str]:
        """A service's own folder is named, or `explain` would look into root's home."""
        folder = self._config.state_dir or os.environ.get("STATE_DIRECTORY", "").split(":")[0]
        is_plain = self._config.file is None or self._config.file == BUILT_IN
        return {} if is_plain or not folder else {"state_dir": str(folder)}

    def _sources(self) -> Iterator[dict[str, Any]]:
        taken = set(RESERVED_SOURCES)
        for one in self._choices.sources:
            if one.kind == "camera" and one.device not in self._secrets:
                continue
            name = _free(slug(one.room), taken)
            common = {"name": name, "area": one.room}
            if one.kind == "microphone":
                yield {"type": "microphone", **common, "device": one.device}
            else:
                secret = self._named(f"{name.upper().replace('-', '_')}_URL", self._secrets[one.device])
                yield {"type": "stream", **common, "url": secret}

    def _rules(self) -> Iterator[str]:
        for template in chosen(self._choices.sounds):
            why = self._comment(f"template.{template}.why", "  ")
            yield why + _yaml(rules_of(template, self._language, self._people), "  ").rstrip()

    def _publishers(self) -> list[dict[str, Any]]:
        broker = self._choices.broker
        if broker is None:
            return []
        found: dict[str, Any] = {"type": "mqtt", "host": broker.host, "port": broker.port}
        if broker.username:
            found["username"] = broker.username
        if password := self._secrets.get("BROKER"):
            found["password"] = self._named("MQTT_PASSWORD", password)
        return [found]

    def _notifier(self) -> dict[str, Any]:
        people = [one for one in self._choices.people if one.id in self._secrets]
        urls = [
            self._named(f"{slug(one.name).upper().replace('-', '_')}_ADDRESS", self._secrets[one.id])
            for one in people
        ]
        return {"type": "notify", "name": PEOPLE, "urls": urls}

    def _evidence(self) -> dict[str, Any]:
        match self._choices.privacy:
            case "nothing":
                return {"evidence": {"clips": False}}
            case "no_speech":
                return {"evidence": {"clips": True, "pictures": True, "no_speech": True}}
            case "everything":
                return {"evidence": {"clips": True, "pictures": True, "no_speech": False}}

    def _named(self, wanted: str, secret: str) -> str:
        """A secret's name in place of it."""
        name = next(one for one in _numbered(wanted) if self.used.get(one, secret) == secret)
        self.used[name] = secret
        return f"${{{name}}}"


def _free(wanted: str, taken: set[str]) -> str:
    name = next(one for one in _numbered(wanted) if one not in taken)
    taken.add(name)
    return name


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name[:44]}_{n}" for n in range(2, 1000))


def _differing(web: WebConfig) -> dict[str, Any]:
    """How the page is reached, where that is not the default. Its passwords in the configuration are not
    written anew: whoever has them there keeps that file's part."""
    found: dict[str, Any] = web.model_dump(mode="json", exclude_defaults=True)
    return {key: value for key, value in found.items() if key not in ("password", "viewer_password")}


def _yaml(value: Any, indent: str = "") -> str:
    text = yaml.dump(value, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
    return "".join(f"{indent}{line}" for line in text.splitlines(keepends=True))


class _Plain(yaml.SafeDumper):
    """As people write: lists indented below their key, short lists and words on a line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _words(dumper: yaml.SafeDumper, found: Sequence[Any]) -> yaml.Node:
    flow = all(isinstance(one, str) for one in found)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", found, flow_style=flow)


def _text(dumper: yaml.SafeDumper, found: str) -> yaml.Node:
    """In quotes where a person would write them."""
    style = '"' if set(found) & set("${}:#,=[]") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", found, style=style)


_Plain.add_representer(list, _words)
_Plain.add_representer(str, _text)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a configuration is put."""

    file: Path
    target: Path | None
    """Where whoever runs this has to put it; None: it is there already, and taken up at once."""
    is_service: bool = False

    @property
    def shown(self) -> str:
        """As a person writes it: `~` is the home of whoever runs this."""
        home = Path("~").expanduser()
        return f"~/{self.file.relative_to(home)}" if self.file.is_relative_to(home) else str(self.file)

    @property
    def commands(self) -> list[str]:
        """What installs it."""
        if self.target is None:
            return []
        root, folder = ("sudo " if self.is_service else ""), self.target.parent
        lines = [f"{root}install -D -m 644 {_quoted(self.file)} {_quoted(self.target)}"]
        if (self.file.parent / FOLDER).is_dir():
            kept = f"{_quoted(self.file.parent / FOLDER)}/*"
            inner = f"install -D -m 600 -t {_quoted(folder / FOLDER)} {kept}"
            lines.append(f"sudo sh -c {json.dumps(inner)}" if self.is_service else inner)
        restart = "sudo systemctl restart earwitness" if self.is_service else None
        return [*lines, *filter(None, [restart])]


def _quoted(path: Path) -> str:
    text = str(path)
    return text if all(letter.isalnum() or letter in "/._-" for letter in text) else f"'{text}'"


def place(config: Config, environment: Mapping[str, str] = os.environ) -> Place:
    """Where the set-up's configuration goes. A file that somebody has is theirs: it is never written. Where
    the usual folder cannot be written, as on a read-only system, it goes beside the state, too."""
    is_service = "STATE_DIRECTORY" in environment
    own = OWN.expanduser()
    if config.file is None and not is_service and not own.exists() and _may_be_made(own):
        return Place(own, None)
    theirs = None if config.file == BUILT_IN else config.file
    target = theirs or (SERVICE if is_service else own)
    return Place(config.state_folder() / "setup" / NAME, target, is_service)


def _may_be_made(file: Path) -> bool:
    nearest = next(folder for folder in file.parents if folder.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def put(found: Written, where: Place) -> None:
    """Write it, its secrets first. Raises StoreError."""
    folder = where.file.parent / FOLDER
    try:
        if where.target is not None and folder.is_dir():
            for old in folder.iterdir():
                old.unlink()
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}") from error
    for name, secret in found.secrets.items():
        write_private(folder / name, secret.encode())
    write_private(where.file, found.text.encode())
