"""When a sound becomes an event and when it is over: one table of defaults for every sound of labels.csv.

The onsets here are where an uncalibrated tagger starts; a model ships better ones for its own scores
(`Thresholds(model=...)`), and the owner's `labels:` has the last word. Hits, holds and the reasons stay.
"""

from dataclasses import dataclass

from monitor.labels import taught


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """What it takes for one label to begin and to end."""

    onset: float
    """Score at which a look counts as a hit, 0-1."""
    off: float
    """Score that keeps an open event alive, 0-1; never above `onset`."""
    hits: int
    """Hits needed, at times at least `settings.HIT_GAP_S` apart."""
    within_s: float
    """The time in which the hits must fall."""
    hold_s: float
    """An event ends this long after its sound was last found."""
    reason: str = ""
    heard: bool = True
    """Whether it begins events at all."""


def _row(onset: float, off: float, hits: int, within_s: float, hold_s: float, reason: str) -> Hysteresis:
    return Hysteresis(onset, off, hits, within_s, hold_s, reason)


_RHYTHM_ONLY = "no model knows it; no score threshold applies to the rhythm"
_ONCE = "very short: one hit must be enough"
_CALL = "comes in bursts: one hit begins it, the hold bridges the pauses"
_STEADY = "lasts long: it must be heard for a while to be an event"
_VOICE = "a voice pauses between words and breaths; the hold bridges that"
_GRAVE = "one hit must be enough, and an error is costly: so the score must be higher"

