"""Hearing in continuous scenes of unknown sources: recall, false events, where sounds are lost.

    python scripts/bench scenes MANIFEST --sources a,b,c --scenes 6 --minutes 10 [--yamnet MODELS]
    python scripts/bench scenes MANIFEST --sources a,b,c --backgrounds --hours 3

MANIFEST is a CSV with `path` (below its folder), `source`, `group`, `labels` (AudioSet display names, `;`
between them), `duration_s` and `split`. Name whole sources that the model was not taught by: recordings of
one source share rooms, microphones and editing, and flatter whoever has heard others of them. The scenes go
through the same code as `earwitness analyze`, with the built-in settings or those of `--config`.
"""

import argparse
import importlib.util
import json
import multiprocessing
import pickle
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from monitor.config.capabilities import thresholds
from monitor.config.loading import default_config, load_config
from monitor.config.model import Config
from monitor.pipeline.build import LoadedClassifiers, load_classifiers
from monitor.recordings.analysis import SOURCE
from monitor.recordings.rows import ResultRow
from scripts.bench.table import show
from scripts.scenes import losses, report
from scripts.scenes.composing import Scene, compose, compose_background
from scripts.scenes.equal_rates import at_equal_rates, by_sensitivity
from scripts.scenes.hearing import Hearing, hear
from scripts.scenes.kinds import ALERTS, BACKGROUNDS
from scripts.scenes.peers import FRIGATE, OPEN, Yamnet, events
from scripts.scenes.recordings import Pool, Unusable, read_manifest, write_wav
from scripts.scenes.scoring import false_alerts, score, score_scene

Heard = tuple[Hearing, dict[str, list[ResultRow]]]
"""A scene as we heard it, and the events of the peers by their name."""


def main() -> None:
    """Compose, hear, print."""
    options = _options()
    try:
        heard = list(_heard(options))
    except Unusable as error:
        raise SystemExit(str(error)) from None
    if options.traces:
        options.traces.parent.mkdir(parents=True, exist_ok=True)
        options.traces.write_bytes(pickle.dumps([hearing for hearing, _ in heard]))
    tables = _background_tables(heard) if options.backgrounds else _scene_tables(heard, _config(options))
    for title, rows in tables.items():
        show(rows, title)
    if options.json:
        options.json.write_text(json.dumps(tables, indent=1, default=str) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--sources", default="", help="compose of these sources alone, comma-separated")
    parser.add_argument("--without", default="", help="compose of all sources but these")
    parser.add_argument("--split", default="", help="compose of this split of the manifest alone")
    parser.add_argument("--scenes", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=10, help="length of a scene")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backgrounds", action="store_true", help="no alert sounds: false events alone")
    parser.add_argument("--hours", type=float, default=3, help="of backgrounds, over all kinds")
    parser.add_argument("--config", type=Path, help="settings; by default the built-in ones")
    parser.add_argument(
        "--yamnet", type=Path, help="folder of yamnet.tflite and yamnet_class_map.csv: a peer"
    )
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the tables there")
    parser.add_argument("--traces", type=Path, help="write what gate and classifiers did there (pickle)")
    parser.add_argument("--keep", type=Path, help="write scenes (WAV) and their truth there")
    return parser.parse_args()


def _config(options: argparse.Namespace) -> Config:
    if options.config:
        return load_config(options.config)
    return default_config([{"type": "file", "name": SOURCE, "path": "scene.wav"}])


def _heard(options: argparse.Namespace) -> Iterator[Heard]:
    """Every scene, heard in a process of its own each."""
    jobs = _background_jobs(options) if options.backgrounds else list(range(options.scenes))
    _pool(options)  # a wrong manifest gives one error, before any process starts
    if options.yamnet and importlib.util.find_spec("ai_edge_litert") is None:
        raise Unusable("--yamnet needs a runtime: pip install ai-edge-litert")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, spawn, initializer=_begin, initargs=(options,)) as workers:
        yield from workers.map(_work, jobs)


