"""Periodic beeps that follow no standard: march time, unbroken tones, the chirp of a low battery;
and T3 in disguise.

Hops are 10 ms. "Trials" are those of `python scripts/bench constants`.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from monitor.rhythm.folded import PERIOD_HOPS, Folded, VoiceAlarms, folded
from monitor.rhythm.pulses import Pulse
from monitor.rhythm.report import PatternReport
from monitor.types import Certainty

HIGHEST_SCORE = 0.9
"""Score of a confirmed chirp. Chosen: below that of a standard's rhythm (0.94 after one perfect cycle), for
one tone each 40 s is less evidence."""
LONG_HOPS = 500
"""An unbroken tone is looked at each 5 s. Chosen: as often as other rhythms are reported
(`_LEAST_SPAN_HOPS`)."""
_CONTINUOUS_HOPS = 2000
"""It is an unknown alarm from 20 s on, and reported each 5 s from then on. An alarm without pauses sounds for
longer; much else does not: in 7.5 h of scenes without such an alarm (`python -m scripts.bench scenes`) held
notes of music, motors and traffic were 251 unknown alarms from 5 s on, and 51 from 20 s on."""
HOLD_S = 15.0
"""How long an unknown alarm is held after its last tone. Chosen: it is reported each 5 s, so that two reports
may be missed."""
CHIRP_HOLD_S = 150.0
"""How long a low battery is held after its last chirp. Chosen: of chirps a minute apart one may be missed."""
SMOKE_HOLD_S = 12.0
"""How long a T3 in disguise is held after its last tone: as a whole one (`monitor.rhythm.counting`)."""
SPOKEN = "temporal_three_spoken"
"""The pattern of a voice alarm, if words are in its pause (`monitor.rhythm.isolation.has_words`)."""
_HOLD_S = {"low_battery_chirp": CHIRP_HOLD_S, "smoke_alarm": SMOKE_HOLD_S}  # HOLD_S for the others

_SAME_PITCH_SHARE, _SAME_PITCH_HZ = 0.015, 20.0
"""Pulses of one train differ in pitch by less than this share, or by less than 20 Hz: pitches are those of
bins, 31 Hz wide, so that neighbouring bins are two trains below 2.1 kHz and one above. Trials: with 0.0075
the beeps of electronic music are no longer found, with 0.0225 those of a metronome are found 3 s later."""
_MOST_TRAINS = 24
"""Pitches that are followed at once; the least recent is dropped. Trials: with 12 the beeps of electronic
music are no longer found; 36 changes nothing."""
_KEPT_PULSES = 32
"""Pulses kept of each train: four groups of six and one more are 25. Trials: with 16 the beeps of an oven
timer and an alarm clock, in groups of four, are no longer found."""
_PULSES_PER_GROUP = range(1, 7)
"""Sizes of the groups that may repeat. Trials: without 1 march time is not found, without 4 to 6 neither an
alarm clock nor an oven timer; larger groups change nothing."""
_LEAST_GROUPS = 4
"""Groups that must follow each other. Trials: with 2 telephones and three beeps of an oven are unknown
alarms; with 6 an oven timer is found 3 to 5 s later."""
_LEAST_SPAN_HOPS = 500
"""Least time that a rhythm lasts before it is reported, and from report to report. Trials: with 2.5 s the
five beeps of a microwave oven are march time; with 7.5 s everything is found up to 5 s later."""
_CHIRP_LENGTH_HOPS = (2, 25)
"""Shortest and longest chirp: 20 ms is the least that a row of 52 ms shows, and the beep of an appliance
lasts longer than 250 ms. Trials on a chirp of 60 ms: 40, 120 and 400 ms change nothing."""
_CHIRP_SPACING_HOPS = (2500, 6500)
"""Shortest and longest time between chirps. UL 217 asks for one a minute at least; makers use 30 to 60 s.
Less 15 % and more 8 %. With 39 s as the longest a chirp each 40 s is not found."""
_PAUSE_HOPS, _RINGS_HOPS = 130, 20
"""The pause of a T3 whose beeps were cut is longer than this. By arithmetic: it is 1.85 s or more; another
pitch counts as beeping in it from 0.2 s after a beep until 0.2 s before the next, which overtones do not.
Trials: from 1.95 s on the accented clicks of a metronome are a T3 that was cut; 0.65 s, 0.1 and 0.3 s change
no alarm."""
_CHIRP_LOWEST_HZ = 1500.0
"""Lowest pitch of a chirp. Chosen: it comes from the alarm's own sounder of 2.8 to 3.6 kHz; most beeps of
appliances are higher than this, too, but drops, knocks and voices are lower. Trials: with 3.5 kHz a chirp is
not found, 0.75 and 2.25 kHz change nothing."""
_EVEN_CHIRPS_SHARE = 0.05
"""By how much two spacings of chirps may differ. Chosen: a quartz keeps time, and a row is 10 ms. Trials:
half and one and a half change no alarm."""
_EVEN_CHIRP_LENGTH = 3, 0.3
"""By how much the lengths of chirps may differ: 30 ms or 30 %. Chosen: a row averages 52 ms. Trials: half and
one and a half change nothing."""
_LOUD_FROM_THE_START_DBFS = -45.0
"""A tone that sounds when listening begins is an unknown alarm only from this level on. Chosen: an alarm in
the same room is louder, a refrigerator or a transformer is not."""
_START_HOPS = 50
"""A tone that begins within 0.5 s is one that sounded before listening began. Chosen: by then the floor is
known. Trials: half and one and a half change nothing."""
_SNR_BIAS_DB = 10.0
"""By arithmetic: prominence exceeds the SNR in a third octave by the bins in it, 12 dB at 3 kHz, 10 dB at 2
kHz. Only the evidence depends on it."""
_UNSURE_SCORE = 0.6
"""Score of what is suspected. Chosen: above the onset of 0.5 of these labels (`monitor.events.defaults`), and
well below `HIGHEST_SCORE`."""
_MARCH_PERIOD_S, _MARCH_ON_SHARE = (0.4, 1.4), (0.35, 0.7)
"""Period and share of tone in march time. Chosen: 0.5 s on and 0.5 s off, or 0.25 s and 0.25 s at 120 beats a
minute, with a fifth less and two fifths more. Only the evidence depends on it."""
_PERIOD_HOPS = (10, 1000)
"""Shortest and longest period of a group: 0.1 s is two rows of 52 ms; 10 s is what `_KEPT_PULSES` are worth
waiting for."""
_EVEN_PERIODS = 2.5, 0.03
"""By how much periods may differ from the median: 25 ms, or 3 %. Chosen: a hop is 10 ms and each onset may be
one off; hands and voices are less even. Trials: half and one and a half change no alarm; a truck in noise is
then not found."""
_EVEN_LENGTHS = 4.0, 0.3
"""By how much lengths may differ from group to group: 40 ms, or 30 %. Chosen: a room or noise changes them
more than the onsets. Trials: with half of either, music and metronomes are found 2 to 19 s later; more
changes when, not what."""


@dataclass
class Train:
    """Pulses of one pitch, oldest first."""

    pitch_hz: float
    pulses: deque[Pulse] = field(default_factory=lambda: deque(maxlen=_KEPT_PULSES))
    reported: int = -1
    """Onset of the newest pulse in the last report; -1 before the first."""
    first: int | None = None
    """Onset at which the rhythm that is being reported began."""
    folded: int = -PERIOD_HOPS[1]
    """Onset of the last pulse that was reported as part of a T3 alarm."""
    reach_hz: float = field(init=False)
    """How far off a pulse may be and still belong here."""

    def __post_init__(self) -> None:
        self.reach_hz = max(_SAME_PITCH_SHARE * self.pitch_hz, _SAME_PITCH_HZ)


class Trains:
    """Sorts pulses by pitch and finds the periodic ones."""

    def __init__(self) -> None:
        self._trains: list[Train] = []
        self._voice_alarms = VoiceAlarms()

    def add(self, pulse: Pulse) -> PatternReport | None:
        """Add a pulse to its train. Returns a report if the train is now one of the rhythms."""
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
        return self._folding(train) or _chirping(train) or _repeating(train)

    def _folding(self, train: Train) -> PatternReport | None:
        pulses = list(train.pulses)
        found = folded(pulses) or self._voice_alarms.add(pulses)
        if found is None or found.pulses[-1].onset - train.folded < PERIOD_HOPS[0]:
            return None
        pauses = [
            (earlier.end + _RINGS_HOPS, later.onset - _RINGS_HOPS)
            for earlier, later in pairwise(found.pulses)
            if found.pattern == "temporal_three_cut" and later.onset - earlier.end > _PAUSE_HOPS
        ]
        others = [pulse.onset for other in self._trains if other is not train for pulse in other.pulses]
        if any(first <= onset <= last for onset in others for first, last in pauses):
            # A metronome's accent at another pitch: every fourth click is missing here.
            return None
        return _t3(train, found)

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
    return best.pitch_hz, best.prominence_db, max(one.level_dbfs, other.level_dbfs)


def _continuous(pulse: Pulse) -> PatternReport | None:
    # A tone from before the start is a refrigerator rather than an alarm, unless it is loud.
    if pulse.onset < _START_HOPS and pulse.level_dbfs < _LOUD_FROM_THE_START_DBFS:
        return None
    if pulse.end - pulse.onset < _CONTINUOUS_HOPS - LONG_HOPS // 2:
        return None
    return _report("unknown_alarm", "continuous", "suspected", 1, [pulse], pulse.on_s, 0.0)


def _t3(train: Train, found: Folded) -> PatternReport:
    pulses = list(found.pulses)
    train.folded = train.reported = pulses[-1].onset
    train.first = pulses[0].onset if train.first is None else train.first
    cycles = round((train.folded - train.first) / found.period_hops)
    on_s = sum(pulse.on_s for pulse in pulses[1:]) / (len(pulses) - 1)
    spaced = pulses[-3:] if found.pattern == SPOKEN else pulses
    off_s = (spaced[-1].end - spaced[0].end) / 100 / (len(spaced) - 1) - on_s
    if found.pattern != SPOKEN:
        return _report("smoke_alarm", found.pattern, "suspected", cycles, pulses, on_s, off_s, train.first)
    # A metronome in a room, other ticks of which sound as words do, is one now and then: not surely smoke.
    report = _report("unknown_alarm", SPOKEN, "suspected", cycles, pulses, on_s, off_s, train.first)
    return replace(report, pause_s=(pulses[3].onset - pulses[2].end) / 100)


def _chirping(train: Train) -> PatternReport | None:
    pulses = list(train.pulses)[-3:]
    if len(pulses) < 2 or train.pitch_hz < _CHIRP_LOWEST_HZ:
        return None
    spacings = [later.onset - earlier.onset for earlier, later in pairwise(pulses)]
    lengths = [pulse.end - pulse.onset for pulse in pulses]
    even = [_CHIRP_SPACING_HOPS[0] <= spacing <= _CHIRP_SPACING_HOPS[1] for spacing in spacings]
    if not even[-1] or not all(_CHIRP_LENGTH_HOPS[0] <= n <= _CHIRP_LENGTH_HOPS[1] for n in lengths[-2:]):
        return None
    if abs(lengths[-1] - lengths[-2]) > max(_EVEN_CHIRP_LENGTH[0], _EVEN_CHIRP_LENGTH[1] * max(lengths[-2:])):
        return None
    certain = len(pulses) == 3 and all(even) and abs(spacings[1] / spacings[0] - 1) < _EVEN_CHIRPS_SHARE
    kept = pulses if certain else pulses[-2:]
    certainty: Certainty = "confirmed" if certain else "suspected"
    off_s = spacings[-1] / 100 - kept[-1].on_s
    return _report("low_battery_chirp", "chirp", certainty, len(kept) - 1, kept, kept[-1].on_s, off_s)


def _repeating(train: Train) -> PatternReport | None:
    if len(train.pulses) <= _LEAST_GROUPS:
        return None
    onsets = [pulse.onset for pulse in train.pulses]
    lengths = [pulse.end - pulse.onset for pulse in train.pulses]
    group = next((g for g in _PULSES_PER_GROUP if _is_periodic(onsets, lengths, g)), None)
    if group is None:
        train.first = None
        return None
    pulses = list(train.pulses)[-(_LEAST_GROUPS * group + 1) :]
    train.first = pulses[0].onset if train.first is None else train.first
    if (
        pulses[-1].end - train.first < _LEAST_SPAN_HOPS
        or pulses[-1].onset - train.reported < _LEAST_SPAN_HOPS
    ):
        return None
    train.reported = pulses[-1].onset
    period_s = (onsets[-1] - onsets[-1 - group]) / 100
    on_s = median(lengths[-group:]) / 100
    marching = group == 1 and _within(period_s, _MARCH_PERIOD_S) and _within(on_s / period_s, _MARCH_ON_SHARE)
    pattern = "march_time" if marching else "repeating"
    cycles = int((pulses[-1].onset - train.first) / 100 / period_s)
    apart = [later - earlier for earlier, later in pairwise(onsets[-group - 1 :])]
    return _report(
        "unknown_alarm", pattern, "suspected", cycles, pulses, on_s, median(apart) / 100 - on_s, train.first
    )


def _is_periodic(onsets: list[int], lengths: list[int], group: int) -> bool:
    newest = -_LEAST_GROUPS * group - 1
    if len(onsets) < -newest:
        return False
    periods = _changes(onsets[newest:], group)
    typical = median(periods)
    if not _within(typical, _PERIOD_HOPS):
        return False
    uneven = max(max(periods) - typical, typical - min(periods))
    unlike = max(map(abs, _changes(lengths[newest:], group)))
    longest = max(lengths[newest:])
    return uneven <= max(_EVEN_PERIODS[0], _EVEN_PERIODS[1] * typical) and unlike <= max(
        _EVEN_LENGTHS[0], _EVEN_LENGTHS[1] * longest
    )


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _changes(values: list[int], group: int) -> list[int]:
    return [later - earlier for earlier, later in zip(values, values[group:], strict=False)]


def _report(
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
        score=HIGHEST_SCORE if certainty == "confirmed" else _UNSURE_SCORE,
        onset=pulses[0].onset if first is None else first,
        end=pulses[-1].end,
        cycles=cycles,
        on_s=on_s,
        off_s=off_s,
        pause_s=None,
        pitch_hz=pulses[-1].pitch_hz,
        snr_db=median(pulse.prominence_db for pulse in pulses) - _SNR_BIAS_DB,
        hold_s=_HOLD_S.get(label, HOLD_S),
    )
