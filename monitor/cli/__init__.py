"""The command line: `earwitness --help` is where a stranger starts."""

from collections.abc import Sequence

from monitor.cli.sigint import quits_at_once


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line (by default the process's). Ends by SystemExit. For the main thread."""
    with quits_at_once():
        from monitor.cli.app import run_command

    run_command(arguments)
