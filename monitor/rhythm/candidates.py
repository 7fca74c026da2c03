"""Where in the newest sound a rhythm may just have ended: a quick look at every pitch."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.rhythm.history import History, Hops
from monitor.rhythm.spectrum import BLOCK_HOPS
from monitor.rhythm.templates import SCALES, Template

_LEAST_ON_DB = 4.0
_MOST = 6
_NEIGHBOURHOOD = 3  # channels


@dataclass(frozen=True)
class Candidate:
    """A place where a rhythm's parts seem to lie."""

    channel: int
    end: int
    """Hop after the last part."""
    on_db: float
    off_db: float
    """Mean prominence of the tones and of the gaps between them."""
    is_whole: bool
    """No part disagrees; at most one tone and one quiet part do otherwise."""

    @property
    def contrast_db(self) -> float:
        """By how much the tones stand above the gaps."""
        return self.on_db - self.off_db


def candidates(history: History, template: Template, least_db: float) -> list[Candidate]:
    """Places in the newest block where `template` may just have ended, with the last tone at least `least_db`
    above the quiet beside it; best first."""
    ends = np.arange(history.end - BLOCK_HOPS + template.step, history.end + 1, template.step)
    ends, channels = _last_tone(history, template, ends, least_db)
    if not len(ends):
        return []
    on_db, off_db, is_whole = _looked_at(history, template, ends, channels)
    contrast_db = on_db - off_db
    tempo = np.argmax(contrast_db + is_whole, axis=1)
    pick = np.arange(len(ends)), tempo
    best = contrast_db[pick]
    order = [i for i in np.argsort(-best) if np.isfinite(best[i])]
    on_db, off_db, is_whole = on_db[pick], off_db[pick], is_whole[pick]
    found = (
        Candidate(int(channels[i]), int(ends[i]), float(on_db[i]), float(off_db[i]), bool(is_whole[i]))
        for i in order
    )
    return _apart(found)


def _last_tone(history: History, template: Template, ends: Hops, least_db: float) -> tuple[Hops, Hops]:
    """The cheap test on every channel: the last tone against the quiet beside it."""
    cores = template.cores[1.0]
    last_on = template.ons[-1]
    beside = last_on + 1 if last_on + 1 < len(template.parts) else last_on - 1
    on_db, off_db = (history.all_means(ends + cores[i, 0], ends + cores[i, 1]) for i in (last_on, beside))
    rows, channels = np.nonzero((on_db - off_db > least_db) & (on_db > _LEAST_ON_DB))
    return ends[rows], channels


def _looked_at(
    history: History, template: Template, ends: Hops, channels: Hops
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Mean prominence of tones and of gaps (inf where too many parts disagree), and whether no part does; of
    shape (places, tempi)."""
    spans = ends[:, None, None, None] + np.stack([template.cores[scale] for scale in SCALES])
    means = history.means(channels[:, None, None], spans[..., 0], spans[..., 1])
    ons, quiets = means[..., template.ons], means[..., template.quiets]
    on_db, off_db = ons.mean(axis=-1), means[..., template.inner_gaps].mean(axis=-1)
    middle = ((on_db + off_db) / 2)[..., None]
    missing, masked = (ons < middle).sum(axis=-1), (quiets > middle).sum(axis=-1)
    plausible = (missing <= 1) & (masked <= 1) & (on_db - off_db > template.contrast_db)
    return on_db, np.where(plausible, off_db, np.inf), missing + masked == 0


def _apart(found: Iterable[Candidate]) -> list[Candidate]:
    """The best of each neighbourhood in pitch."""
    kept: list[Candidate] = []
    for candidate in found:
        if all(abs(candidate.channel - other.channel) > _NEIGHBOURHOOD for other in kept):
            kept.append(candidate)
        if len(kept) == _MOST:
            break
    return kept
