"""A small labelled spectrogram of an event, as a PNG file.

Drawn with Pillow rather than matplotlib: the daemon that keeps pictures must stay small.
"""

import io
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from monitor.audio import SAMPLE_RATE_HZ, Audio

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT = 640, 320
_LEFT, _TOP, _RIGHT, _BOTTOM = 44, 26, 8, 34
_PLOT_WIDTH, _PLOT_HEIGHT = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

_WINDOW = 512
_RANGE_DB = 70.0
_LOWEST_HZ, _HIGHEST_HZ = 50.0, SAMPLE_RATE_HZ / 2
_TICKS_HZ = (125, 250, 500, 1000, 2000, 4000)
_SHADES = 40
_DARK, _LIGHT, _MARK = (20, 20, 28), (225, 225, 230), (90, 220, 240)
_COLOURS = np.array(
    [(0, 0, 8), (40, 15, 90), (120, 30, 110), (190, 55, 85), (240, 110, 60), (252, 190, 90), (252, 250, 200)]
)
"""From quiet to loud, even in lightness: it can be read in grey, too."""

Pixels = npt.NDArray[np.uint8]


def spectrogram_png(audio: Audio, *, title: str, onset_s: float, duration_s: float) -> bytes:
    """The sound, 16 kHz, from left to right; frequency upwards in equal steps per octave, brightness over
    70 dB. The time axis counts from the event's onset, and a line under the picture shows how long it
    lasted."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, HEIGHT), _DARK)
    image.paste(Image.fromarray(_coloured(_levels_db(audio))), (_LEFT, _TOP))
    draw = ImageDraw.Draw(image)
    _draw_axes(draw, audio.duration_s, onset_s, duration_s)
    draw.text((_LEFT, 5), title, fill=_LIGHT, font=_font(14))
    file = io.BytesIO()
    image.quantize(palette=_palette(), dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def _levels_db(audio: Audio) -> npt.NDArray[np.float64]:
    """Level at each pixel of the plot, highest frequency first."""
    samples = np.pad(audio.samples, (_WINDOW // 2, _WINDOW))
    starts = np.linspace(0, max(0, len(audio) - 1), _PLOT_WIDTH).astype(int)
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[starts]
    power = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW))) ** 2
    bins = _frequencies_hz() * _WINDOW / SAMPLE_RATE_HZ
    low = np.floor(bins).astype(int).clip(0, power.shape[1] - 2)
    share = bins - low
    between = power[:, low] * (1 - share) + power[:, low + 1] * share
    return np.asarray(10 * np.log10(between.T + 1e-9))


def _frequencies_hz() -> npt.NDArray[np.float64]:
    return np.geomspace(_HIGHEST_HZ, _LOWEST_HZ, _PLOT_HEIGHT)


def _coloured(levels_db: npt.NDArray[np.float64]) -> Pixels:
    brightness = np.clip((levels_db - levels_db.max()) / _RANGE_DB + 1, 0, 1) * (len(_COLOURS) - 1)
    low = np.floor(brightness).astype(int).clip(0, len(_COLOURS) - 2)
    share = (brightness - low)[..., None]
    return np.asarray(_COLOURS[low] * (1 - share) + _COLOURS[low + 1] * share, np.uint8)


@cache
def _palette() -> Any:
    """As many shades as the eye distinguishes, and those of the text: a third of the size of full colour."""
    from PIL import Image

    shades = [_coloured(np.array([-_RANGE_DB * i / (_SHADES - 1), 0.0]))[0] for i in range(_SHADES)]
    greys = np.linspace(_DARK, _LIGHT, 8)
    image = Image.new("P", (1, 1))
    image.putpalette(np.array([*shades, *greys, _MARK]).astype(np.uint8).tobytes())
    return image


def _draw_axes(draw: "ImageDraw", length_s: float, onset_s: float, duration_s: float) -> None:
    bottom = _TOP + _PLOT_HEIGHT
    small = _font(11)
    for frequency_hz in _TICKS_HZ:
        y = _TOP + int(np.argmin(np.abs(_frequencies_hz() - frequency_hz)))
        name = f"{frequency_hz // 1000} kHz" if frequency_hz >= 1000 else f"{frequency_hz}"
        draw.line((_LEFT - 4, y, _LEFT, y), fill=_LIGHT)
        draw.text((_LEFT - 7, y), name, fill=_LIGHT, font=small, anchor="rm")
    for at_s in _ticks_s(length_s, onset_s):
        x = _x(at_s + onset_s, length_s)
        draw.line((x, bottom, x, bottom + 4), fill=_LIGHT)
        draw.text((x, bottom + 12), f"{at_s:g} s", fill=_LIGHT, font=small, anchor="ma")
    onset, end = _x(onset_s, length_s), _x(onset_s + duration_s, length_s)
    draw.line((onset, _TOP, onset, bottom), fill=_MARK)
    draw.rectangle((onset, bottom + 6, max(end, onset + 2), bottom + 9), fill=_MARK)


def _ticks_s(length_s: float, onset_s: float) -> Iterator[float]:
    """Six or so round times from the onset, inside the picture."""
    step_s = next(step for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 300) if length_s / step <= 8)
    first = int(np.ceil(-onset_s / step_s))
    last = int((length_s - onset_s) / step_s)
    return (i * step_s for i in range(first, last + 1))


def _x(at_s: float, length_s: float) -> int:
    return _LEFT + round(min(max(at_s / length_s, 0.0), 1.0) * (_PLOT_WIDTH - 1))


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)
