"""A house and its things, heard once and kept as files: hours of gate and model, to be looked at again."""

import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from monitor.classifiers.taggers.embedded import EmbeddedConfig
from monitor.labels import LIFE_SAFETY
from scripts.scenes.house_sounds import HeardScene, HeardThing, house_scene, planned, thing
from scripts.scenes.recordings import Pool, read_manifest

VISITS = 22
"""Of a thing to its room; half as many to another."""
NOT_TAUGHT = LIFE_SAFETY | {
    "speech", "music", "singing", "rain", "wind", "waves", "thunder", "bird", "insect", "train", "aircraft",
    "siren", "gunshot", "explosion", "scream", "engine",
}  # fmt: skip
"""What nobody teaches: alarms, and what goes on for hours outside."""


def hear_all(manifest: Path, sources: str, things: int, hours: float, seed: int, folder: Path) -> None:
    """Everything that is taught and listened to, once through gate and model, as files of a folder. `sources`
    are separated by commas; another seed is another house, and other visits."""
    recordings = read_manifest(manifest, sorted(sources.split(",")))
    pool = Pool(manifest.parent, recordings)
    classifier = EmbeddedConfig(type="embedded").build()
    classifier.load()
    folder.mkdir(parents=True, exist_ok=True)
    by_group: dict[str, list[int]] = {}
    for number, one in enumerate(recordings):
        by_group.setdefault(f"{one.source}:{one.group}", []).append(number)
    groups = {recordings[n].path: group for group, own in by_group.items() for n in own}
    (folder / "groups.pkl").write_bytes(pickle.dumps(groups))
    fit = [
        g for g, own in sorted(by_group.items()) if not any(recordings[n].labels & NOT_TAUGHT for n in own)
    ]
    for n in np.random.default_rng(1).permutation(len(fit))[:things]:
        own = [recordings[number] for number in by_group[fit[n]]]
        others = Pool(pool.root, [one for one in recordings if one not in own])
        _kept(
            folder / f"thing{n:03d}.pkl",
            partial(thing, others, classifier, own, VISITS, int(n) + 1000 * seed),
        )
    for place, scene in enumerate(planned(hours, seed)):
        _kept(
            folder / f"house{place:04d}.pkl",
            partial(house_scene, pool, classifier, seed, *scene),
        )


def _kept(file: Path, heard: Callable[[], HeardThing | HeardScene]) -> None:
    """What was heard is written once, whole: a run that was stopped goes on where it was."""
    if not file.exists():
        half = file.with_suffix(".half")
        half.write_bytes(pickle.dumps(heard()))
        half.rename(file)


def read_heard(folder: Path) -> tuple[dict[str, str], list[HeardScene], list[HeardThing]]:
    """What was heard: the group of each recording, the house's scenes, and its things."""
    scenes = [pickle.loads(file.read_bytes()) for file in sorted(folder.glob("house*.pkl"))]
    things = [pickle.loads(file.read_bytes()) for file in sorted(folder.glob("thing*.pkl"))]
    return pickle.loads((folder / "groups.pkl").read_bytes()), scenes, things
