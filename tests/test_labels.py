"""The vocabulary."""

import re

import pytest

from monitor.labels import LIFE_SAFETY, VOICED, check_emotion, check_sound, emotions, sounds, vocabulary


def test_every_label_has_what_others_build_on():
    """Sounds have a device class and a default severity; emotions are never entities."""
    for label in vocabulary().values():
        assert label.severity_default in ("info", "warning", "critical")
        assert (label.device_class is None) == (label.kind == "emotion")


def test_sounds_and_emotions_divide_the_vocabulary():
    """Each id is a sound or an emotion, once."""
    assert set(sounds()) | set(emotions()) == set(vocabulary())
    assert not set(sounds()) & set(emotions())
    assert set(sounds()) >= LIFE_SAFETY | VOICED


def test_a_misspelt_label_gets_a_suggestion():
    """A typing error names its cure."""
    with pytest.raises(ValueError, match="unknown label 'glas_break'; did you mean 'glass_break'"):
        check_sound("glas_break")
    with pytest.raises(ValueError, match="did you mean 'fearful'"):
        check_emotion("fearfull")


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("Rauchmelder", "did you mean 'smoke_alarm'?"),
        ("Türklingel", "did you mean 'doorbell'?"),
        ("tuerklingel", "did you mean 'doorbell'?"),
        ("Running water", "did you mean 'water_running'?"),
        ("Hund", "did you mean one of 'dog_bark', 'dog_whimper'?"),
        ("Glas", "did you mean 'glass_break'?"),
        ("dog", "did you mean one of 'dog_bark', 'dog_whimper'?"),
        ("zzz", "docs/reference/labels.md lists all of them"),
    ],
)
def test_a_sound_is_known_by_its_name_in_any_language(written, hint):
    """Whoever writes what the page calls a sound is told its id."""
    with pytest.raises(ValueError, match=re.escape(f"unknown label {written!r}; {hint}")):
        check_sound(written)


def test_an_emotion_where_a_sound_belongs_says_where_it_goes():
    """Emotions are attributes of events, not events."""
    with pytest.raises(ValueError, match="goes under `emotion:`"):
        check_sound("angry")
