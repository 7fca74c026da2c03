"""The command that takes a node that is no more out of Home Assistant and off the broker."""

from typing import Annotated

import typer

from monitor.cli.console import ConfigOption, chosen_config, err, out
from monitor.errors import EarwitnessError
from monitor.publishers.mqtt.config import MqttConfig


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(rich_help_panel="Set up")(forget)


def forget(
    node: Annotated[str, typer.Argument(help="The `node` that you no longer use.")],
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before removing.")] = False,
) -> None:
    """Remove a node that you no longer use from Home Assistant and from the broker.

    After a change of `node` the devices of the old node stay in Home Assistant, unavailable for ever. This
    removes all that the brokers of the configuration keep for that node, and nothing of any other node. It
    refuses a node whose daemon is connected. What Home Assistant recorded of the entities stays there.

    [bold]Example[/bold]

      earwitness forget old-laptop
    """
    settings, _ = chosen_config(config)
    brokers = [block for block in settings.publishers if isinstance(block, MqttConfig)] if settings else []
    if not brokers:
        raise EarwitnessError("the configuration names no MQTT broker; name the file with --config")
    for broker in brokers:
        _forget(broker, node, ask=not yes)


def _forget(broker: MqttConfig, node: str, *, ask: bool) -> None:
    from monitor.publishers.mqtt.homeassistant.forgetting import Forgetting

    with Forgetting(broker, node) as forgetting:
        topics = forgetting.found()
        if forgetting.is_running:
            raise EarwitnessError(
                f"{broker.name}: a daemon with the node {node!r} is connected; stop it, or give it another "
                "`node`, and wait until the broker has noticed"
            )
        if not topics:
            err.print(f"{broker.name}: nothing is kept for a node {node!r}", highlight=False)
            return
        devices = sum(topic.startswith(f"{broker.discovery_prefix}/") for topic in topics)
        states = len(topics) - devices
        text = f"{broker.name}: {devices} devices in Home Assistant and {states} topics of {node!r}"
        out.print(text, highlight=False, markup=False)
        if ask and not typer.confirm("Remove them?"):
            raise typer.Exit(1)
        forgetting.forget(topics)
    out.print("removed")
