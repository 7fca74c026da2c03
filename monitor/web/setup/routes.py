"""The API of set-up: what there is, what was chosen, trying it, and writing it. For admins alone."""

import json
from collections.abc import AsyncIterator
from typing import Any

from pydantic import ValidationError
from starlette.responses import StreamingResponse

from monitor.config.model import Config
from monitor.errors import ConfigError, SourceUnavailable
from monitor.logs import get_logger
from monitor.publishers.mqtt.config import MqttConfig
from monitor.publishers.mqtt.probe import ask as ask_broker
from monitor.sources.microphone import MicrophoneConfig
from monitor.sources.portaudio.devices import InputDevice, chosen
from monitor.sources.portaudio.process import list_devices
from monitor.sources.stream.source import StreamConfig
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.rules.templates import ALWAYS, TEMPLATE_IDS
from monitor.web.setup.choices import Choices, ChosenBroker, Drawer, shown
from monitor.web.setup.people import NewPerson, address_of, send_test
from monitor.web.setup.views import (
    AddressView,
    BrokerAnswer,
    DeviceList,
    DeviceView,
    NewBroker,
    NewCamera,
    SetupView,
    TestAnswer,
    Trial,
    WrittenView,
)
from monitor.web.setup.writing import Place, Written, place, put, written
from monitor.web.words import sentence

log = get_logger()

BROKER_S = 5.0
CAMERA_SCHEMES = ("rtsp://", "rtsps://", "http://", "https://")


def state(ask: Ask) -> Answer:
    """What was chosen so far."""
    choices, secrets = Drawer(ask.page.folder).read()
    where = place(ask.page.whole)
    return SetupView(
        choices=choices,
        cameras=[AddressView(id=id, shown=shown(one)) for id, one in _of_kind(secrets, "CAMERA")],
        people=[AddressView(id=id, shown=shown(one)) for id, one in _of_kind(secrets, "PERSON")],
        broker_password="BROKER" in secrets,
        sounds=list(TEMPLATE_IDS),
        always=[one for one in TEMPLATE_IDS if one in ALWAYS],
        has_file=ask.page.whole.file is not None,
        file=where.shown,
        takes_effect=where.target is None,
    )


def _of_kind(secrets: dict[str, str], kind: str) -> list[tuple[str, str]]:
    return [(name, one) for name, one in secrets.items() if name.startswith(f"{kind}_")]


def choose(ask: Ask) -> Answer:
    """Keep what was chosen."""
    drawer = Drawer(ask.page.folder)
    with ask.page.changing:
        _, secrets = drawer.read()
        drawer.write(ask.body, secrets)
    return state(ask)


def begin_anew(ask: Ask) -> Answer:
    """Forget everything that was chosen."""
    with ask.page.changing:
        Drawer(ask.page.folder).clear()
    return None


def devices(ask: Ask) -> Answer:
    """The microphones that there are now."""
    try:
        found = list_devices()
    except SourceUnavailable as error:
        return DeviceList(devices=[], problem=str(error))
    return DeviceList(
        devices=[
            DeviceView(id=one.id, name=one.name, is_default=one.is_default,
                       source=_listening_to(ask.page.whole, one, found))
            for one in found
        ],
        problem="",
    )  # fmt: skip


def _listening_to(config: Config, device: InputDevice, found: list[InputDevice]) -> str | None:
    """The source that has this microphone open: another program cannot have it, too."""
    for block in config.sources:
        if isinstance(block, MicrophoneConfig) and block.enabled and chosen(block.device, found) == [device]:
            return block.name
    return None


def add_camera(ask: Ask) -> Answer:
    """Keep a camera's address. Nothing is opened yet."""
    wanted: NewCamera = ask.body
    address = wanted.address.strip()
    if not address.lower().startswith(CAMERA_SCHEMES):
        text = sentence("setup.camera_begins", ask.language, schemes=", ".join(CAMERA_SCHEMES))
        raise Refusal(422, text)
    try:
        _camera(address)
    except Refusal:
        raise Refusal(422, sentence("setup.camera_like", ask.language)) from None
    with ask.page.changing:
        id = Drawer(ask.page.folder).keep("CAMERA", address)
    return AddressView(id=id, shown=shown(address))


def drop_camera(ask: Ask) -> Answer:
    """Forget a camera's address."""
    with ask.page.changing:
        if not Drawer(ask.page.folder).drop_camera(ask.path["id"]):
            raise Refusal(404, "there is no such camera")
    return None


def _camera(address: str) -> StreamConfig:
    try:
        return StreamConfig.model_validate({"type": "stream", "name": "camera", "url": address})
    except ValidationError as error:
        raise Refusal(422, error.errors()[0]["msg"].removeprefix("Value error, ")) from None


def listen(ask: Ask) -> Answer:
    """Listen for ten seconds. Lines of JSON: `level_dbfs` as it moves, at last `judged` or a `problem`."""
    wanted: Trial = ask.body
    page = ask.page
    if page.trials.is_full:
        raise Refusal(503, "too many are tried at once; wait ten seconds", {"Retry-After": "10"})
    if wanted.kind == "camera":
        _, secrets = Drawer(page.folder).read()
        if wanted.device not in secrets or not wanted.device.startswith("CAMERA_"):
            raise Refusal(404, "there is no such camera; add its address first")
        lines = page.trials.opened(_camera(secrets[wanted.device]))
    elif (source := _source_of(ask, wanted.device)) is not None:
        lines = page.trials.running(source)
    else:
        lines = page.trials.opened(_microphone(wanted.device))
    log.info("a source is tried", kind=wanted.kind, by=ask.by)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(lines), headers=headers, media_type="application/x-ndjson")


