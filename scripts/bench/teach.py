"""Teach a sound: how often it is heard again, how often something else is taken for it, when it is refused.

    python scripts/bench teach MANIFEST --sources a,b,c --hours 32 --things 60 --heard FOLDER
    python scripts/bench teach --heard FOLDER

What was heard is kept in the folder, file by file: a run that was stopped goes on where it was.
Name whole sources that taught the model nothing. The house's life (`scripts.scenes.house_sounds`) is cut in
two: one half is the background that the sound is taught in, the other is listened to; then the other way
round. What the house keeps no embedding of (speech) is in the second half alone. A thing comes ten times to
teach from, and twelve times in the same room and eleven times in another to be heard.
"""

import argparse
import timeit
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ
from monitor.classifiers.taggers.embedded import read_sidecar, shipped_model
from monitor.classifiers.taught.beeps import beeps_in
from monitor.classifiers.taught.rhythm import FITS, HeardBeeps
from monitor.classifiers.taught.sound import Floats, SideBySide, TaughtSound, unpacked
from monitor.clock import BEGINNING
from monitor.teaching.taught.background import Background, Households, households_of
from monitor.teaching.taught.learning import Hearing, NotTaught, learn
from scripts.bench.table import show
from scripts.scenes.house_heard import hear_all, read_heard
from scripts.scenes.house_sounds import HeardLook, HeardScene, HeardThing
from testkit.taught import tune

COUNTS = (3, 5, 10)
"""Hearings that a thing is taught from."""
TAUGHT_FROM = 10
"""The first visits of a thing; those after them are listened for."""
REACH_S = 0.3
"""A look belongs to a visit that it overlaps by so much."""
APART_S = 10.0
"""False looks that are nearer to each other are one false event."""
SIZE = 384
"""Numbers of an embedding."""
WORTH = 0.5
"""A thing of which a smaller share is heard again should have been refused."""


@dataclass(frozen=True, eq=False)
class HouseHalf:
    """Half of a house's life."""

    scenes: Sequence[HeardScene]
    embeddings: Sequence[Floats]

    @property
    def hours(self) -> float:
        """How long."""
        return sum(scene.hours for scene in self.scenes)

    def background(self, group: str, groups: dict[str, str], households: Households) -> Background:
        """What the house would have kept of it: each sound that is over and the last look before that;
        nothing of the thing itself, and no speech."""
        whole, early = [], []
        for scene, embeddings in zip(self.scenes, self.embeddings, strict=True):
            if not len(scene.looks):
                continue
            silent = _foreign(scene, group, groups) & ~np.array([look.spoken for look in scene.looks])
            over = np.array([look.whole for look in scene.looks])
            whole.append(embeddings[silent & over])
            early.append(embeddings[silent & _last_early(over)])
        own, before = np.concatenate(whole), np.concatenate(early)
        return Background(own, (None,) * len(own), self.hours, households, early=before)

    def false_events(self, sounds: Sequence[TaughtSound], group: str, groups: dict[str, str]) -> list[int]:
        """How often something else would be taken for each of the sounds."""
        counts = [0] * len(sounds)
        together = SideBySide(sounds)
        for scene, embeddings in zip(self.scenes, self.embeddings, strict=True):
            if not len(scene.looks):
                continue
            hits = _hits(together, scene.looks, embeddings) & _foreign(scene, group, groups)[:, None]
            for place, own in enumerate(hits.T):
                ends_s = sorted(look.end_s for look, hit in zip(scene.looks, own, strict=True) if hit)
                apart = zip([-APART_S - 1, *ends_s], ends_s, strict=False)
                counts[place] += sum(later - earlier > APART_S for earlier, later in apart)
        return counts


@dataclass(frozen=True, slots=True)
class TaughtOutcome:
    """One thing in one half of the house."""

    refused: bool
    same: float
    """Share of its visits to the same room that would be heard, also where it was refused."""
    other: float
    expected: float
    """By leaving one out; 0 where it was refused."""
    false: int
    hours: float
    in_rhythm: bool
    """Whether its hearings share a rhythm."""

    @property
    def is_right(self) -> bool:
        """Whether it was refused where it would hardly be heard, and taught where it is."""
        return self.refused == (self.same < WORTH)


