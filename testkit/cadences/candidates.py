"""A pattern for each cadence, as the detector would have to look for it.

Over the beeps that it follows at each pitch (`monitor.rhythm.pulses`), with the evenness that it asks of any
rhythm (`monitor.rhythm.pulse_trains`).

Each is as narrow as its cadence allows. Hops are 10 ms.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from monitor.rhythm.pulse_trains import Train, Trains, _is_periodic
from monitor.rhythm.pulses import Pulse
from monitor.rhythm.report import PatternReport

_GROUPS = 5
"""So many groups must be alike: four periods, as the detector asks for."""
_SPAN_HOPS = 500
"""A rhythm is looked at when it has lasted 5 s, as in the detector."""

Pulses = Sequence[Pulse]


class CandidateRecorder(Trains):
    """In the place of a tracker's own: keeps every beep, and reports as that does."""

    def __init__(self) -> None:
        super().__init__()
        self.pulses: list[Pulse] = []

    def add(self, pulse: Pulse) -> PatternReport | None:
        """See `Trains`."""
        if pulse.ended:
            self.pulses.append(pulse)
        return super().add(pulse)

    def by_pitch(self) -> list[Pulses]:
        """All beeps of one pitch together, in order of time; of two that overlap the clearer one."""
        found: list[tuple[Train, list[Pulse]]] = []
        for pulse in self.pulses:
            own = next(
                (kept for train, kept in found if abs(pulse.pitch_hz - train.pitch_hz) < train.reach_hz), None
            )
            if own is None:
                found.append((Train(pulse.pitch_hz), [pulse]))
            elif pulse.onset > own[-1].end:
                own.append(pulse)
            elif pulse.prominence_db > own[-1].prominence_db:
                own[-1] = pulse
        return [kept for _, kept in found]


Trains_ = Sequence[Pulses]


def fast_beeps(trains: Trains_) -> bool:
    """Even beeps with a period of 0.1 to 0.34 s, 30 to 70 % of it tone, above 2 kHz."""
    return any(_on_share(run, 0.3, 0.7) and _lasts(run) for run in _runs(trains, 1, 10, 34))


def slow_beeps(trains: Trains_) -> bool:
    """Even beeps with a period of 0.7 to 2.2 s, 35 to 65 % of it tone, above 2 kHz."""
    return any(_on_share(run, 0.35, 0.65) for run in _runs(trains, 1, 70, 220))


def three_short(trains: Trains_) -> bool:
    """Three beeps of 50 to 250 ms, twice as far from the next three, each 0.7 to 2 s, above 2 kHz."""
    for run in _runs(trains, 3, 70, 200):
        gaps = _gaps(run)[:3]
        others = sorted(gaps)[:2]
        if all(5 <= _length(pulse) <= 25 for pulse in run[:3]) and max(gaps) >= 2 * max(others):
            return True
    return False


def long_short(trains: Trains_) -> bool:
    """By turns a beep of 0.4 to 1.1 s and one of 80 to 300 ms, each 1 to 2.8 s, above 2 kHz."""
    for run in _runs(trains, 2, 100, 280):
        short, long = sorted(map(_length, run[:2]))
        if 8 <= short <= 30 and 40 <= long <= 110:
            return True
    return False


def sweep(trains: Trains_) -> bool:
    """Four pitches or more over a tenth of their height, each once in the same 0.2 to 0.9 s, one after the
    other."""
    periods = [
        (run[0].pitch_hz, _period(run), run[0].onset)
        for run in (next(_even(train, 1, 20, 90), None) for train in trains)
        if run is not None
    ]
    for _, period, _ in periods:
        same = sorted(
            (pitch, onset % period) for pitch, other, onset in periods if abs(other / period - 1) < 0.03
        )
        if len(same) >= 4 and same[-1][0] >= 1.1 * same[0][0]:
            steps = [(later - earlier) % period for (_, earlier), (_, later) in pairwise(same)]
            if sum(steps) < 1.1 * period or sum(period - step for step in steps) < 1.1 * period:
                return True
    return False


