"""Commands that listen: run and demo."""

import json
import signal
import socket
from contextlib import ExitStack
from typing import Annotated

import typer

from monitor.cli.console import ConfigOption, chosen_config, err, warn
from monitor.config import Config
from monitor.errors import EarwitnessError, SourceUnavailable
from monitor.loading import default_config
from monitor.logs import configure_logging, get_logger
from monitor.types import Health

log = get_logger()
MQTT_PORT = 1883

Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Also one line for every sound that was cut.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(rich_help_panel="Listen")(run)
    app.command(rich_help_panel="Listen")(demo)


def run(config: ConfigOption = None, verbose: Verbose = False) -> None:
    """Listen, and tell the house.

    Without a configuration: the default microphone, or the built-in demo scene where there is none; the
    embedded classifier; Home Assistant over the MQTT broker on this machine, or a broker of its own if there
    is none. Stop with Ctrl-C. SIGUSR1 prints how it keeps up.

    Exit code 0 after an orderly stop, 1 after an error, 78 when the configuration is wrong.
    """
    given, path = chosen_config(config)
    if given is not None:
        err.print(f"Configuration: {path}", highlight=False)
    with ExitStack() as life:
        _listen(given or _first_run(life), verbose)


def demo(verbose: Verbose = False) -> None:
    """Listen to a built-in scene: door bell, knocks, a siren, a bang, a voice and a smoke alarm."""
    with ExitStack() as life:
        _listen(default_config([{"type": "demo", "name": "demo"}], _broker(life)), verbose)


def _listen(config: Config, verbose: bool) -> None:
    from monitor.app import Daemon

    configure_logging(level=_log_level(config, verbose), json=config.log.json_lines)
    daemon = Daemon(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: daemon.stop())
    signal.signal(signal.SIGUSR1, lambda *_: daemon.tell_health(_print_health))
    try:
        with daemon:
            daemon.run()
    except EarwitnessError:
        raise
    except Exception as error:
        log.critical("stopped by a bug; please report this", exc_info=error)
        raise typer.Exit(1) from None


def _log_level(config: Config, verbose: bool) -> str:
    """On a terminal the console publisher tells what was heard; the log would say it twice."""
    if verbose:
        return "info"
    on_terminal = err.is_terminal and any(block.type == "console" for block in config.publishers)
    return "warning" if on_terminal and config.log.level == "info" else config.log.level


def _print_health(health: Health) -> None:
    typer.echo(json.dumps({"at": health.at.isoformat(), **health.values}, indent=2), err=True)


def _first_run(life: ExitStack) -> Config:
    """The defaults, with what this machine has."""
    if _has_microphone():
        err.print("No configuration: listening to the default microphone.")
        source = {"type": "microphone", "name": "microphone"}
    else:
        err.print("No configuration and no microphone: listening to the built-in demo scene.")
        source = {"type": "demo", "name": "demo"}
    return default_config([source], _broker(life))


def _has_microphone() -> bool:
    from monitor.sources.portaudio import list_devices

    try:
        return bool(list_devices())
    except SourceUnavailable as error:
        warn(str(error))
        return False


def _broker(life: ExitStack) -> int:
    """The port of an MQTT broker on this machine: the one that is there, or our own."""
    with socket.socket() as knock:
        knock.settimeout(1)
        if knock.connect_ex(("127.0.0.1", MQTT_PORT)) == 0:
            err.print(f"MQTT: the broker on 127.0.0.1:{MQTT_PORT}")
            return MQTT_PORT
    from monitor.publishers.broker import Broker

    broker = life.enter_context(Broker(MQTT_PORT))
    err.print(f"MQTT: no broker answers on 127.0.0.1:{MQTT_PORT}; started one there, for this machine only.")
    return broker.port