def main() -> None:
    """Compose or read, teach, print."""
    options = _options()
    if options.manifest is not None:
        hear_all(
            options.manifest, options.sources, options.things, options.hours, options.seed, options.heard
        )
    groups, scenes, things = read_heard(options.heard)
    embeddings = [_embeddings(scene.looks) for scene in scenes]
    halves = [HouseHalf(scenes[k::2], embeddings[k::2]) for k in (0, 1)]
    households = households_of(shipped_model(), read_sidecar(shipped_model()).embedding_id)
    found: dict[int, list[TaughtOutcome]] = {count: [] for count in COUNTS}
    for one in things:
        for learned, listened in (halves, halves[::-1]):
            background = learned.background(one.group, groups, households)
            for count, outcome in _taught(one, background, listened, groups).items():
                found[count].append(outcome)
    rows = [{"hearings": count, **_summary(outcomes)} for count, outcomes in found.items()]
    hours = sum(scene.hours for scene in scenes)
    title = f"{len(things)} things, {hours:.1f} hours of a house ({_distinct_minutes(scenes):.0f} minutes of "
    show(rows, f"{title}distinct recordings in it), {sum(map(len, embeddings))} looks")
    show(
        _costs(things, halves[0].background("", groups, households)),
        f"what they cost; to read a second of a tune for beeps takes {_reading_ms():.1f} ms",
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path, nargs="?", help="hear houses and things from it first")
    parser.add_argument("--sources", default="", help="comma-separated")
    parser.add_argument("--hours", type=float, default=32)
    parser.add_argument("--things", type=int, default=60)
    parser.add_argument("--seed", type=int, default=5, help="another is another house, and other visits")
    parser.add_argument("--heard", type=Path, required=True, help="folder of what was heard (pickle)")
    return parser.parse_args()


def _distinct_minutes(scenes: Sequence[HeardScene]) -> float:
    """Of every recording the longest piece that lies in the house: so much of it is no repetition."""
    longest: dict[str, float] = {}
    for path, begin, end in (one for scene in scenes for one in scene.placed):
        longest[path] = max(longest.get(path, 0.0), end - begin)
    return sum(longest.values()) / 60


def _embeddings(looks: Sequence[HeardLook]) -> Floats:
    rows = [unpacked(look.embedding) for look in looks]
    return np.array(rows, np.float32) if rows else np.zeros((0, SIZE), np.float32)


def _foreign(scene: HeardScene, group: str, groups: dict[str, str]) -> np.ndarray:
    """Which looks hold nothing of a group."""
    own = [(begin, end) for path, begin, end in scene.placed if groups.get(path) == group]
    return np.array(
        [not any(look.end_s > a and look.start_s < b + 1 for a, b in own) for look in scene.looks], bool
    )


def _last_early(over: np.ndarray) -> np.ndarray:
    """The last look at each sound before it was over."""
    return np.asarray(~over & np.append(over[1:], False), bool)


def _hits(together: SideBySide, looks: Sequence[HeardLook], embeddings: Floats) -> np.ndarray:
    """Which looks are taken for which of the sounds, shape (looks, sounds)."""
    likeness, far = together.likeness(embeddings)
    hits = (likeness >= [one.bar for one in together.sounds]) & ~far
    for place, one in enumerate(together.sounds):
        if one.rhythm is not None:
            for number in np.flatnonzero((likeness[:, place] >= one.rhythm.bar) & ~hits[:, place]).tolist():
                hits[number, place] = one.rhythm.fit(_beeps(looks[number])) >= FITS
    return np.asarray(hits)


def _beeps(look: HeardLook) -> HeardBeeps:
    return HeardBeeps(beeps=look.beeps, length_s=round(look.end_s - look.start_s, 2))


def _visits(scene: HeardScene) -> Iterator[list[HeardLook]]:
    """Each visit's looks."""
    for _, begin, end in scene.placed:
        least = min(REACH_S * (end - begin), REACH_S)
        yield [
            look for look in scene.looks if min(look.end_s, end + REACH_S) - max(look.start_s, begin) > least
        ]


def _hearing(name: str, looks: Sequence[HeardLook]) -> Hearing:
    """What would be taught from a visit: the mean of its looks, and the beeps of the longest that is over."""
    longest = max(looks, key=lambda look: (look.whole, look.end_s - look.start_s))
    return Hearing(name, _embeddings(looks).mean(axis=0), beeps=_beeps(longest))