def two_tone(trains: Trains_) -> bool:
    """Two pitches, a tenth to a third apart, with one period of 0.4 to 1 s; each begins as the other ends."""
    runs = [run for train in trains for run in [next(_even(train, 1, 40, 100), None)] if run is not None]
    runs = [run for run in runs if _on_share(run, 0.35, 0.65) and run[0].pitch_hz > 2000]
    for low in runs:
        for high in runs:
            if not 1.08 <= high[0].pitch_hz / low[0].pitch_hz <= 1.36:
                continue
            period = _period(low)
            after = (high[0].onset - low[0].end) % period
            if abs(_period(high) / period - 1) < 0.03 and min(after, period - after) < 0.15 * period:
                return True
    return False


def voice_alarm(trains: Trains_) -> bool:
    """Three beeps in the places of T3, 2 to 9 s without that pitch, and three such beeps again, whatever
    sounds in between."""
    return any(_spoken_between(train) is not None for train in trains)


CANDIDATES: dict[str, Callable[[Trains_], bool]] = {
    maker.__name__: maker
    for maker in (
        fast_beeps, slow_beeps, three_short, long_short, sweep, two_tone, voice_alarm
    )
}  # fmt: skip


def matching(trains: Trains_) -> set[str]:
    """The names of all candidates that these beeps are."""
    return {name for name, is_it in CANDIDATES.items() if is_it(trains)}


def _spoken_between(train: Pulses) -> tuple[int, int] | None:
    """The hops between two groups of three, if the train has such."""
    groups: list[list[Pulse]] = []
    for pulse in train:
        if groups and pulse.onset - groups[-1][-1].end < 105:
            groups[-1].append(pulse)
        else:
            groups.append([pulse])
    for earlier, later in pairwise(groups):
        if _is_three(earlier) and _is_three(later) and 200 <= later[0].onset - earlier[-1].end <= 900:
            return earlier[-1].end, later[0].onset
    return None


def _is_three(group: Pulses) -> bool:
    apart = [later.onset - earlier.onset for earlier, later in pairwise(group)]
    return (
        len(group) == 3
        and all(88 <= each <= 113 for each in apart)
        and all(30 <= _length(p) <= 80 for p in group)
    )


def _runs(trains: Trains_, group: int, shortest: int, longest: int) -> Iterator[Pulses]:
    return (
        run for train in trains if train[0].pitch_hz > 2000 for run in _even(train, group, shortest, longest)
    )


def _even(train: Pulses, group: int, shortest: int, longest: int) -> Iterator[Pulses]:
    """Every stretch of a train that repeats itself after `group` beeps, and lasts."""
    onsets = [pulse.onset for pulse in train]
    lengths = [_length(pulse) for pulse in train]
    needed = (_GROUPS - 1) * group + 1
    first = 0
    for end in range(needed, len(train) + 1):
        if not _is_periodic(onsets[:end], lengths[:end], group):
            first = end
            continue
        run = train[max(first - needed + 1, 0) : end]
        if (
            shortest <= (run[-1].onset - run[-1 - group].onset) <= longest
            and run[-1].end - run[0].onset >= _SPAN_HOPS
        ):
            yield run[-needed:] if group > 1 else run


def _lasts(run: Pulses) -> bool:
    return run[-1].end - run[0].onset >= _SPAN_HOPS


def _on_share(run: Pulses, least: float, most: float) -> bool:
    return least <= sum(map(_length, run[1:])) / (run[-1].end - run[0].end) <= most


def _period(run: Pulses) -> float:
    return (run[-1].onset - run[0].onset) / (len(run) - 1)


def _gaps(run: Pulses) -> list[int]:
    return [later.onset - earlier.end for earlier, later in pairwise(run)]


def _length(pulse: Pulse) -> int:
    return pulse.end - pulse.onset