DEFAULTS: dict[str, Hysteresis] = {
    # label                    onset  off hits within hold
    "smoke_alarm": _row(
        0.50, 0.30, 1, 4, 12, "T3 cycles last 4 s: two may be masked, and it still ends within 15 s"
    ),
    "co_alarm": _row(0.50, 0.30, 1, 6, 90, "after four minutes a CO alarm sounds only once a minute"),
    "fire_alarm": _row(
        0.50, 0.30, 1, 4, 12, "bells and horns sound without a pause; the hold bridges a pause in march time"
    ),
    "unknown_alarm": _row(0.50, 0.30, 1, 4, 30, _RHYTHM_ONLY),
    "low_battery_chirp": _row(
        0.50, 0.30, 1, 4, 150, f"one tone every 30-60 s, one may be masked; {_RHYTHM_ONLY}"
    ),
    "siren": _row(
        0.50, 0.30, 4, 4, 15, "music and voices may be taken for a siren for a moment; a real one lasts"
    ),
    "car_alarm": _row(0.50, 0.30, 3, 4, 15, "lasts, and its melody changes in between"),
    "appliance_beep": _row(0.50, 0.30, 1, 2, 5, _CALL),
    "alarm_clock": _row(
        0.50, 0.30, 2, 4, 10, "beeps for a long time; two hits distinguish it from one beep of an appliance"
    ),
    "doorbell": _row(0.50, 0.30, 1, 2, 5, _ONCE),
    "phone_ring": _row(0.50, 0.30, 2, 4, 8, "rings with pauses of up to 4 s are one call"),
    "glass_break": _row(0.60, 0.30, 1, 2, 5, f"shatter: {_GRAVE}"),
    "dishes": _row(0.50, 0.30, 1, 2, 15, _CALL),
    "gunshot": _row(0.60, 0.30, 1, 2, 5, _GRAVE),
    "explosion": _row(0.60, 0.30, 1, 2, 5, _GRAVE),
    "fireworks": _row(0.50, 0.30, 1, 2, 30, _CALL),
    "thunder": _row(0.50, 0.30, 1, 2, 60, _CALL),
    "knock": _row(0.50, 0.30, 1, 2, 4, _ONCE),
    "door_slam": _row(0.50, 0.30, 1, 2, 3, _ONCE),
    "door_creak": _row(0.50, 0.30, 1, 2, 4, _ONCE),
    "footsteps": _row(0.50, 0.30, 2, 4, 8, "steps follow each other; a single thud is not walking"),
    "dog_bark": _row(0.50, 0.30, 1, 2, 10, _CALL),
    "dog_whimper": _row(0.50, 0.30, 2, 4, 10, "lasts; one hit may be a voice or a hinge"),
    "cat": _row(0.50, 0.30, 1, 2, 10, _CALL),
    "bird": _row(0.50, 0.30, 2, 4, 20, "goes on singing; one hit may be a squeak"),
    "farm_animal": _row(0.50, 0.30, 1, 2, 15, _CALL),
    "insect": _row(0.50, 0.30, 4, 6, 20, _STEADY),
    "water_running": _row(0.50, 0.30, 4, 6, 10, f"{_STEADY}; filling a glass is not a tap left open"),
    "water_drip": _row(0.50, 0.30, 2, 10, 20, "drops are seconds apart; one tick is not a leak"),
    "toilet_flush": _row(0.50, 0.30, 2, 4, 10, _STEADY),
    "rain": _row(0.50, 0.30, 4, 6, 60, _STEADY),
    "wind": _row(0.50, 0.30, 4, 6, 30, _STEADY),
    "waves": _row(0.50, 0.30, 4, 6, 30, _STEADY),
    "crackling_fire": _row(
        0.55, 0.30, 4, 6, 20, f"{_STEADY}; crumpled paper and rain sound like it for a moment"
    ),
    "vacuum_cleaner": _row(0.50, 0.30, 4, 6, 15, _STEADY),
    "washing_machine": _row(0.50, 0.30, 4, 6, 60, f"{_STEADY}; its drum pauses between turns"),
    "power_tool": _row(0.50, 0.30, 3, 4, 15, _STEADY),
    "engine": _row(0.50, 0.30, 4, 6, 15, _STEADY),
    "car_horn": _row(0.50, 0.30, 1, 2, 5, _ONCE),
    "train": _row(0.50, 0.30, 4, 6, 15, _STEADY),
    "aircraft": _row(0.50, 0.30, 4, 6, 20, _STEADY),
    "bell": _row(0.50, 0.30, 1, 2, 10, _CALL),
    "clock_tick": _row(0.50, 0.30, 4, 8, 20, _STEADY),
    "keyboard_typing": _row(0.50, 0.30, 3, 4, 10, _STEADY),
    "mouse_click": _row(0.50, 0.30, 2, 4, 5, "one click may be anything else"),
    "music": _row(0.50, 0.30, 4, 6, 20, f"{_STEADY}; the hold bridges quiet bars and applause"),
    "loud_noise": _row(0.50, 0.30, 1, 2, 2, "the gate reports it only far above the room's noise floor"),
    "scream": _row(0.55, 0.30, 1, 2, 5, _GRAVE),
    "shout": _row(0.50, 0.30, 1, 2, 5, _CALL),
    "crying": _row(0.50, 0.30, 2, 4, 10, "sobs go on; one hit may be laughter"),
    "baby_cry": _row(0.50, 0.30, 2, 4, 15, "cries go on between breaths; one hit may be a cat"),
    "groan": _row(0.50, 0.30, 1, 2, 5, _CALL),
    "laughter": _row(0.50, 0.30, 1, 2, 6, _VOICE),
    "cough": _row(0.50, 0.30, 1, 2, 5, _ONCE),
    "sneeze": _row(0.50, 0.30, 1, 2, 4, _ONCE),
    "sniff": _row(0.50, 0.30, 1, 2, 4, _ONCE),
    "sigh": _row(0.50, 0.30, 1, 2, 4, _ONCE),
    "throat_clearing": _row(0.50, 0.30, 1, 2, 4, _ONCE),
    "breathing": _row(0.50, 0.30, 3, 6, 15, _STEADY),
    "snoring": _row(0.50, 0.30, 2, 8, 20, "breaths are 4 s apart; one snort is not snoring"),
    "clapping": _row(0.50, 0.30, 1, 2, 6, _CALL),
    "speech": _row(0.50, 0.30, 1, 2, 5, _VOICE),
    "singing": _row(0.50, 0.30, 3, 4, 10, "speech may be taken for singing for a moment"),
}
"""Every sound of labels.csv, in its order.

Onset: 0.5 is where a calibrated score means *more likely than not*; 0.55 and 0.6 where one hit suffices and
an error is costly. Off: 0.3 keeps an event open while its score wavers; nearer to the onset one sound would
be several events, lower any noise would keep it open. Hits and hold are chosen from how the sound goes on, as
the reason says; `within_s` leaves room for twice the hits at two looks a second."""

TAUGHT = _row(0.50, 0.30, 1, 4, 10, "taught in this house; teaching also found how often it must be heard")
"""Where a house teaches a sound, before what was found at teaching is laid over it (`monitor.teaching`)."""


def rows() -> dict[str, Hysteresis]:
    """What it takes for every sound of the vocabulary: the table, and what the house has taught."""
    return DEFAULTS | dict.fromkeys(taught(), TAUGHT)
