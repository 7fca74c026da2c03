"""Microphones by name: which there are, and which one somebody means."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

CARDS = Path("/proc/asound")

_HARDWARE = re.compile(r"\(hw:(\d+),(\d+)\)")
_STABLE = re.compile(r"(?:plug)?hw:CARD=(?P<card>[\w-]+)(?:,DEV=(?P<number>\d+))?")
_NUMBERED = re.compile(r"(?:(?:plug)?hw:)?\d+(?:,\d+)*")


@dataclass(frozen=True, slots=True)
class InputDevice:
    """An input device as PortAudio lists it now; `index` holds only until it lists them again."""

    index: int
    name: str
    id: str
    """What to write as `device`: `hw:CARD=...,DEV=...` for hardware, the name for everything else."""
    channels: int
    sample_rate_hz: int
    is_default: bool = False


def check_device_name(wanted: str) -> str:
    """Refuse a name that means another microphone after the next boot. Raises ValueError with the fix."""
    if not wanted.strip():
        raise ValueError("name a microphone, or `default`; `earwitness devices` lists them")
    if _NUMBERED.fullmatch(wanted.strip()):
        raise ValueError(
            f"{wanted!r} is a number that changes from boot to boot; "
            "use a name or the id that `earwitness devices` shows"
        )
    return wanted.strip()


def chosen(wanted: str, devices: Sequence[InputDevice]) -> list[InputDevice]:
    """The devices that `wanted` can mean: none, one, or several if it is ambiguous."""
    if wanted.casefold() == "default":
        return [device for device in devices if device.is_default][:1] or list(devices[:1])
    if stable := _STABLE.fullmatch(wanted):
        number = stable["number"] or "0"
        return [d for d in devices if d.id == f"hw:CARD={stable['card']},DEV={number}"]
    name = wanted.casefold()
    exact = [device for device in devices if name == device.name.casefold()]
    return exact or [device for device in devices if name in device.name.casefold()]


def with_stable_ids(devices: Sequence[InputDevice], card_ids: Mapping[int, str]) -> list[InputDevice]:
    """The devices with the ids of their ALSA cards, which unlike card numbers survive a reboot."""
    return [replace(device, id=_stable_id(device.name, card_ids)) for device in devices]


def _stable_id(name: str, card_ids: Mapping[int, str]) -> str:
    hardware = _HARDWARE.search(name)
    if hardware is None or int(hardware[1]) not in card_ids:
        return name
    return f"hw:CARD={card_ids[int(hardware[1])]},DEV={hardware[2]}"


def alsa_card_ids(cards: Path = CARDS) -> dict[int, str]:
    """The id of each sound card by its number, as the kernel has them now; empty where there are none."""
    found = {}
    for entry in cards.glob("card[0-9]*/id"):
        found[int(entry.parent.name[4:])] = entry.read_text(encoding="utf-8").strip()
    return found


def from_portaudio(listed: Sequence[Mapping[str, Any]], default_index: int) -> list[InputDevice]:
    """The inputs among the devices that sounddevice lists."""
    return [
        InputDevice(
            index=index,
            name=str(device["name"]),
            id=str(device["name"]),
            channels=int(device["max_input_channels"]),
            sample_rate_hz=round(device["default_samplerate"]),
            is_default=index == default_index,
        )
        for index, device in enumerate(listed)
        if device["max_input_channels"] > 0
    ]
