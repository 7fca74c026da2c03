"""Commands for setting up: check, devices, schema."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from monitor.cli.console import ConfigOption, chosen_config, err, out, warn
from monitor.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(rich_help_panel="Set up")(check)
    app.command(rich_help_panel="Set up")(devices)
    app.command(rich_help_panel="Set up")(schema)


def check(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Check the configuration without opening anything: every problem with file and line.

    Exit code 0 when it is good, 78 when it is not.
    """
    from monitor.capabilities import audio_goes_to, warnings

    try:
        found, path = chosen_config(config)
    except ConfigError as error:
        if as_json:
            out.print_json(json.dumps({"problems": error.problems, "warnings": []}))
        raise
    if found is None:
        err.print("No configuration was found; `earwitness run` would use its defaults.")
        return
    notes = warnings(found)
    if as_json:
        out.print_json(json.dumps({"problems": [], "warnings": notes}))
        return
    for note in notes:
        warn(note)
    sources = ", ".join(f"{source.name} ({source.type})" for source in found.sources)
    listeners = ", ".join(block.name for block in found.classifiers) or "none"
    err.print(f"[green]good:[/green] {path}")
    err.print(f"  sources      {sources}")
    err.print(f"  classifiers  {listeners}")
    err.print(f"  rules        {', '.join(rule.name for rule in found.rules) or 'none'}")
    err.print(f"  audio        {'; '.join(audio_goes_to(found)) or 'stays on this machine'}")
    err.print(f"  publishers   {', '.join(publisher.name for publisher in found.publishers) or 'none'}")


def devices(as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False) -> None:
    """List the microphones that a source can name."""
    from monitor.sources.portaudio import list_devices

    found = list_devices()
    if as_json:
        out.print_json(json.dumps([asdict(device) for device in found]))
        return
    if not found:
        err.print("No microphone was found. Plug one in, or try [bold]earwitness demo[/bold].")
        raise typer.Exit(1)
    table = Table("device", "name", "channels", "rate", box=None, header_style="bold")
    for device in found:
        table.add_row(device.id, device.name, str(device.channels), f"{device.sample_rate_hz / 1000:g} kHz")
    out.print(table)
    out.print(f"\nIn the configuration:  - {{type: microphone, name: kitchen, device: '{found[0].id}'}}")


def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file.")] = None,
) -> None:
    """Print the JSON schema of the configuration, for completion in an editor.

    Put `# yaml-language-server: $schema=earwitness.schema.json` on the first line of your YAML.
    """
    from monitor.config import json_schema

    text = json.dumps(json_schema(), indent=2) + "\n"
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{output} cannot be written ({error.strerror})") from None
