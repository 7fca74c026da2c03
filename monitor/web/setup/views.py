"""What set-up is asked and what it answers."""

from typing import Annotated, Literal

from pydantic import Field

from monitor.schema import Port
from monitor.web.model import Model
from monitor.web.rules.templates import TemplateId
from monitor.web.setup.choices import Choices


class AddressView(Model):
    """An address that is kept, without what lets somebody in."""

    id: str
    shown: str


class SetupView(Model):
    """Where set-up is."""

    choices: Choices
    cameras: list[AddressView]
    people: list[AddressView]
    broker_password: bool
    """Whether one is kept."""
    sounds: list[TemplateId]
    always: list[TemplateId]
    """Those that cannot be left out."""
    has_file: bool
    """Whether the daemon goes by a configuration that somebody wrote."""
    file: str
    """Where the configuration will be put, or lies."""
    takes_effect: bool
    """Whether it is in force as soon as it is written."""


class DeviceView(Model):
    """A microphone of this machine."""

    id: str
    name: str
    is_default: bool
    source: str | None
    """The source that listens to it already."""


class DeviceList(Model):
    """Every microphone, or why there is none."""

    devices: list[DeviceView]
    problem: str


class NewCamera(Model):
    """A camera's address."""

    address: Annotated[str, Field(max_length=500)]


class Trial(Model):
    """What is to be listened to for ten seconds."""

    kind: Literal["microphone", "camera"]
    device: Annotated[str, Field(min_length=1, max_length=200)]


class NewBroker(Model):
    """A broker and how to sign in."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,253}$")] = "127.0.0.1"
    port: Port = 1883
    username: Annotated[str, Field(max_length=100)] = ""
    password: Annotated[str, Field(max_length=200)] = ""


class BrokerAnswer(Model):
    """What the broker said."""

    answer: Literal["takes us", "wants a password", "no broker", "nobody", "ours"]
    """`ours`: the one that a first run starts where there is none; it ends with it."""


class TestAnswer(Model):
    """Why a test could not be sent; empty: its receiver took it."""

    problem: str


class WrittenView(Model):
    """The configuration, and how it comes into force."""

    yaml: str
    problems: list[str]
    file: str
    secrets: list[str]
    """Names of the files beside it that hold one secret each."""
    commands: list[str]
    """What installs it; none: it is taken up by itself."""
