"""A recorded file, read by whoever can; or whole, as one piece of audio."""

from collections.abc import Callable
from pathlib import Path

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.errors import SourceLost, SourceUnavailable
from monitor.sources.containers import Container
from monitor.sources.decoding import check_is_file
from monitor.sources.plain_wav import PlainWav
from monitor.sources.recorded import Recording

LONGEST_WHOLE_S = 3600.0


def opened(path: Path, track: int | None = None) -> Recording:
    """One file, to be entered: linear samples as they lie in a WAV file, everything else by FFmpeg. `track`:
    this sound track, counted from 1; else the first that carries sound.

    Raises SourceUnavailable where there is something else than a file."""
    check_is_file(path)
    return PlainWav.of(path, track) or Container(path, track)


def read_audio(
    path: Path,
    sample_rate_hz: int | None = SAMPLE_RATE_HZ,
    longest_s: float = LONGEST_WHOLE_S,
    warn: Callable[[str], None] | None = None,
) -> Audio:
    """A whole recording as mono audio at a rate; None for its own. Holes are closed.

    Raises SourceUnavailable when it is no recording or longer than `longest_s` (an hour at 16 kHz is 230 MB),
    and SourceLost when it is damaged or cut short: with `warn`, only when nothing of it can be heard; it is
    then called with what is wrong.
    """
    pieces: list[Audio] = []
    heard_s = 0.0
    with opened(path) as recording:
        try:
            for sound in recording.sounds():
                heard_s += len(sound.samples) / sound.sample_rate_hz
                if heard_s > longest_s:
                    raise SourceUnavailable(
                        f"{path}: longer than the {longest_s:.0f} s that fit in memory", refused=True
                    )
                pieces.append(Audio.from_float(sound.samples, sound.sample_rate_hz))
            recording.check_whole()
        except SourceLost as error:
            if warn is None or not pieces:
                raise
            warn(str(error))
    return _joined(pieces, sample_rate_hz or pieces[0].sample_rate_hz)


def _joined(pieces: list[Audio], sample_rate_hz: int) -> Audio:
    """Runs of one rate are joined before resampling, so that no seam is heard."""
    runs: list[list[Audio]] = []
    for piece in pieces:
        if not runs or runs[-1][0].sample_rate_hz != piece.sample_rate_hz:
            runs.append([])
        runs[-1].append(piece)
    return Audio.join(Audio.join(run).resampled(sample_rate_hz) for run in runs)