def _background_jobs(options: argparse.Namespace) -> list[tuple[str, int]]:
    """Kinds in turn, so that each gets the same hours."""
    kinds = ["quiet", *(kind for kind, labels in BACKGROUNDS.items() if _there(options, labels))]
    count = max(len(kinds), round(options.hours * 60 / options.minutes))
    return [(kinds[n % len(kinds)], n // len(kinds)) for n in range(count)]


def _there(options: argparse.Namespace, labels: Sequence[str]) -> bool:
    pool = _pool(options)
    return any(pool.of(label, avoid=ALERTS) for label in labels)


def _pool(options: argparse.Namespace) -> Pool:
    sources, without = (
        [one for one in text.split(",") if one] for text in (options.sources, options.without)
    )
    recordings = read_manifest(options.manifest, sources, without, options.split)
    return Pool(options.manifest.parent, recordings)


_here: tuple[argparse.Namespace, Pool, Config, LoadedClassifiers, Yamnet | None] | None = None
"""In a worker process: what it was begun with; models are loaded once."""


def _begin(options: argparse.Namespace) -> None:
    global _here
    config = _config(options)
    yamnet = Yamnet(options.yamnet) if options.yamnet else None
    _here = (options, _pool(options), config, load_classifiers(config), yamnet)


def _work(job: int | tuple[str, int]) -> Heard:
    assert _here is not None
    options, pool, config, classifiers, yamnet = _here
    if isinstance(job, int):
        scene = compose(pool, options.seed, job, options.minutes)
    else:
        kind, number = job
        labels = BACKGROUNDS.get(kind, ())
        scene = compose_background(pool, options.seed, number, options.minutes, kind, labels)
    if options.keep:
        _keep(options.keep, scene)
    windows = list(yamnet.windows(scene.samples)) if yamnet else []
    return hear(scene, config, classifiers), {
        use.name: events(windows, use) for use in (FRIGATE, OPEN) if yamnet
    }


def _keep(folder: Path, scene: Scene) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_wav(folder / f"{scene.name}.wav", scene.samples)
    truth = {"placed": [asdict(one) for one in scene.placed], "beds": [asdict(one) for one in scene.beds]}
    (folder / f"{scene.name}.json").write_text(json.dumps(truth, indent=1), encoding="utf-8")


def _scene_tables(heard: Sequence[Heard], config: Config) -> dict[str, report.Rows]:
    hearings = [hearing for hearing, _ in heard]
    ours = score([(hearing, hearing.rows) for hearing in hearings], ALERTS)
    rows = thresholds(config, load_classifiers(config).first).of(SOURCE)
    named = {hearing.name: hearing for hearing in hearings}
    lost = [
        losses.loss(named[one.scene], one.number, rows[one.placed.label])
        for one in ours.sounds
        if not one.hit
    ]
    systems = [report.totals(ours, "earwitness")]
    for name in heard[0][1] if heard else ():
        theirs = score([(hearing, peers[name]) for hearing, peers in heard], ALERTS)
        systems.append(report.totals(theirs, name))
    reach = [
        {"cut by hand": name, "share": round(share, 3)}
        for name, share in losses.reach(hearings, rows).items()
    ]
    return {
        "by label": report.by_label(ours, lost),
        "by condition": report.by_condition(ours),
        "where sounds were lost": report.of_losses(lost, len(ours.sounds)),
        "cut by hand": reach,
        "what was false": report.of_false(ours),
        "at equal false events, onsets chosen on these scenes": at_equal_rates(hearings, rows),
        "by sensitivity of the source": by_sensitivity(hearings, rows),
        "totals": systems,
    }


def _background_tables(heard: Sequence[Heard]) -> dict[str, report.Rows]:
    hearings = [hearing for hearing, _ in heard]
    false = [(h.kind, h.beds, score_scene(h, h.rows, ALERTS)[1]) for h in hearings]
    alerts = [(h.kind, h.beds, false_alerts(h, h.rows)) for h in hearings]
    return {
        "what was false": report.of_false(score([(h, h.rows) for h in hearings], ALERTS)),
        "backgrounds without alert sounds": report.of_backgrounds(false, alerts),
    }
