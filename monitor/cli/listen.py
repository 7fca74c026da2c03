"""Commands that listen: run and demo."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.console import DEMO, NOWHERE, ConfigOption, chosen_config, note, warn
from monitor.cli.external_files import check_outside
from monitor.cli.lives import Lives, is_shown_here
from monitor.config.loading import BUILT_IN, default_config, find_config, load_config, retaught
from monitor.config.model import Config, usual_state_folder
from monitor.config.overrides import with_overrides
from monitor.errors import EarwitnessError, SourceUnavailable
from monitor.logs import configure_logging, get_logger
from monitor.publishers.jsonl import JsonlConfig
from monitor.publishers.terminal.console import ConsoleConfig

log = get_logger()
MQTT_PORT = 1883
HERE = "standard-output"
"""Name of the publisher that a command adds."""

AsJson = Annotated[
    bool, typer.Option("--json", help="Events and alerts as JSON, one object a line, instead of text.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Also one line for every sound that was cut.")]
PagePort = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, help="Port of the page, instead of the configured one (8199)."),
]
MqttPort = Annotated[
    int,
    typer.Option(
        min=1,
        max=65535,
        help="Without a configuration: the port of the MQTT broker on this machine. If another program uses "
        "it, the demo takes the next free one.",
    ),
]
MOST_PORT = 65535


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(rich_help_panel="Listen")(run)
    app.command(rich_help_panel="Listen")(demo)


def run(
    config: ConfigOption = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
    port: PagePort = None,
    mqtt_port: MqttPort = MQTT_PORT,
) -> None:
    """Listen, publish events, and notify people of alerts.

    Without a configuration it uses the default microphone, or the built-in demo scene if there is none, and
    the embedded classifier. It publishes to Home Assistant over the MQTT broker on this machine, or over a
    broker of its own if there is none. The set-up on its page writes a configuration. Stop it with Ctrl-C.
    SIGUSR1 prints the health report. Without a terminal, SIGHUP reads the configuration again.

    On a terminal it shows what is heard. With --json it writes that to standard output. The log goes to
    standard error, as JSON if that is no terminal.

    Exit code 0 after an orderly stop, 1 after an error, 78 when the configuration is wrong.
    """
    given, path = chosen_config(config)
    if given is not None and path is not None:
        check_outside(given, path)
        configure_logging(level="warning", json=given.log.json_lines)
        note(f"Configuration: {path}")
    with ExitStack() as life:
        if path is not None:
            _listen(given or _read(path), verbose, as_json, lambda: _read(path), port=port)
        else:
            bare = _first_run(life, mqtt_port)
            again = partial(_read_by_now, bare)
            _listen(with_overrides(retaught(bare)), verbose, as_json, again, has_file=False, port=port)


def _read_by_now(bare: Config) -> Config:
    """What somebody has written meanwhile; nothing yet: as before."""
    path = find_config()
    return _read(path) if path else with_overrides(retaught(bare))


def _read(path: Path) -> Config:
    config = load_config(path)
    check_outside(config, path)
    return config


def demo(
    as_json: AsJson = False,
    verbose: Verbose = False,
    port: PagePort = None,
    mqtt_port: MqttPort = MQTT_PORT,
) -> None:
    """Listen to a built-in scene: door bell, knocks, a siren, a bang, a voice and a smoke alarm."""
    note("Demo: listening to a built-in scene, over and over, with a smoke alarm near its end.")
    with ExitStack() as life:
        # Whoever wants to see the scene is not asked to set anything up.
        scene = scene_config(*find_broker(life, mqtt_port, or_next=True)).of_file(BUILT_IN)
        _listen(scene, verbose, as_json, port=port)


def _listen(
    config: Config,
    verbose: bool,
    as_json: bool,
    read: Callable[[], Config] | None = None,
    has_file: bool = True,
    port: int | None = None,
) -> None:
    def shown(config: Config) -> Config:
        if port is not None:
            config = config.model_copy(update={"web": config.web.model_copy(update={"port": port})})
        return shown_here(config, as_json=as_json, on_terminal=sys.stdout.isatty())

    try:
        again = read and (lambda: shown(read()))
        Lives(shown(config), again, verbose=verbose, heeds_hangups=has_file).listen()
    except EarwitnessError:
        raise
    except Exception as error:
        log.critical("stopped by a bug; please report this", exc_info=error)
        raise typer.Exit(1) from None


def shown_here(config: Config, *, as_json: bool, on_terminal: bool) -> Config:
    """With a publisher on standard output: lines of JSON where they are asked for; else text on a terminal,
    also where the configuration has none, for whoever starts it there wants to see what it hears."""
    publishers = [block for block in config.publishers if not (as_json and block.type == "console")]
    if any(map(is_shown_here, publishers)):
        return config.model_copy(update={"publishers": publishers})
    if as_json:
        publishers.append(JsonlConfig(type="jsonl", name=HERE))
    elif on_terminal:
        publishers.append(ConsoleConfig(type="console", name=HERE))
    return config.model_copy(update={"publishers": publishers})


def _first_run(life: ExitStack, mqtt_port: int) -> Config:
    """The defaults, with what this machine has."""
    if _has_microphone():
        note("No configuration: listening to the default microphone.")
        source = {"type": "microphone", "name": "microphone"}
        return default_config([source], *find_broker(life, mqtt_port))
    note("No configuration and no microphone: listening to the built-in demo scene.")
    return scene_config(*find_broker(life, mqtt_port, or_next=True))


def scene_config(mqtt_port: int, mqtt_protocol: str) -> Config:
    """The demo scene as a house of its own: other topics than the real daemon of this machine, another name
    at the broker, and nothing kept beside that one's state. Its smoke alarm must not ring in a house, neither
    now nor when a broker that refuses it takes it later.
    """
    own = {"node": DEMO, "state_dir": usual_state_folder() / DEMO}
    return default_config([NOWHERE], mqtt_port, mqtt_protocol).model_copy(update=own)


def _has_microphone() -> bool:
    from monitor.sources.portaudio.process import list_devices

    try:
        return bool(list_devices())
    except SourceUnavailable as error:
        warn(str(error))
        return False


def find_broker(life: ExitStack, port: int = MQTT_PORT, *, or_next: bool = False) -> tuple[int, str]:
    """Port and MQTT version of a broker on this machine: the one that is there, or our own, open in `life`.

    What is there and will not serve us is said with its fix; the daemon asks it again all the same, or, with
    `or_next`, takes the next port that is free.
    """
    from monitor.publishers.mqtt.probe import ask

    place = f"127.0.0.1:{port}"
    match ask("127.0.0.1", port):
        case "nobody":
            from monitor.publishers.mqtt.broker import Broker

            broker = life.enter_context(Broker(port))
            note(f"MQTT: no broker answers on {place}; started one there, for this machine only.")
            return broker.port, "3.1.1"
        case "wants a password" | "no broker" if or_next and port < MOST_PORT:
            warn(f"port {port} is taken by something that does not serve us; trying {port + 1}")
            return find_broker(life, port + 1, or_next=True)
        case "wants a password":
            warn(f"the MQTT broker on {place} wants a user name and a password; {_OWN_CONFIG}")
        case "no broker":
            warn(f"what listens on {place} does not answer like an MQTT broker; stop it, or {_OWN_CONFIG}")
        case "takes us":
            note(f"MQTT: the broker on {place}")
    return port, "auto"


_OWN_CONFIG = (
    "copy config/minimal.yaml to earwitness.yaml and set `host`, `username` and `password` of its mqtt "
    "publisher. Until then nothing goes over MQTT."
)
