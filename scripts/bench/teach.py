"""Teach a sound: how often it is heard again, how often something else is taken for it, when it is refused.

    python scripts/bench teach MANIFEST --sources a,b,c --hours 32 --things 60 --heard FOLDER
    python scripts/bench teach --heard FOLDER

Name whole sources that taught the model nothing. The house's life (`scripts.scenes.house_sounds`) is cut in
two: one half is the background that the sound is taught in, the other is listened to; then the other way
round. What the house keeps no embedding of (speech) is in the second half alone. A thing comes ten times to
teach from, and twelve times in the same room and eleven times in another to be heard.
"""

import argparse
import pickle
import timeit
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from monitor.classifiers.taggers.embedded import EmbeddedConfig, read_sidecar, shipped_model
from monitor.classifiers.taught.sound import Floats, SideBySide, TaughtSound, unpacked
from monitor.clock import BEGINNING
from monitor.labels import LIFE_SAFETY
from monitor.teaching.taught.background import Background, Households, households_of
from monitor.teaching.taught.learning import Hearing, NotTaught, learn
from scripts.bench.table import show
from scripts.scenes.house_sounds import HeardLook, HeardScene, HeardThing

COUNTS = (3, 5, 10)
"""Hearings that a thing is taught from."""
TAUGHT_FROM = 10
"""The first visits of a thing; those after them are listened for."""
VISITS = 22
REACH_S = 0.3
"""A look belongs to a visit that it overlaps by so much."""
APART_S = 10.0
"""False looks that are nearer to each other are one false event."""
SIZE = 384
"""Numbers of an embedding."""
WORTH = 0.5
"""A thing of which a smaller share is heard again should have been refused."""
NOT_TAUGHT = LIFE_SAFETY | {
    "speech", "music", "singing", "rain", "wind", "waves", "thunder", "bird", "insect", "train", "aircraft",
    "siren", "gunshot", "explosion", "scream", "engine",
}  # fmt: skip
"""What nobody teaches: alarms, and what goes on for hours outside."""


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

    def false_events(self, sound: TaughtSound, group: str, groups: dict[str, str]) -> int:
        """What else would be taken for the sound."""
        count = 0
        for scene, embeddings in zip(self.scenes, self.embeddings, strict=True):
            if not len(scene.looks):
                continue
            hits = (sound.likeness(embeddings) >= sound.bar) & _foreign(scene, group, groups)
            ends_s = sorted(look.end_s for look, hit in zip(scene.looks, hits, strict=True) if hit)
            count += sum(b - a > APART_S for a, b in zip([-APART_S - 1, *ends_s], ends_s, strict=False))
        return count


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

    @property
    def is_right(self) -> bool:
        """Whether it was refused where it would hardly be heard, and taught where it is."""
        return self.refused == (self.same < WORTH)


def main() -> None:
    """Compose or read, teach, print."""
    options = _options()
    if options.manifest is not None:
        _hear(options)
    groups, scenes, things = _read(options.heard)
    embeddings = [_embeddings(scene.looks) for scene in scenes]
    halves = [HouseHalf(scenes[k::2], embeddings[k::2]) for k in (0, 1)]
    households = households_of(shipped_model(), read_sidecar(shipped_model()).embedding_id)
    found: dict[int, list[TaughtOutcome]] = {count: [] for count in COUNTS}
    for one in things:
        for learned, listened in (halves, halves[::-1]):
            background = learned.background(one.group, groups, households)
            for count in COUNTS:
                if (outcome := _taught(one, count, background, listened, groups)) is not None:
                    found[count].append(outcome)
    rows = [{"hearings": count, **_summary(outcomes)} for count, outcomes in found.items()]
    hours = sum(scene.hours for scene in scenes)
    show(rows, f"{len(things)} things, {hours:.1f} hours of a house, {sum(map(len, embeddings))} looks")
    show(_costs(things, halves[0].background("", groups, households)), "what they cost")


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


def _hear(options: argparse.Namespace) -> None:
    """Everything that is taught and listened to, once through gate and model."""
    from scripts.scenes.house_sounds import house, thing
    from scripts.scenes.recordings import Pool, read_manifest

    recordings = read_manifest(options.manifest, sorted(options.sources.split(",")))
    pool = Pool(options.manifest.parent, recordings)
    classifier = EmbeddedConfig(type="embedded").build()
    classifier.load()
    options.heard.mkdir(parents=True, exist_ok=True)
    by_group: dict[str, list[int]] = {}
    for number, one in enumerate(recordings):
        by_group.setdefault(f"{one.source}:{one.group}", []).append(number)
    groups = {recordings[n].path: group for group, own in by_group.items() for n in own}
    (options.heard / "groups.pkl").write_bytes(pickle.dumps(groups))
    fit = [
        g for g, own in sorted(by_group.items()) if not any(recordings[n].labels & NOT_TAUGHT for n in own)
    ]
    for n in np.random.default_rng(1).permutation(len(fit))[: options.things]:
        own = [recordings[number] for number in by_group[fit[n]]]
        others = Pool(pool.root, [one for one in recordings if one not in own])
        heard = thing(others, classifier, own, VISITS, int(n) + 1000 * options.seed)
        (options.heard / f"thing{n:03d}.pkl").write_bytes(pickle.dumps(heard))
    for number, scene in enumerate(house(pool, classifier, options.hours, options.seed)):
        (options.heard / f"house{number:04d}.pkl").write_bytes(pickle.dumps(scene))


