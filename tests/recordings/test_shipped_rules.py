"""What the rules that ship make of whole recordings."""

from pathlib import Path

import numpy as np
import pytest

from monitor.audio import Samples
from monitor.config.loading import default_config
from monitor.pipeline.build import LoadedClassifiers, load_classifiers
from monitor.recordings.analysis import analyze
from monitor.synthesis.alarms import piezo, played
from testkit.alarms import steady_pulses
from testkit.builders import noise
from testkit.impostors import kettle
from testkit.wav import write_wav

RATE_HZ = 16_000
BEEPING, PERHAPS = "Beeping that is no known alarm", "Perhaps an alarm of an unknown kind"


def alerts(path: Path, lasts_s: float, on_s: float, off_s: float) -> list[tuple[str, str, int]]:
    """Rule, severity and second since the first beep of each alert; beeps in a quiet room, no model."""
    pulses = steady_pulses(round(lasts_s / (on_s + off_s)), on_s=on_s, off_s=off_s)
    beeps = played(piezo(2900), pulses, RATE_HZ)
    sound = np.concatenate([noise(5, -70), beeps * np.float32(0.3), noise(25, -70)])
    sound[5 * RATE_HZ : -25 * RATE_HZ] += noise(len(beeps) / RATE_HZ, -70)[: len(beeps)]
    write_wav(path, sound)
    config = default_config([{"type": "demo", "name": "demo"}]).model_copy(update={"classifiers": []})
    rows = analyze(path, config, LoadedClassifiers()).rows
    return [
        (row["rule"], row["severity"], round(row["decided_s"] - 5)) for row in rows if row["type"] == "alert"
    ]


@pytest.mark.parametrize(("on_s", "off_s"), [(0.1, 0.1), (0.25, 0.75)], ids=["fast", "slow"])
def test_a_machine_that_beeps_informs_and_an_alarm_that_goes_on_warns(
    tmp_path: Path, on_s: float, off_s: float
) -> None:
    """Nobody is warned of a washing machine's end; an alarm of no standard is seen at once, and warns."""
    [machine] = alerts(tmp_path / "machine.wav", 12, on_s, off_s)
    assert machine[:2] == (BEEPING, "info")

    [seen, warned] = alerts(tmp_path / "alarm.wav", 60, on_s, off_s)
    assert seen[:2] == (BEEPING, "info")
    assert seen[2] <= 8
    assert warned[:2] == (PERHAPS, "warning")
    assert 44 <= warned[2] <= 47


def test_an_unbroken_tone_of_an_alarm_s_sounder_rings_and_a_kettle_does_not(tmp_path: Path) -> None:
    """Some alarms make one long tone: it warns at once and rings as soon as no oven's beep lasts so long. A
    kettle's whistle wavers and glides, and is no smoke alarm to the sound model."""
    config = default_config([{"type": "demo", "name": "demo"}])
    classifiers = load_classifiers(config)

    def smoke(name: str, made: Samples) -> list[tuple[str, bool]]:
        path = tmp_path / f"{name}.wav"
        write_wav(path, np.concatenate([noise(5, -70), made * np.float32(0.3), noise(5, -70)]))
        rows = analyze(path, config, classifiers).rows
        return [
            (row["rule"], row["decided_s"] - 5 < 6)
            for row in rows
            if row["type"] == "alert" and "smoke alarm" in row["rule"].lower()
        ]

    tone = played(piezo(3100), [(10.0, 0.0)], RATE_HZ)
    assert smoke("alarm", tone) == [("Perhaps a smoke alarm", True), ("Smoke alarm", True)]
    for seed in range(1000, 1003):
        assert smoke(f"kettle{seed}", kettle(np.random.default_rng(seed), RATE_HZ)) == []
