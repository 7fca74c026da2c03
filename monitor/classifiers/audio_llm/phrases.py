"""What a large classifier calls each sound: the one table of phrases behind every question put to it.

No phrase begins with the words of another, so the likelihood of a phrase is that of an answer which starts
with it, and an answer that goes on to name a second sound still counts for the first.
"""

from monitor.labels import emotions, vocabulary

NOTHING = ""
"""In place of a label, for the answers that mean that nothing was heard."""

PHRASES: dict[str, tuple[str, ...]] = {
    "smoke_alarm": ("smoke detector beeping", "smoke alarm"),
    "fire_alarm": ("fire alarm bell", "building fire alarm"),
    "siren": ("siren", "emergency vehicle siren"),
    "car_alarm": ("car alarm",),
    "appliance_beep": ("microwave beeping", "appliance beep"),
    "alarm_clock": ("alarm clock",),
    "doorbell": ("doorbell", "door chime"),
    "phone_ring": ("telephone ringing", "ringtone"),
    "glass_break": ("breaking glass", "glass shattering"),
    "dishes": ("dishes clinking", "cutlery"),
    "gunshot": ("gunshot", "gunfire"),
    "explosion": ("explosion",),
    "fireworks": ("fireworks", "firecracker"),
    "thunder": ("thunder",),
    "knock": ("knocking on a door", "a knock"),
    "door_slam": ("door slamming", "slamming door"),
    "door_creak": ("creaking door", "squeaking hinge"),
    "footsteps": ("footsteps", "someone walking"),
    "dog_bark": ("dog barking", "barking"),
    "dog_whimper": ("dog whimpering", "dog howling"),
    "cat": ("cat meowing", "meowing"),
    "bird": ("bird singing", "chirping birds"),
    "farm_animal": ("farm animal", "cow mooing", "rooster crowing", "sheep bleating"),
    "insect": ("insect buzzing", "cricket chirping"),
    "water_running": ("running water", "water tap"),
    "water_drip": ("dripping water", "water dripping"),
    "toilet_flush": ("toilet flushing",),
    "rain": ("rain",),
    "wind": ("wind blowing", "howling wind"),
    "waves": ("ocean waves", "surf"),
    "crackling_fire": ("crackling fire", "fireplace"),
    "vacuum_cleaner": ("vacuum cleaner",),
    "washing_machine": ("washing machine", "fan humming"),
    "power_tool": ("power drill", "chainsaw", "saw cutting", "lawn mower"),
    "engine": ("engine running", "car passing by", "truck driving"),
    "car_horn": ("car horn", "honking"),
    "train": ("train",),
    "aircraft": ("airplane", "helicopter"),
    "bell": ("church bell", "bell ringing", "jingle bells"),
    "clock_tick": ("ticking clock", "clock ticking"),
    "keyboard_typing": ("typing on a keyboard", "keyboard typing"),
    "mouse_click": ("mouse click",),
    "music": ("music",),
    "scream": ("screaming",),
    "shout": ("shouting", "yelling"),
    "crying": ("crying", "sobbing"),
    "baby_cry": ("baby crying", "infant crying"),
    "groan": ("groaning", "moaning"),
    "laughter": ("laughter", "laughing"),
    "cough": ("coughing", "cough"),
    "sneeze": ("sneezing", "sneeze"),
    "sniff": ("sniffing", "sniff"),
    "sigh": ("sighing", "sigh"),
    "throat_clearing": ("throat clearing", "clearing the throat"),
    "breathing": ("breathing", "gasping", "panting"),
    "snoring": ("snoring",),
    "clapping": ("clapping", "applause"),
    "speech": ("speech", "talking"),
    "singing": ("singing",),
    "neutral": ("neutral",),
    "happy": ("happy",),
    "sad": ("sad",),
    "angry": ("angry",),
    "fearful": ("fearful", "afraid"),
    "disgusted": ("disgusted",),
    "surprised": ("surprised",),
}
NO_SOUND = ("silence", "no sound")
NO_VOICE = ("silence", "no voice")


def hearable() -> frozenset[str]:
    """The sounds a large classifier can be asked for: those with a phrase. What is known by its rhythm or its
    level alone (co_alarm, unknown_alarm, low_battery_chirp, loud_noise) has none."""
    return frozenset(PHRASES) - frozenset(emotions())


def of_kind(kind: str, among: frozenset[str]) -> tuple[str, ...]:
    """The labels of one kind that have a phrase and are among those asked for, in the vocabulary's order."""
    return tuple(
        label.id
        for label in vocabulary().values()
        if label.kind == kind and label.id in PHRASES and label.id in among
    )
