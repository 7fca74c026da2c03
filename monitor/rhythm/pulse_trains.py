"""Beeps in even succession that are no standard's: march time, unbroken tones, a failing battery's chirp."""

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from monitor.rhythm.pulses import Pulse
from monitor.rhythm.report import PatternReport
from monitor.types import Certainty

HIGHEST_SCORE = 0.9
"""Of what is certain to beep and fits no standard."""
LONG_HOPS = 500
"""A tone unbroken for 5 s is told of, and again each 5 s."""
HOLD_S = 15.0
CHIRP_HOLD_S = 150.0
"""Beyond the last chirp: two of a minute's spacing may be missed."""

_SAME_PITCH, _SAME_PITCH_HZ = 0.015, 20.0
_MOST_TRAINS = 24
_KEPT_PULSES = 32
_GROUPS = range(1, 7)
_CYCLES = 4
_LEAST_SPAN = 500  # hops: a microwave oven is done beeping by then
_CHIRP_LENGTH = (2, 25)
_CHIRP_SPACING = (2500, 6500)
_CHIRP_LOWEST_HZ = 1500.0
_CLEAR_DBFS = -45.0
_SNR_BIAS_DB = 10.0


@dataclass
class Train:
    """Pulses of one pitch, oldest first."""

    pitch_hz: float
    pulses: deque[Pulse] = field(default_factory=lambda: deque(maxlen=_KEPT_PULSES))
    told: int = -1
    """Onset of the last pulse that was reported."""
    first: int | None = None
    """Onset at which the rhythm that is being reported began."""
    reach_hz: float = field(init=False)
    """How far off a pulse may be and still belong here."""

    def __post_init__(self) -> None:
        self.reach_hz = max(_SAME_PITCH * self.pitch_hz, _SAME_PITCH_HZ)


class Trains:
    """Sorts pulses by pitch and finds the periodic ones."""

    def __init__(self) -> None:
        self._trains: list[Train] = []

    def add(self, pulse: Pulse) -> PatternReport | None:
        """What one more pulse makes of its train."""
        train = self._train(pulse)
        if not pulse.ended:
            return _continuous(pulse)
        if train.pulses and pulse.onset <= train.pulses[-1].end:
            # Two bins that share a pitch both saw it.
            before = train.pulses.pop()
            onset, end = min(pulse.onset, before.onset), max(pulse.end, before.end)
            train.pulses.append(Pulse(onset, end, *_stronger(pulse, before)))
            return None
        train.pulses.append(pulse)
        return _chirping(train) or _repeating(train)

    def _train(self, pulse: Pulse) -> Train:
        for at, train in enumerate(self._trains):
            if abs(pulse.pitch_hz - train.pitch_hz) < train.reach_hz:
                del self._trains[at]
                break
        else:
            train = Train(pulse.pitch_hz)
        self._trains.append(train)
        del self._trains[:-_MOST_TRAINS]
        return train


def _stronger(one: Pulse, other: Pulse) -> tuple[float, float, float]:
    best = max(one, other, key=lambda pulse: pulse.prominence_db)
    return best.pitch_hz, best.prominence_db, best.level_dbfs


def _continuous(pulse: Pulse) -> PatternReport | None:
    # What sounded before we listened is a refrigerator rather than an alarm, unless it is loud.
    if pulse.onset < 50 and pulse.level_dbfs < _CLEAR_DBFS:
        return None
    return _told("unknown_alarm", "continuous", "suspected", 1, [pulse], pulse.on_s, 0.0)


def _chirping(train: Train) -> PatternReport | None:
    pulses = list(train.pulses)[-3:]
    if len(pulses) < 2 or train.pitch_hz < _CHIRP_LOWEST_HZ:
        return None
    spacings = [later.onset - earlier.onset for earlier, later in pairwise(pulses)]
    lengths = [pulse.end - pulse.onset for pulse in pulses]
    even = [_CHIRP_SPACING[0] <= spacing <= _CHIRP_SPACING[1] for spacing in spacings]
    if not even[-1] or not all(_CHIRP_LENGTH[0] <= n <= _CHIRP_LENGTH[1] for n in lengths[-2:]):
        return None
    if abs(lengths[-1] - lengths[-2]) > max(3, 0.3 * max(lengths[-2:])):
        return None
    certain = len(pulses) == 3 and all(even) and abs(spacings[1] / spacings[0] - 1) < 0.05
    kept = pulses if certain else pulses[-2:]
    certainty: Certainty = "confirmed" if certain else "suspected"
    off_s = spacings[-1] / 100 - kept[-1].on_s
    return _told("low_battery_chirp", "chirp", certainty, len(kept) - 1, kept, kept[-1].on_s, off_s)


def _repeating(train: Train) -> PatternReport | None:
    if len(train.pulses) <= _CYCLES:
        return None
    onsets = [pulse.onset for pulse in train.pulses]
    lengths = [pulse.end - pulse.onset for pulse in train.pulses]
    group = next((g for g in _GROUPS if _is_periodic(onsets, lengths, g)), None)
    if group is None:
        train.first = None
        return None
    pulses = list(train.pulses)[-(_CYCLES * group + 1) :]
    train.first = pulses[0].onset if train.first is None else train.first
    if pulses[-1].end - train.first < _LEAST_SPAN or pulses[-1].onset - train.told < _LEAST_SPAN:
        return None
    train.told = pulses[-1].onset
    period_s = (onsets[-1] - onsets[-1 - group]) / 100
    on_s = median(lengths[-group:]) / 100
    marching = group == 1 and 0.4 <= period_s <= 1.4 and 0.35 <= on_s / period_s <= 0.7
    pattern = "march_time" if marching else "repeating"
    cycles = int((pulses[-1].onset - train.first) / 100 / period_s)
    apart = [later - earlier for earlier, later in pairwise(onsets[-group - 1 :])]
    return _told(
        "unknown_alarm", pattern, "suspected", cycles, pulses, on_s, median(apart) / 100 - on_s, train.first
    )


def _is_periodic(onsets: list[int], lengths: list[int], group: int) -> bool:
    newest = -_CYCLES * group - 1
    if len(onsets) < -newest:
        return False
    periods = _changes(onsets[newest:], group)
    typical = median(periods)
    if not 10 <= typical <= 1000:
        return False
    uneven = max(max(periods) - typical, typical - min(periods))
    unlike = max(map(abs, _changes(lengths[newest:], group)))
    return uneven <= max(2.5, 0.03 * typical) and unlike <= max(4.0, 0.3 * max(lengths[newest:]))


def _changes(values: list[int], group: int) -> list[int]:
    return [later - earlier for earlier, later in zip(values, values[group:], strict=False)]


def _told(
    label: str,
    pattern: str,
    certainty: Certainty,
    cycles: int,
    pulses: list[Pulse],
    on_s: float,
    off_s: float,
    first: int | None = None,
) -> PatternReport:
    return PatternReport(
        label=label,
        pattern=pattern,
        certainty=certainty,
        score=HIGHEST_SCORE if certainty == "confirmed" else 0.6,
        onset=pulses[0].onset if first is None else first,
        end=pulses[-1].end,
        cycles=cycles,
        on_s=on_s,
        off_s=off_s,
        pause_s=None,
        pitch_hz=pulses[-1].pitch_hz,
        snr_db=median(pulse.prominence_db for pulse in pulses) - _SNR_BIAS_DB,
        hold_s=CHIRP_HOLD_S if pattern == "chirp" else HOLD_S,
    )
