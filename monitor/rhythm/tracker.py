"""The rhythm tracker: samples in, rhythms out. No frames, no dates, no source: only hops of 10 ms.

"Trials" are those of `python scripts/bench constants`.
"""

from collections import deque
from dataclasses import dataclass
from functools import partial

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.rhythm.candidates import RINGING_DB, Candidate, candidates
from monitor.rhythm.counting import SAME_CHANNELS, CycleCounter
from monitor.rhythm.cycles import EXPECTED, FIRST, RINGING, Cycle, Strictness, verified
from monitor.rhythm.history import LevelHistory
from monitor.rhythm.isolation import has_words, is_alone, is_drowned, is_in_company
from monitor.rhythm.pulse_trains import LONG_HOPS, SPOKEN, Trains
from monitor.rhythm.pulses import BEGINS_DB, PulseFinder
from monitor.rhythm.report import PatternReport
from monitor.rhythm.spectrum import BLOCK, BLOCK_HOPS, HOP, Spectrum
from monitor.rhythm.templates import TEMPORAL_FOUR, TEMPORAL_THREE, Template

_PATIENT_BLOCKS = 4
"""T4 and other beeps are searched for in every fourth block (480 ms), in all hops since: T4 waits for 4.2 s
of quiet anyway. Chosen for the cost; T3, which is urgent, is searched for in every block of 120 ms."""
_SAME_BURST_HOPS = 100
"""Bursts that begin within 1 s at the same pitch are one, parsed twice: a burst lasts 0.7 s, and the next one
begins 5 s later. Trials: 50 and 150 change nothing."""
_AGAIN_HOPS, _BETTER_DB = 20, 0.5
"""A channel that was parsed within the last 0.2 s is parsed again only where the contrast is 0.5 dB greater.
Chosen to save parses. Trials: with 0.1 s a microwave oven passes, with 0.3 s a sweep in noise is found two
bursts later; 0.25 and 0.75 dB change nothing."""
_RECENT_BLOCKS = 8
"""A tone in the last second is followed. Chosen: as much is heard at once where nothing goes on
(`monitor.sources.base`)."""
_WORDS_AGAIN_HOPS = 1200
"""The next three beeps after words end within 12 s. By arithmetic: the longest pause and the group. Trials:
with 6 s alarms that speak for 4 s are missed; 18 s change nothing."""


@dataclass
class _Parsed:
    end: int
    contrast_db: float


