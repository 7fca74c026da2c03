"""A rhythm as the tracker reports it."""

from dataclasses import dataclass

from monitor.types import Certainty


@dataclass(frozen=True)
class PatternReport:
    """A rhythm after one more cycle. Hops are 10 ms since the tracker began."""

    label: str
    pattern: str
    certainty: Certainty
    score: float
    """0-1."""
    onset: int
    """Hop of the first tone's onset in the first cycle."""
    end: int
    """Hop after the last tone heard."""
    cycles: int
    on_s: float
    off_s: float
    pause_s: float | None
    """Mean lengths of this cycle's tones, short gaps and pauses; None where a rhythm has no pause."""
    pitch_hz: float
    snr_db: float
    """Of the tone over the noise in the third octave around it."""
    hold_s: float
    """How long the event should last beyond `end` if nothing more is heard."""
