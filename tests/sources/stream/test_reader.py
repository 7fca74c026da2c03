"""In which pieces a stream's sound is handed on."""

from pathlib import Path

import av
import numpy as np

from monitor.clock import SystemClock
from monitor.errors import SourceLost
from monitor.sources.inbox import Inbox
from monitor.sources.stream.reader import Packet, StreamReader, _Pace
from testkit.builders import noise, tone
from testkit.wav import write_wav


def read(path: Path, calm_below: float) -> list[int]:
    """The lengths, in samples, in which the sound of a file is handed on."""
    inbox: Inbox[Packet] = Inbox(1000)
    reader = StreamReader(
        "yard", lambda: av.open(str(path)), SystemClock(), inbox, calm_below=lambda: calm_below
    )
    reader.run()
    lengths = []
    try:
        while (arrival := inbox.get(30)) is not None:
            lengths.append(len(arrival.block.samples))
    except SourceLost:  # at its end
        return lengths
    raise AssertionError("the end was not reported")


def test_calm_sound_waits_for_a_second_and_a_bang_does_not(tmp_path: Path) -> None:
    """Where nothing goes on the listening thread is woken once a second; a bang wakes it at once."""
    path = tmp_path / "yard.wav"
    write_wav(path, np.concatenate([noise(3), tone(700, 0.5), noise(3)]))
    always, calmly = read(path, 0.0), read(path, 1e-4)
    assert sum(always) == sum(calmly) == 104_000
    assert max(always) <= 2 * 1920
    assert len(calmly) < len(always) / 2
    ends = np.cumsum(calmly)
    first_after_onset = int(ends[np.searchsorted(ends, 48_000, side="right")])
    assert first_after_onset <= 48_000 + 1920


def test_sound_after_a_hole_is_whole(tmp_path: Path) -> None:
    """What was held before the hole goes on alone; no packet beside it is lost."""
    inbox: Inbox[Packet] = Inbox(1000)
    reader = StreamReader("yard", lambda: None, SystemClock(), inbox)
    for missing_s in (0.0, 0.5, 0.0):
        reader._hand_over(Packet(np.full(320, 0.1, np.float32), 16_000, missing_s))
    reader._hand_over(None)
    found = [arrival.block for arrival in (inbox.get(30), inbox.get(30)) if arrival]
    assert [(block.missing_s, len(block.samples)) for block in found] == [(0.0, 320), (0.5, 640)]


def test_whoever_falls_behind_does_not_rest() -> None:
    """Where reading takes as long as waiting, on a busy machine, the clock shows what has come already."""
    pace = _Pace()
    assert all(pace.is_prompt(0.02 * n, 0.02 * n - 0.01, 0.02 * n) for n in range(100))
    behind = [pace.is_prompt(2.0 + 0.02 * n, 3.0 + 0.01 * n, 3.006 + 0.01 * n) for n in range(100)]
    assert not any(behind[:85])
    assert behind[-1]  # it has caught up
    assert pace.is_prompt(4.0, 5.0, 9.0)  # after a pause of the stream nothing waits


def test_a_clock_that_drifts_is_not_behind() -> None:
    """An hour with a camera that is slow by 200 ppm."""
    pace = _Pace()
    assert all(pace.is_prompt(0.9998 * at_s, at_s - 0.01, at_s) for at_s in range(1, 3600))
