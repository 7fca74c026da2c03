"""How many segments a busy room gives the large model, by the setting of the cascade.

    python scripts/bench cascade --minutes 20

Rooms are the demo's, made by arithmetic: something happens every few seconds, as in a room at its busiest.
"""

import argparse
import math
from collections import Counter
from collections.abc import Iterator

from monitor.classifiers.audio_llm.engines.client import wav_base64
from monitor.classifiers.cascade import Cascade, SecondLook
from monitor.config.loading import default_config
from monitor.config.model import Config
from monitor.pipeline.build import LoadedClassifiers, build_front_end, load_classifiers
from monitor.synthesis.scene import demo_scene
from monitor.types import Segment
from scripts.bench.table import show
from testkit.builders import frames

LOOKS = {
    "unsure (default)": SecondLook(),
    "verify glass_break, scream, gunshot": SecondLook(
        unsure=None, verify=["glass_break", "scream", "gunshot"]
    ),
    "both, and emotion": SecondLook(verify=["glass_break", "scream", "gunshot"], emotion=True),
    "everything": SecondLook(everything=True),
}
QUESTIONS = 4
"""Lettered questions about one segment, each with its sound: all labels, without the emotion."""


def segments(config: Config, classifiers: LoadedClassifiers, seed: int) -> Iterator[Segment]:
    """Finished segments of one room."""
    ears = build_front_end(config, config.sources[0], classifiers)
    for frame in frames(demo_scene(seed).audio.samples, config.sources[0].name):
        if heard := ears.push(frame):
            yield from (segment for segment in heard.segments if segment.ended_by != "open")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="of sound; the demo's scene lasts 75 s")
    options = parser.parse_args()
    config = default_config([{"type": "demo", "name": "room"}])
    classifiers = load_classifiers(config)
    [small] = classifiers.first
    bands = getattr(small, "second_look", {})
    sent, lengths_s, heard_s, sizes = Counter[str](), [], 0.0, []
    for seed in range(math.ceil(60 * options.minutes / demo_scene(0).audio.duration_s)):
        heard_s += demo_scene(seed).audio.duration_s
        for segment in segments(config, classifiers, seed):
            found = small.classify([segment])
            lengths_s.append(segment.audio.duration_s)
            sizes.append(QUESTIONS * len(wav_base64(segment.audio)))
            sent.update(name for name, look in LOOKS.items() if Cascade(look, bands).wants(segment, found))
    hours = heard_s / 3600
    title = (
        f"{60 * hours:.0f} minutes, {len(lengths_s)} segments of {sum(lengths_s) / len(lengths_s):.1f} s on "
        f"average, {sum(sizes) / len(sizes) / 1e6:.2f} MB each for {QUESTIONS} questions to a server"
    )
    rows = [
        {
            "cascade": name,
            "segments an hour": round(sent[name] / hours),
            "of all": f"{sent[name] / len(lengths_s):.0%}",
        }
        for name in LOOKS
    ]
    show(rows, title)


if __name__ == "__main__":
    main()
