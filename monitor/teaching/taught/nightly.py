"""The night's look: `python -m monitor.teaching.taught.nightly NICE`, a process of its own.

Everybody else goes before it, by its niceness. It takes a pickled configuration on standard input, looks for
what keeps coming without a name, and keeps the question of the week.
"""

import os
import pickle
import sys
from contextlib import suppress
from datetime import UTC, datetime

import numpy as np

from monitor.config.model import Config
from monitor.errors import EarwitnessError
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.logs import get_logger
from monitor.teaching.taught.background import house_background
from monitor.teaching.taught.heard import unclaimed
from monitor.teaching.taught.lesson import Teacher
from monitor.teaching.taught.naming import FoundGroup, asked, keep_naming, read_naming
from monitor.teaching.taught.unnamed import unnamed

log = get_logger()


def look(config: Config, now: datetime) -> None:
    """Look for groups in what is kept, and ask where a question is due. Raises StoreError, ModelError."""
    folder = config.state_folder()
    households = Teacher(config).households
    with History(folder / SCORES) as history, history.rows() as rows:
        embeddings, sounds = unclaimed(rows)
        space = house_background(rows, households).space
    fits = len(sounds) > 0 and embeddings.shape[1] == len(households.mean)
    groups = unnamed(space.of(embeddings), sounds) if fits else []
    places = {one.segment_id: place for place, one in enumerate(sounds)}
    found = [
        FoundGroup(group, np.mean([embeddings[places[one.segment_id]] for one in group.sounds], axis=0))
        for group in groups
    ]
    keep_naming(folder, asked(read_naming(folder), found, space, now))


def main() -> None:
    """Look once."""
    with suppress(OSError):  # a unit that forbids it
        os.nice(int(sys.argv[1]))
    config: Config = pickle.load(sys.stdin.buffer)  # noqa: S301 - the pipe is our own parent's
    try:
        look(config, datetime.now(UTC))
    except EarwitnessError as error:
        log.warning("the nightly search for sounds without a name failed", why=str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
