"""The support bundle from the command line: support."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cli.console import ConfigOption, config_in_force, err, out

JOURNAL = ("journalctl", "--unit", "earwitness", "--output", "cat", "--lines", "400", "--no-pager", "--quiet")
JOURNAL_S = 10.0


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(rich_help_panel="Look back")(support)


def support(
    output: Annotated[Path, typer.Argument(help="The zip to write.")] = Path("earwitness-support.zip"),
    config: ConfigOption = None,
    show: Annotated[bool, typer.Option("--show", help="Print the contents, and write nothing.")] = False,
) -> None:
    """Write a zip for people who help you: versions, configuration, sizes, and the service's latest log.

    It contains no passwords, addresses, names of rules, sound, pictures or spoken words. Every text that is
    not from earwitness itself is replaced by (text). Read it first with --show. The page (House) makes a
    bundle with figures of health as well.
    """
    from monitor.support.bundle import bundle_files, zipped

    files = bundle_files(config_in_force(config, uses=()), log=_journal())
    if show:
        for name, text in files.items():
            out.print(f"--- {name}", highlight=False)
            out.print(text, highlight=False, markup=False)
        return
    try:
        output.write_bytes(zipped(files))
    except OSError as error:
        raise typer.BadParameter(f"{output} cannot be written ({error.strerror})") from None
    err.print(f"{output}: {', '.join(files)}. Read it before you give it away.", highlight=False)


def _journal() -> Iterator[dict[str, Any]]:
    """The service's latest lines, where there is a journal and it may be read."""
    if shutil.which(JOURNAL[0]) is None:
        return
    with suppress(OSError, subprocess.SubprocessError):
        found = subprocess.run(JOURNAL, capture_output=True, text=True, timeout=JOURNAL_S, check=True)
        for line in found.stdout.splitlines():
            with suppress(ValueError):
                document = json.loads(line)
                if isinstance(document, dict):
                    yield document