class RhythmTracker:
    """Finds all rhythms of one microphone. The same samples give the same reports however they are cut into
    calls. Belongs to one thread."""

    def __init__(self) -> None:
        self._block = np.zeros(BLOCK, np.float32)
        self._waiting = 0
        """Samples in the block that is not yet whole."""
        self._put_rows = partial(Spectrum().put_rows, self._block.ctypes.data)
        self._history = LevelHistory()
        self._pulses = PulseFinder(LONG_HOPS)
        self._trains = Trains()
        self._counter = CycleCounter()
        self._looks: dict[tuple[str, int], _Parsed] = {}
        self._unfinished: list[Cycle] = []
        self._words_ends = deque([-_WORDS_AGAIN_HOPS] * 2, maxlen=2)
        """Ends of the last two groups of beeps that words went before."""
        self._unseen_blocks = 0
        self._peak_db = 0.0
        """The highest prominence in the unseen blocks."""
        self._tones_db = deque([0.0], maxlen=_RECENT_BLOCKS)
        """The highest prominence in each of the newest blocks."""

    @property
    def samples_heard(self) -> int:
        """All samples taken so far, including those that wait for their block to be whole."""
        return self._history.end * HOP + self._waiting

    @property
    def samples_wanted(self) -> int:
        """Samples until the next block is whole: nothing is found before."""
        return BLOCK - self._waiting

    @property
    def is_following(self) -> bool:
        """Whether a tone stands out of the last second, or a rhythm was found and is not over."""
        return max(self._tones_db) >= RINGING_DB or bool(self._unfinished) or self._counter.is_any_sounding

    def push(self, samples: Samples) -> list[PatternReport]:
        """Take samples at 16 kHz, shape (any,), -1..1. Returns what was found, in order."""
        heard: list[PatternReport] = []
        at = 0
        while (left := len(samples) - at) > 0:
            taken = min(left, BLOCK - self._waiting)
            self._block[self._waiting : self._waiting + taken] = samples[at : at + taken]
            at += taken
            self._waiting += taken
            if self._waiting == BLOCK:
                self._waiting = 0
                heard += self._looked_at()
        return heard

    def skip(self, missing_s: float) -> None:
        """Let time pass without sound. Alarms keep their count of cycles for as long as they are held."""
        unheard = missing_s * SAMPLE_RATE_HZ + self._waiting
        self._waiting = 0
        self._history.skip(round(unheard / HOP))
        self._pulses.clear()
        self._looks.clear()
        self._unfinished.clear()
        self._unseen_blocks = 0
        self._peak_db = 0.0

    def _looked_at(self) -> list[PatternReport]:
        """The reports that the newest whole block brings."""
        tone_db = self._history.append(self._put_rows)
        self._tones_db.append(tone_db)
        self._peak_db = max(self._peak_db, tone_db)
        self._counter.forget(self._history.end)
        self._unseen_blocks += 1
        smoke = self._parsed(TEMPORAL_THREE, BLOCK_HOPS)
        patiently = self._unseen_blocks == _PATIENT_BLOCKS
        if patiently:
            self._unseen_blocks = 0
            for cycle in self._parsed(TEMPORAL_FOUR, _PATIENT_BLOCKS * BLOCK_HOPS):
                self._await(cycle)
        complete = [*smoke, *self._finished()]
        heard = [self._counter.count(each, is_drowned(self._history, each)) for each in complete]
        if patiently:
            heard += self._trains_heard(self._history.end - _PATIENT_BLOCKS * BLOCK_HOPS)
        return [found for found in heard if found is not None]

    def _trains_heard(self, first_hop: int) -> list[PatternReport]:
        peak_db, self._peak_db = self._peak_db, 0.0
        if peak_db < BEGINS_DB and not self._pulses.is_following:
            return []
        pulses = self._pulses.find(*self._history.rows(first_hop, self._history.end), first_hop)
        reports = [self._trains.add(p) for p in pulses if not self._counter.is_sounding(p.pitch_hz)]
        heard = [found for found in reports if found is not None and self._is_believed(found)]
        if self._counter.is_any_known(TEMPORAL_FOUR):
            # Its bursts leave a single pulse now and then in pitches nearby, as far apart as chirps are.
            return [found for found in heard if found.pattern != "chirp"]
        return heard

    def _is_believed(self, found: PatternReport) -> bool:
        """Of beeps with words between them: the second time. Once, somebody may speak while an oven beeps."""
        if found.pattern != SPOKEN:
            return True
        if not has_words(self._history, found):
            return False
        if found.end - self._words_ends[-1] > _SAME_BURST_HOPS:  # else an overtone of the same beeps
            self._words_ends.append(found.end)
        return found.end - self._words_ends[0] <= _WORDS_AGAIN_HOPS

    def _finished(self) -> list[Cycle]:
        """Cycles that were found before and have now been followed by the quiet they need."""
        due = [c for c in self._unfinished if self._history.end >= c.on_end + c.template.quiet_around_hops]
        if not due:
            return []
        self._unfinished = [cycle for cycle in self._unfinished if cycle not in due]
        return [
            cycle
            for cycle in due
            if is_alone(self._history, cycle) and not is_in_company(self._history, cycle)
        ]

    def _await(self, cycle: Cycle) -> None:
        """Keep the cycle until its quiet has passed; of several parses of one burst, the one that fits
        best."""
        same = [
            other
            for other in self._unfinished
            if abs(other.channel - cycle.channel) <= SAME_CHANNELS
            and abs(other.onset - cycle.onset) < _SAME_BURST_HOPS
        ]
        if all(cycle.fit > other.fit for other in same):
            self._unfinished = [other for other in self._unfinished if other not in same] + [cycle]

    def _parsed(self, template: Template, hops: int) -> list[Cycle]:
        found = []
        sounding = self._counter.is_any_known(template)
        for candidate in candidates(self._history, template, hops, sounding=sounding):
            strictness = self._strictness(template, candidate)
            if strictness is None or not self._is_news(template, candidate):
                continue
            cycle = verified(self._history, template, candidate, strictness)
            if cycle is not None:
                found.append(cycle)
        return found

    def _strictness(self, template: Template, candidate: Candidate) -> Strictness | None:
        """How strictly a candidate is compared with the rhythm; None if it is not worth a parse."""
        if self._counter.is_known(template, candidate.channel):
            return EXPECTED if candidate.contrast_db >= template.search.least_contrast_db else None
        ringing = template.ringing if candidate.is_ringing else None
        needed = ringing or template.first
        if candidate.contrast_db < needed.least_contrast_db or candidate.misfit > needed.most_misfit:
            return None
        return RINGING if ringing else FIRST

    def _is_news(self, template: Template, candidate: Candidate) -> bool:
        """Whether the channel was not parsed a moment ago, or has more contrast now."""
        key = (template.pattern, candidate.channel)
        before = self._looks.get(key)
        recent = before is not None and candidate.end - before.end < _AGAIN_HOPS
        if before is not None and recent and candidate.contrast_db < before.contrast_db + _BETTER_DB:
            return False
        self._looks[key] = _Parsed(candidate.end, candidate.contrast_db)
        return True
