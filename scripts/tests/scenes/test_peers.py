from scripts.scenes.peers import FRIGATE, OPEN, events

LOUD, FAINT = 2000.0, 100.0


def windows(*scores: float, level: float = LOUD) -> list[tuple[float, float, dict[str, float]]]:
    """Half windows in a row with these scores of a siren."""
    return [(n * 0.4875, level, {"siren": score}) for n, score in enumerate(scores)]


def test_whole_windows_one_after_the_other():
    """A project that does not overlap its windows sees every second half window."""
    assert not events(windows(0.0, 0.9, 0.0), FRIGATE)
    assert [row["start_s"] for row in events(windows(0.9, 0.0, 0.9), FRIGATE)] == [0.0]


def test_a_volume_limit_leaves_faint_sounds_out():
    """Whatever the model would have made of them."""
    assert not events(windows(0.9, level=FAINT), FRIGATE)
    assert events(windows(0.9, level=FAINT), OPEN)


def test_an_event_goes_on_while_the_label_is_seen():
    """And is another after the hold."""
    silence = [0.0] * 12
    assert len(events(windows(0.5, 0.5, 0.0, 0.5), OPEN)) == 1
    assert len(events(windows(0.5, *silence, 0.5), OPEN)) == 2
