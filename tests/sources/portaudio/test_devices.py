"""Which microphone somebody means."""

from pathlib import Path

import pytest

from monitor.sources.portaudio.devices import (
    InputDevice,
    alsa_card_ids,
    chosen,
    from_portaudio,
    with_stable_ids,
)

LISTED = [
    {"name": "HDA Intel PCH: ALC257 Analog (hw:0,0)", "max_input_channels": 2, "default_samplerate": 48000.0},
    {"name": "HDA Intel PCH: HDMI 0 (hw:0,3)", "max_input_channels": 0, "default_samplerate": 48000.0},
    {"name": "USB PnP Sound Device: Audio (hw:1,0)", "max_input_channels": 1, "default_samplerate": 44100.0},
    {"name": "USB PnP Sound Device: Audio (hw:2,0)", "max_input_channels": 1, "default_samplerate": 44100.0},
    {"name": "pulse", "max_input_channels": 32, "default_samplerate": 44100.0},
    {"name": "default", "max_input_channels": 32, "default_samplerate": 44100.0},
]
CARD_IDS = {0: "PCH", 1: "Device", 2: "Device_1"}


def devices() -> list[InputDevice]:
    return with_stable_ids(from_portaudio(LISTED, default_index=5), CARD_IDS)


def test_only_inputs_are_microphones() -> None:
    """A device without input channels is not listed; the others keep PortAudio's index."""
    assert [device.index for device in devices()] == [0, 2, 3, 4, 5]


def test_hardware_has_an_id_that_survives_a_reboot() -> None:
    """The id names the card, not its number; devices that are no hardware go by their name."""
    assert [device.id for device in devices()] == [
        "hw:CARD=PCH,DEV=0",
        "hw:CARD=Device,DEV=0",
        "hw:CARD=Device_1,DEV=0",
        "pulse",
        "default",
    ]


@pytest.mark.parametrize(
    ("wanted", "indices"),
    [
        ("default", [5]),
        ("Default", [5]),
        ("pulse", [4]),
        ("alc257", [0]),
        ("hw:CARD=PCH", [0]),
        ("hw:CARD=Device_1,DEV=0", [3]),
        ("plughw:CARD=Device,DEV=0", [2]),
        ("USB PnP", [2, 3]),
        ("hw:CARD=PCH,DEV=3", []),
        ("HDMI", []),
        ("Yeti", []),
    ],
)
def test_names_and_ids_find_their_microphone(wanted: str, indices: list[int]) -> None:
    """A part of a name in any case, or an id; an id never means another card that is only named alike."""
    assert [device.index for device in chosen(wanted, devices())] == indices


def test_a_whole_name_beats_a_part_of_one() -> None:
    """`mic` means the device called so, although another one's name contains it."""
    both = [InputDevice(0, "mic two", "mic two", 1, 48_000), InputDevice(1, "mic", "mic", 1, 48_000)]

    assert [device.index for device in chosen("mic", both)] == [1]


def test_default_without_one_is_the_first_microphone() -> None:
    """Where PortAudio names no default, the first device is taken; where there is none, none."""
    assert [d.index for d in chosen("default", [InputDevice(3, "mic", "mic", 1, 48_000)])] == [3]
    assert chosen("default", []) == []


def test_card_ids_are_read_from_the_kernel(tmp_path: Path) -> None:
    """The kernel's id files give each card's name by its number."""
    for number, card_id in CARD_IDS.items():
        (tmp_path / f"card{number}").mkdir()
        (tmp_path / f"card{number}" / "id").write_text(card_id + "\n")

    assert alsa_card_ids(tmp_path) == CARD_IDS
    assert alsa_card_ids(tmp_path / "none") == {}
