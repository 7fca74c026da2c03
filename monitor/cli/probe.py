"""What `check --probe` asks of servers, and prints."""

import typer

from monitor.classifiers.audio_llm.engines.connection import ProbeFindings
from monitor.classifiers.audio_llm.engines.probe import LETTERS, RIGHT
from monitor.classifiers.audio_llm.remote import RemoteConfig
from monitor.cli.console import err, fail
from monitor.config.model import Config
from monitor.errors import ClassifierError

MEANS = {
    "token_ids": "exact, of the letters by token id (logprob_token_ids)",
    "structured_outputs": "exact, held to the letters (structured_outputs)",
    "guided_choice": "exact, held to the letters (guided_choice)",
    "listed": "of the likeliest tokens; what is not listed is unknown",
    "named": "none: a label is only named",
}
"""How scores are had, in words."""


def show_probes(config: Config) -> None:
    """Ask every server of `classifiers:` about made-up sounds, and print what it is and can do. Exit code 1
    where one of them is no use."""
    servers = [block for block in config.classifiers if isinstance(block, RemoteConfig)]
    if not servers:
        err.print("  probe        no classifier of this configuration is on a server")
    useless = [block.name for block in servers if not _shown(block)]
    if useless:
        raise typer.Exit(1)


def _shown(block: RemoteConfig) -> bool:
    try:
        found = block.build().probe()
    except ClassifierError as error:
        fail(f"{block.name}: {error}")
        return False
    for line in _lines(block.name, found):
        err.print(line, highlight=False, markup=False)
    return True


def _lines(name: str, found: ProbeFindings) -> list[str]:
    verdict, way = found.verdict, found.way
    named = ", ".join(
        f"{sound} {'rightly' if verdict.named[sound] == letter else 'not'} named"
        for sound, letter in RIGHT.items()
    )
    part = "images (Ollama's own interface)" if way.dialect.native else way.part
    return [
        f"  {name}: it hears ({named})",
        f"    engine     {way.dialect.name}",
        f"    sound as   {part}",
        f"    scores     {MEANS[way.means]}",
        f"    mass       {verdict.mass:.3f} of the probability on the {len(LETTERS)} letters, at least",
        f"    told apart {verdict.apart:.3f} of 1 between two sounds, at least",
        *(f"    passed     {means}: {why}" for means, why in found.passed.items()),
    ]