def _taught(
    one: HeardThing, background: Background, listened: HouseHalf, groups: dict[str, str]
) -> dict[int, TaughtOutcome]:
    """What comes of each number of hearings; without those for which the gate let too few visits through."""
    same, other = list(_visits(one.same)), list(_visits(one.other))
    heard = [_hearing(str(n), looks) for n, looks in enumerate(same[:TAUGHT_FROM]) if looks]
    found = {count: learn("thing", heard[:count], background, BEGINNING) for count in COUNTS}
    anyway = {
        count: _anyway(heard[:count], background) if isinstance(each, NotTaught) else each
        for count, each in found.items()
    }
    sounds = {count: each for count, each in anyway.items() if each is not None}
    together = SideBySide([*sounds.values()])
    again, elsewhere = (_heard(together, visits) for visits in (same[TAUGHT_FROM:], other))
    false = listened.false_events(together.sounds, one.group, groups)
    return {
        count: TaughtOutcome(
            refused=(refused := isinstance(found[count], NotTaught)),
            same=float(again[place]),
            other=float(elsewhere[place]),
            expected=0.0 if refused else sound.expected.heard / sound.expected.of,
            false=false[place],
            hours=listened.hours,
            in_rhythm=sound.rhythm is not None,
        )
        for place, (count, sound) in enumerate(sounds.items())
    }


def _anyway(hearings: Sequence[Hearing], background: Background) -> TaughtSound | None:
    """What was refused, to see what would have become of it."""
    found = learn("thing", hearings, background, BEGINNING, least_heard=0.0)
    return None if isinstance(found, NotTaught) else found


def _heard(together: SideBySide, visits: Sequence[Sequence[HeardLook]]) -> np.ndarray:
    """The share of visits in which each sound is heard, shape (sounds,)."""
    none = np.zeros(len(together.sounds), bool)
    hits = [_hits(together, looks, _embeddings(looks)).any(axis=0) if looks else none for looks in visits]
    return np.asarray(np.mean(hits, axis=0))


def _summary(outcomes: Sequence[TaughtOutcome]) -> dict[str, str]:
    kept = [one for one in outcomes if not one.refused]
    hours = sum(one.hours for one in kept)
    return {
        "taught": f"{len(kept)} of {len(outcomes)}",
        "by rhythm, too": f"{sum(one.in_rhythm for one in kept)}",
        "heard again": f"{np.mean([one.same for one in kept]):.2f}",
        "expected": f"{np.mean([one.expected for one in kept]):.2f}",
        "in another room": f"{np.mean([one.other for one in kept]):.2f}",
        "without refusals": f"{np.mean([one.same for one in outcomes]):.2f}",
        "false a week": f"{sum(one.false for one in kept) / max(hours, 1e-9) * 168:.1f}",
        "right to refuse or teach": f"{np.mean([one.is_right for one in outcomes]):.2f}",
    }


def _reading_ms() -> float:
    """For a second of sound: done once for a sound that is over, and for a look that is like one with a
    rhythm."""
    sound = tune(1)
    return (
        min(timeit.repeat(partial(beeps_in, sound), number=1, repeat=20)) / len(sound) * SAMPLE_RATE_HZ * 1e3
    )


def _costs(things: Sequence[HeardThing], background: Background) -> list[dict[str, str]]:
    """A look with so many sounds that were taught together, and the file of one."""
    sounds: list[TaughtSound] = []
    for one in things:
        visits = [looks for looks in _visits(one.same) if looks]
        hearings = [_hearing(str(number), each) for number, each in enumerate(visits[: max(COUNTS)])]
        sounds += [found] if (found := _anyway(hearings, background)) is not None else []
    heard = background.embeddings[0]
    rows = []
    for count in (1, 5, 10):
        together = SideBySide(sounds[:count])
        us = min(timeit.repeat(partial(together.likeness, heard), number=200, repeat=50)) / 200 * 1e6
        kilobytes = max(len(one.model_dump_json()) for one in sounds[:count]) / 1e3
        rows.append({"sounds": str(count), "a look, µs": f"{us:.0f}", "largest file, KB": f"{kilobytes:.0f}"})
    return rows
