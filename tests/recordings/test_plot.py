"""What the picture of a recording keeps."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from monitor.audio import SAMPLE_RATE_HZ
from monitor.recordings.plot import COLUMNS, POINTS, Columns, PlotTrack, _events
from testkit.builders import noise, tone


def kept(samples: np.ndarray) -> Columns:
    """The recording, as it comes: in frames."""
    columns = Columns()
    for start in range(0, len(samples), 480):
        columns.push(samples[start : start + 480])
    return columns


@pytest.mark.parametrize("length_s", [1.5, 59.9, 60.1, 200.0])
def test_columns_cover_the_whole_recording(length_s):
    """However long it is, there are not more of them than a picture can show, and all of it is in them."""
    columns = kept(noise(length_s, -40))
    assert columns.count <= 2 * COLUMNS
    assert columns.count * columns.column_s == pytest.approx(length_s, abs=columns.column_s)


def test_a_click_in_a_long_recording_is_seen():
    """Joined columns keep their extremes, and the place."""
    samples = noise(200, -60)
    samples[137 * SAMPLE_RATE_HZ] = 0.9
    columns = kept(samples)
    _, high = columns.envelope
    assert high.max() == pytest.approx(0.9)
    assert columns.times_s[high.argmax()] == pytest.approx(137, abs=columns.column_s)


def test_joined_columns_keep_level_and_pitch():
    """A tone of -20 dBFS at 2 kHz is one at any width of the columns."""
    for length_s in (5.0, 130.0):
        columns = kept(tone(2000, length_s, -20))
        assert columns.levels_dbfs[5:] == pytest.approx(-20, abs=0.1)
        loudest = columns.spectrum_db[5:].argmax(axis=1)
        assert set(loudest) == {2000 * 512 // SAMPLE_RATE_HZ}


def test_a_track_keeps_its_peaks():
    """Of a night of scores a thousand points are drawn, the highest among them."""
    track = PlotTrack()
    for second in range(100_000):
        track.add(float(second), 0.9 if second == 77_777 else 0.1)
    assert len(track.points) <= 2 * POINTS
    assert max(track.points, key=lambda point: point[1]) == (77_777.0, 0.9, "")


def test_no_line_is_drawn_from_one_segment_to_the_next():
    """Between two sounds nothing was scored."""
    track = PlotTrack()
    for at_s, segment in ((1.0, "a"), (1.5, "a"), (60.0, "b"), (60.5, "b")):
        track.add(at_s, 0.5, segment)
    times_s, values = track.lines()
    assert times_s == [1.0, 1.5, 60.0, 60.0, 60.5]
    assert [math.isnan(value) for value in values] == [False, False, True, False, False]


def test_an_alert_is_drawn_where_it_was_decided_with_its_name():
    """Not where its sound began: the picture shows how long it took."""
    row = {"type": "alert", "rule": "Smoke", "severity": "critical", "start_s": 1.8, "decided_s": 9.6}
    axis = Figure().subplots()
    _events(axis, [row])
    assert [np.asarray(line.get_xdata())[0] for line in axis.lines] == [9.6]
    assert [text.get_text().strip() for text in axis.texts] == ["Smoke"]