def _source_of(ask: Ask, device: str) -> str | None:
    try:
        found = list_devices()
    except SourceUnavailable:
        return None
    return next((_listening_to(ask.page.whole, one, found) for one in found if one.id == device), None)


def _microphone(device: str) -> MicrophoneConfig:
    try:
        return MicrophoneConfig.model_validate({"type": "microphone", "name": "microphone", "device": device})
    except ValidationError as error:
        raise Refusal(422, error.errors()[0]["msg"].removeprefix("Value error, ")) from None


async def _lines(documents: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    async for document in documents:
        yield json.dumps(document, separators=(",", ":")).encode() + b"\n"


def add_person(ask: Ask) -> Answer:
    """Keep an address of somebody. Nothing is sent yet."""
    wanted: NewPerson = ask.body
    try:
        address = address_of(wanted, ask.language)
    except ValueError as error:
        raise Refusal(422, str(error)) from None
    with ask.page.changing:
        id = Drawer(ask.page.folder).keep("PERSON", address)
    # Of ntfy the topic is what they subscribe to; of everything else the address is a key.
    view = address if wanted.service == "ntfy" else shown(address)
    return AddressView(id=id, shown=view)


def test_person(ask: Ask) -> Answer:
    """Send somebody a test."""
    _, secrets = Drawer(ask.page.folder).read()
    address = secrets.get(ask.path["id"])
    if address is None or not ask.path["id"].startswith("PERSON_"):
        raise Refusal(404, "there is no such person; add an address first")
    problem = send_test(address, ask.page.house.node, ask.language, ask.page.clock)
    return TestAnswer(problem=problem)


def set_broker(ask: Ask) -> Answer:
    """Ask a broker whether it takes us; one that does is kept."""
    wanted: NewBroker = ask.body
    if _is_ours(ask.page.whole, wanted):
        return BrokerAnswer(answer="ours")
    sign_in = (wanted.username or None, wanted.password or None)
    answer = ask_broker(wanted.host, wanted.port, BROKER_S, *sign_in)
    if answer == "takes us":
        drawer = Drawer(ask.page.folder)
        with ask.page.changing:
            choices, secrets = drawer.read()
            kept = {name: one for name, one in secrets.items() if name != "BROKER"}
            secret = {"BROKER": wanted.password} if wanted.password else {}
            broker = ChosenBroker(host=wanted.host, port=wanted.port, username=wanted.username)
            drawer.write(choices.model_copy(update={"broker": broker}), {**kept, **secret})
    return BrokerAnswer(answer=answer)


def _is_ours(config: Config, wanted: NewBroker) -> bool:
    """A first run goes to a broker of its own in the version that this one speaks."""
    mqtt = [block for block in config.publishers if isinstance(block, MqttConfig)]
    own = {(one.host, one.port) for one in mqtt if config.file is None and one.protocol == "3.1.1"}
    return (wanted.host.replace("localhost", "127.0.0.1"), wanted.port) in own


def preview(ask: Ask) -> Answer:
    """What would be written."""
    found = _written(ask)
    return _view(found, place(ask.page.whole))


def write(ask: Ask) -> Answer:
    """Write it; where nobody has a configuration it is taken up at once."""
    page = ask.page
    with page.changing:
        found, where = _written(ask), place(page.whole)
        view = _view(found, where)
        if view.problems:
            raise Refusal(422, "; ".join(view.problems))
        put(found, where)
    log.info("a configuration was written on the page", file=str(where.file), by=ask.by)
    if where.target is None:
        page.look()
    return view


def _written(ask: Ask) -> Written:
    choices, secrets = Drawer(ask.page.folder).read()
    return written(choices, secrets, ask.page.whole, ask.language)


def _view(found: Written, where: Place) -> WrittenView:
    problems: list[str] = []
    try:
        found.check()
    except ConfigError as error:
        problems = error.problems
    return WrittenView(
        yaml=found.text, problems=problems, file=where.shown, secrets=list(found.secrets),
        commands=where.commands,
    )  # fmt: skip


ROUTES = (
    Route("GET", "api/setup", "Where set-up is", state, "change", answer=SetupView),
    Route("PUT", "api/setup", "Keep what was chosen", choose, "change", body=Choices, answer=SetupView),
    Route("DELETE", "api/setup", "Begin set-up anew", begin_anew, "change", status=204),
    Route("GET", "api/setup/devices", "The microphones of this machine", devices, "change",
          answer=DeviceList),
    Route("POST", "api/setup/cameras", "Keep a camera's address", add_camera, "change", body=NewCamera,
          answer=AddressView),
    Route("DELETE", "api/setup/cameras/{id}", "Forget a camera", drop_camera, "change", status=204,
          fails=(404,)),
    Route("POST", "api/setup/listen", "Listen for ten seconds", listen, "change", body=Trial,
          answer="application/x-ndjson", fails=(404, 503)),
    Route("POST", "api/setup/people", "Keep an address of somebody", add_person, "change", body=NewPerson,
          answer=AddressView),
    Route("POST", "api/setup/people/{id}/test", "Send somebody a test", test_person, "change",
          answer=TestAnswer, fails=(404,)),
    Route("PUT", "api/setup/broker", "Ask a broker, and keep it", set_broker, "change", body=NewBroker,
          answer=BrokerAnswer),
    Route("GET", "api/setup/configuration", "What would be written", preview, "change", answer=WrittenView),
    Route("POST", "api/setup/configuration", "Write it", write, "change", answer=WrittenView),
)  # fmt: skip
