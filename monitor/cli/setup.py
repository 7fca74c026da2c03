"""Commands for setting up: check, devices, schema."""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from monitor.cli.console import ConfigOption, err, out, warn
from monitor.cli.house.changes import value_words
from monitor.cli.house.mine import show_update
from monitor.cli.probe import show_probes
from monitor.cli.time_zone import goes_by_the_clock, zone_problem, zone_words
from monitor.config.drafting import Draft
from monitor.config.loading import as_configured, find_config
from monitor.config.model import SWITCHED, Config
from monitor.config.overrides import in_force as overrides_in_force
from monitor.config.overrides import read_steps, with_overrides
from monitor.config.yaml_document import read_document
from monitor.errors import ConfigError, StoreError
from monitor.events.defaults import Hysteresis
from monitor.types import Setting


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(rich_help_panel="Set up")(check)
    app.command(rich_help_panel="Set up")(devices)
    app.command(rich_help_panel="Set up")(schema)


def check(
    file: Annotated[
        Path | None, typer.Argument(help="The configuration to check; the same as --config.")
    ] = None,
    config: ConfigOption = None,
    thresholds: Annotated[
        bool, typer.Option("--thresholds", help="Also list what each sound needs to become an event.")
    ] = False,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="Also ask each server of a large model what it is, and test it with made-up sounds.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Check the configuration, and print every problem with its file and line.

    This opens no device, and only --probe opens a connection.

    The exit code is 0 if it is good, 78 if it is not, and 1 if a server that --probe asks cannot be used.
    """
    path = file or config or find_config()
    if path is None:
        err.print("No configuration was found; `earwitness run` would use its defaults.")
        if as_json:
            out.print_json(json.dumps({"problems": [], "warnings": []}))
        return
    checked = _checked(path)
    if problem := zone_problem():
        checked.warnings.append(problem)
    if as_json:
        found: dict[str, Any] = {"problems": checked.problems, "warnings": checked.warnings}
        if thresholds and checked.config is not None:
            found["thresholds"] = _plain_thresholds(checked.config)
            found["set_from_outside"] = [asdict(one) for one in _set_from_outside(checked.config)]
        out.print_json(json.dumps(found))
    else:
        for warning in checked.warnings:
            warn(warning)
    if checked.problems:
        raise ConfigError(checked.problems)
    if checked.config is not None and not as_json:
        _summarize(checked.config, path)
        show_update(checked.config)
        if thresholds:
            _show_thresholds(checked.config, path)
        if probe:
            show_probes(checked.config)


@dataclass
class _CheckedFile:
    """What is wrong with a configuration, what was hardly meant, and as much of it as is right."""

    problems: list[str]
    warnings: list[str] = field(default_factory=list)
    config: Config | None = None


def _checked(path: Path) -> _CheckedFile:
    from monitor.cli.external_files import outside_findings
    from monitor.cli.plain_secrets import plain_secret_warnings
    from monitor.config.capabilities import gaps
    from monitor.config.loading import examined, rule_lines

    try:
        document = read_document(path)
    except ConfigError as error:
        return _CheckedFile(error.problems)
    draft, problems = examined(document)
    if draft is None:
        return _CheckedFile(problems)
    checked = _CheckedFile(problems, config=with_overrides(draft.config))
    for found in outside_findings(draft.config):
        place = draft.original(found.place)
        if any(problem.startswith(document.about(place, "")) for problem in problems):
            continue  # it is known to be of no use
        line = document.about(place, found.text)
        (checked.problems if found.fatal else checked.warnings).append(line)
    checked.warnings += plain_secret_warnings(draft, document, path)
    if not draft.is_spoiled(("classifiers",)):
        checked.warnings += rule_lines(_calibrated(draft), document, fatal=False)
    if not checked.problems and checked.config is not None:
        checked.warnings += gaps(checked.config)
    return checked


def _calibrated(draft: Draft) -> Draft:
    """With what was measured in the house: no rule lacks that."""
    return replace(
        draft, config=draft.config.model_copy(update={"sources": with_overrides(draft.config).sources})
    )


def _summarize(config: Config, path: Path) -> None:
    from monitor.config.capabilities import audio_goes_to

    listening = [source for source in config.sources if source.enabled]
    sources = ", ".join(f"{source.name} ({source.type})" for source in listening)
    classifiers = ", ".join(block.name for block in config.classifiers) or "none"
    err.print(f"[green]good:[/green] {path}")
    err.print(f"  sources      {sources}")
    err.print(f"  classifiers  {classifiers}")
    err.print(f"  rules        {', '.join(rule.name for rule in config.rules) or 'none'}")
    if goes_by_the_clock(config):
        err.print(f"  local time   {zone_words()}: `between` and `weekdays` go by it", highlight=False)
    err.print(f"  audio        {'; '.join(audio_goes_to(config)) or 'stays on this machine'}")
    err.print(f"  publishers   {', '.join(publisher.name for publisher in config.publishers) or 'none'}")
    err.print(f"  notifiers    {', '.join(notifier.name for notifier in config.notifiers) or 'none'}")
    if off := [name for part in ("sources", *SWITCHED) for name in sorted(config.off_names(part))]:
        err.print(f"  switched off {', '.join(off)}", highlight=False, markup=False)
    for place, value in _changed(config, path).items():
        words = f"  changed      {place} = {value_words(value)}; `earwitness undo` takes it back"
        err.print(words, highlight=False, markup=False)


def _changed(config: Config, path: Path) -> dict[str, Any]:
    """What was changed without the configuration, by place; nothing where that cannot be read."""
    with suppress(StoreError):
        return overrides_in_force(as_configured(path, uses=()), read_steps(config.state_folder()))
    return {}


def _plain_thresholds(config: Config) -> dict[str, dict[str, dict[str, Any]]]:
    """Source, sound, and what it takes there."""
    from monitor.config.capabilities import in_force

    found = in_force(config, _set_from_outside(config))
    return {name: {label: asdict(row) for label, row in rows.items()} for name, rows in found.items()}


def _set_from_outside(config: Config) -> list[Setting]:
    """Settings from Home Assistant that the daemon of this configuration still uses; none if its state cannot
    be read."""
    from monitor.config.house import configured_settings
    from monitor.delivery.delivery import SETTINGS
    from monitor.delivery.kept.settings import KeptSettings

    configured, file = configured_settings(config), config.state_folder() / SETTINGS
    kept = KeptSettings(file, configured)
    if os.access(file, os.R_OK):
        kept.read()
    return [one for one in kept.in_force() if one not in configured]


def _show_set_from_outside(settings: Sequence[Setting]) -> None:
    """A line for each source: it is not written in the configuration, and explains what is not."""
    for source in dict.fromkeys(one.source for one in settings):
        values = {one.name: one.value for one in settings if one.source == source}
        changes = ["muted"] if values.get("mute") else []
        changes += [f"sensitivity {values['sensitivity']:g}"] if "sensitivity" in values else []
        out.print(f"{source}: {', '.join(changes)}, set from Home Assistant", highlight=False)


def _show_thresholds(config: Config, path: Path) -> None:
    """A table for all sources with the same thresholds."""
    from monitor.config.capabilities import in_force, onset_origins

    origins = onset_origins(config, _changed(config, path))

    settings = _set_from_outside(config)
    _show_set_from_outside(settings)
    tables: list[tuple[list[str], dict[str, Hysteresis]]] = []
    for name, rows in in_force(config, settings).items():
        alike = next((names for names, others in tables if others == rows), None)
        if alike is None:
            tables.append(([name], rows))
        else:
            alike.append(name)
    for names, rows in tables:
        table = Table(
            "sound", "score", "from", "hits", "ends after", "for",
            title=f"\n{', '.join(names)}", title_justify="left", box=None, header_style="bold",
        )  # fmt: skip
        for label, row in rows.items():
            hits = f"{row.hits} in {row.within_s:g} s" if row.hits > 1 else "1"
            score = f"{row.onset:.2f}" if row.heard else "off"
            table.add_row(label, score, origins[names[0]][label], hits, f"{row.hold_s:g} s", row.reason)
        out.print(table)
    out.print(
        "\nA score is from our table, the model, the file, a source's own labels, or set (`earwitness set`)."
    )
    out.print("A rhythm is held to no score. Yours to change, here or under a source:")
    out.print("  labels: {dog_bark: {onset: 0.6, hits: 2}}", highlight=False)


def devices(as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False) -> None:
    """List the microphones that a source can name."""
    from monitor.sources.portaudio.process import list_devices

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
    from monitor.config.model import json_schema

    text = json.dumps(json_schema(), indent=2) + "\n"
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{output} cannot be written ({error.strerror})") from None
