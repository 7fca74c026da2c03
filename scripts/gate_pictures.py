"""Draws docs/pictures/gate.png: what the gate makes of a fan, speech-like bursts and a smoke alarm.

python -m scripts.gate_pictures
"""

from datetime import timedelta
from pathlib import Path

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.gate.gate import Gate, GateConfig
from testkit.builders import START, frames, noise
from testkit.gate_sounds import silence, smoke_alarm, voice

PICTURE = Path("docs/pictures/gate.png")
SEGMENT, LOOK = "#f5b041", "#935116"


def scene() -> Samples:
    """A room; someone speaks, knocks, a fan runs for a while, then the smoke alarm goes off."""
    room = noise(64, -60)
    at = {
        4.0: voice(3, level_dbfs=-30),
        10.0: noise(0.05, -25, seed=1),
        10.4: noise(0.05, -25, seed=2),
        16.0: noise(18, -42, seed=3),
        24.0: voice(2, pitch_hz=200, level_dbfs=-22),
        40.0: np.concatenate((smoke_alarm(5), silence(1))),
    }
    for start_s, sound in at.items():
        start = round(start_s * SAMPLE_RATE_HZ)
        room[start : start + len(sound)] += sound
    return room


def main() -> None:
    """Listen to the scene and draw it."""
    from matplotlib.figure import Figure

    gate = Gate("kitchen", GateConfig())
    levels, floors, segments, looks = [], [], [], []
    for frame in frames(scene()):
        heard = gate.push(frame).segments
        segments += [one for one in heard if one.ended_by != "open"]
        looks += [frame.ends_at for one in heard if one.ended_by == "open"]
        levels.append(gate.level_dbfs)
        floors.append(gate.floor_dbfs)
    segments += gate.finish("shutdown").segments
    figure = Figure(figsize=(11, 4), layout="constrained")
    axis = figure.subplots()
    time_s = np.arange(len(levels)) * 0.03
    axis.plot(time_s, levels, color="#5d6d7e", linewidth=0.6, label="level")
    axis.plot(time_s, floors, color="#1e8449", linewidth=1.6, label="floor")
    axis.plot(time_s, np.array(floors) + 9, color="#1e8449", linewidth=0.8, linestyle=":", label="opens here")
    for segment in segments:
        begin, end = _s(segment.started_at - START), _s(segment.ends_at - START)
        axis.axvspan(begin, end, color=SEGMENT, alpha=0.25, linewidth=0)
    axis.plot([_s(at - START) for at in looks], [-12] * len(looks), "|", color=LOOK, label="early look")
    for at_s, name in ((4, "speech"), (10, "knocks"), (16, "a fan"), (24, "speech"), (40, "smoke alarm")):
        axis.text(at_s, -8, name)
    axis.set(xlim=(0, 64), ylim=(-75, -3), xlabel="time in s", ylabel="dBFS")
    axis.legend(loc="lower right", ncols=4, fontsize="small")
    figure.savefig(PICTURE, dpi=90)


def _s(length: timedelta) -> float:
    return length.total_seconds()


if __name__ == "__main__":
    main()