def _read(folder: Path) -> tuple[dict[str, str], list[HeardScene], list[HeardThing]]:
    scenes = [pickle.loads(file.read_bytes()) for file in sorted(folder.glob("house*.pkl"))]
    things = [pickle.loads(file.read_bytes()) for file in sorted(folder.glob("thing*.pkl"))]
    return pickle.loads((folder / "groups.pkl").read_bytes()), scenes, things


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


def _visits(scene: HeardScene) -> Iterator[Floats]:
    """The embeddings of each visit's looks."""
    for _, begin, end in scene.placed:
        least = min(REACH_S * (end - begin), REACH_S)
        own = [
            look for look in scene.looks if min(look.end_s, end + REACH_S) - max(look.start_s, begin) > least
        ]
        yield _embeddings(own)


def _taught(
    one: HeardThing,
    count: int,
    background: Background,
    listened: HouseHalf,
    groups: dict[str, str],
) -> TaughtOutcome | None:
    """None where the gate let too few visits through."""
    same, other = list(_visits(one.same)), list(_visits(one.other))
    hearings = [
        Hearing(str(n), looks.mean(axis=0)) for n, looks in enumerate(same[:TAUGHT_FROM]) if len(looks)
    ][:count]
    found = learn("thing", hearings, background, BEGINNING)
    refused = isinstance(found, NotTaught)
    sound = _anyway(hearings, background) if refused else found
    if sound is None:
        return None
    assert isinstance(sound, TaughtSound)
    return TaughtOutcome(
        refused,
        _heard(sound, same[TAUGHT_FROM:]),
        _heard(sound, other),
        0.0 if refused else sound.expected.heard / sound.expected.of,
        listened.false_events(sound, one.group, groups),
        listened.hours,
    )


def _anyway(hearings: Sequence[Hearing], background: Background) -> TaughtSound | None:
    """What was refused, to see what would have become of it."""
    found = learn("thing", hearings, background, BEGINNING, least_heard=0.0)
    return None if isinstance(found, NotTaught) else found


def _heard(sound: TaughtSound, visits: Sequence[Floats]) -> float:
    hits = [bool(len(looks)) and bool((sound.likeness(looks) >= sound.bar).any()) for looks in visits]
    return float(np.mean(hits))


def _summary(outcomes: Sequence[TaughtOutcome]) -> dict[str, str]:
    kept = [one for one in outcomes if not one.refused]
    hours = sum(one.hours for one in kept)
    return {
        "taught": f"{len(kept)} of {len(outcomes)}",
        "heard again": f"{np.mean([one.same for one in kept]):.2f}",
        "expected": f"{np.mean([one.expected for one in kept]):.2f}",
        "in another room": f"{np.mean([one.other for one in kept]):.2f}",
        "without refusals": f"{np.mean([one.same for one in outcomes]):.2f}",
        "false a week": f"{sum(one.false for one in kept) / max(hours, 1e-9) * 168:.1f}",
        "right to refuse or teach": f"{np.mean([one.is_right for one in outcomes]):.2f}",
    }


def _costs(things: Sequence[HeardThing], background: Background) -> list[dict[str, str]]:
    """A look with so many sounds that were taught together, and the file of one."""
    sounds: list[TaughtSound] = []
    for one in things:
        visits = [looks.mean(axis=0) for looks in _visits(one.same) if len(looks)]
        hearings = [Hearing(str(number), each) for number, each in enumerate(visits[: max(COUNTS)])]
        sounds += [found] if (found := _anyway(hearings, background)) is not None else []
    heard = background.embeddings[0]
    rows = []
    for count in (1, 5, 10):
        together = SideBySide(sounds[:count])
        us = min(timeit.repeat(partial(together.likeness, heard), number=200, repeat=50)) / 200 * 1e6
        kilobytes = max(len(one.model_dump_json()) for one in sounds[:count]) / 1e3
        rows.append({"sounds": str(count), "a look, µs": f"{us:.0f}", "largest file, KB": f"{kilobytes:.0f}"})
    return rows
