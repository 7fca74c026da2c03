"""What sounds around a burst: an alarm waits in silence for its next."""

import numpy as np

from monitor.rhythm.aligned import AUDIBLE_DB, NEAR_BINS, bins_of, median
from monitor.rhythm.cycles import EXPECTED, Cycle
from monitor.rhythm.history import History, Hops
from monitor.rhythm.spectrum import BINS

_STRETCH = 30
_BURST_SHARE = 0.55
_RUNG_OUT_HOPS = 60
_AS_CLEAR_DB = 6.0
_AS_LOUD_DB = 10.0


def is_alone(history: History, cycle: Cycle) -> bool:
    """Whether the pitch was silent before the first tone and after the last, as long as the template asks."""
    firsts = _around(cycle, 20)
    means = history.means(np.full(len(firsts), cycle.channel), firsts, firsts + _STRETCH)
    # Gaps between beeps are never quite quiet, least of all where the strongest pitch of a band is followed;
    # what lies around mostly is. Another burst fills half of a stretch with tones.
    around_db = float(median(means))
    limit_db = min(cycle.quiet_db, around_db + _BURST_SHARE * (cycle.on_db - around_db))
    return bool((means > limit_db).sum() <= cycle.strictness.masked_around)


def is_in_company(history: History, cycle: Cycle) -> bool:
    """Whether a first cycle whose gaps are filled has tones of other pitches around it, as clear and as loud.

    A room turns a vibrato into beeps: of the same pitch, and as even as an alarm's. But who plays or sings
    one such note plays others, and an alarm does not.
    """
    if cycle.strictness is EXPECTED or not cycle.is_blurred:
        return False
    firsts = _around(cycle, _RUNG_OUT_HOPS)
    prominence_db = history.means(np.arange(BINS), firsts[:, None], firsts[:, None] + _STRETCH)
    level_db = np.stack([history.level_db(first, first + _STRETCH).mean(axis=0) for first in firsts.tolist()])
    tones = (prominence_db > cycle.on_db - _AS_CLEAR_DB) & (prominence_db > AUDIBLE_DB)
    tones &= level_db > cycle.root_db - _AS_LOUD_DB
    tones[:, slice(*bins_of(cycle.channel, NEAR_BINS))] = False
    return bool(tones.any())


def _around(cycle: Cycle, ringing: int) -> Hops:
    """First hops of the stretches before the first tone and, less the ringing, after the last."""
    hops = cycle.template.quiet_around_hops
    before = np.arange(cycle.onset - hops, cycle.onset - _STRETCH, _STRETCH)
    after = np.arange(cycle.on_end + ringing, cycle.on_end + hops - _STRETCH + 1, _STRETCH)
    return np.concatenate([before, after])
