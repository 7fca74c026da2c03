"""The commands together, and what their errors come to."""

import inspect
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from monitor import __version__
from monitor.cli import listen
from monitor.cli.console import fail
from monitor.errors import ConfigError, EarwitnessError
from monitor.logs import configure_logging

EXIT_FAILED = 1
EXIT_CONFIG = 78
"""sysexits.h EX_CONFIG: the systemd unit does not restart after it."""
EXIT_CODES = (
    "Exit codes: 0 done; 1 failed, and the last line says why; 2 wrong arguments; 78 wrong configuration; "
    "130 broken off by Ctrl-C."
)
"""Shown under --help; docs/guides/service.md has them as a table."""
LISTENING = ("run", "demo")
"""Commands with a log for machines, where nobody looks on; the others say a few lines to a person."""


def command_line(arguments: Sequence[str]) -> typer.Typer:
    """What answers these arguments: who listens needs none of the other commands, and imports none."""
    return _made(listen) if arguments and arguments[0] in LISTENING else whole_command_line()


def whole_command_line() -> typer.Typer:
    """Every command."""
    from monitor.cli import analyze, files, history, setup, support, talk
    from monitor.cli.house import calibrate, changes, diary, drill, forget, naming, sounds, teach

    return _made(
        listen, setup, forget, changes, calibrate, teach, sounds, naming, drill, analyze, files, talk,
        history, diary, support,
    )  # fmt: skip


def _made(*parts: Any) -> typer.Typer:
    app = typer.Typer(
        name="earwitness",
        help="Listens to a home and reports what it heard: alarms, breaking glass, screams, the bell.\n\n"
        "Start with [bold]earwitness run[/bold]. Not a certified life-safety device.",
        epilog=EXIT_CODES,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for part in parts:
        part.register(app)
    for command in app.registered_commands:
        command.help = _flowing(inspect.getdoc(command.callback) or "")
    return app


def _flowing(text: str) -> str:
    """Each paragraph as one line, which the terminal wraps at its own width; what is indented stays."""
    blocks = [block.split("\n") for block in text.split("\n\n")]
    kept = ["\n".join(one) if one[0].startswith(" ") else " ".join(one) for one in blocks]
    return "\n\n".join(kept)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"earwitness {__version__}")
        raise typer.Exit


def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    configure_logging(level="warning", json=None if context.invoked_subcommand in LISTENING else False)


def run_command(app: typer.Typer, arguments: Sequence[str]) -> None:
    """Run a command; our own errors become a line and an exit code. By SystemExit."""
    try:
        app(arguments)
    except ConfigError as error:
        for problem in error.problems:
            fail(problem)
        sys.exit(EXIT_CONFIG)
    except EarwitnessError as error:
        fail(str(error))
        sys.exit(EXIT_FAILED)
    except BrokenPipeError:
        # `earwitness analyze … | head` is no error; standard error may still be open, standard output is not.
        sys.stderr.close()
        sys.exit(EXIT_FAILED)
