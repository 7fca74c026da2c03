"""Why an event was raised, or why nothing was."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.delivery.deliveries import last_deliveries
from monitor.errors import StoreError
from monitor.history.explain import Explanation, explain_id, explain_stretch, explain_time
from monitor.history.reader import History
from monitor.history.wording import MOST_SOUNDS, explanation_lines
from monitor.history.writer import ScoreStore
from monitor.language.words import Language
from monitor.rules.model import Rule
from monitor.types import Alert, Level, SoundEvent
from monitor.web.why import why_sentences
from testkit.builders import heard
from testkit.fakes import FakeClock
from testkit.listening_back import CONFIG, Past, after


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past(tmp_path / "scores.db")


def event_of(past: Past, label: str) -> SoundEvent:
    [found] = [one for one in past.posted.values() if isinstance(one, SoundEvent) and one.label == label]
    return found


def explained(past: Past, id: str) -> Explanation:
    past.end(120)
    with History(past.path) as history:
        return explain_id(history, CONFIG, id)


def verdicts(found: Explanation) -> dict[str, str]:
    [trace] = found.events
    return {one.rule: one.stopped_by.clause if one.stopped_by else one.outcome for one in trace.traces}


def test_an_event_that_fired_says_by_which_clause(past: Past) -> None:
    """The rule that raised an alert, and where every other rule stopped."""
    past.look(10, glass_break=0.95)
    found = explained(past, event_of(past, "glass_break").id)
    assert verdicts(found) == {"Glass": "alert", "Dog": "hear", "Restless": "hear"}
    [alert] = [one for one in past.posted.values() if isinstance(one, Alert)]
    text = "\n".join(explanation_lines(found))
    assert f"rule Glass: alert {alert.id} at " in text
    assert "(hear glass_break, min_score 0.95)" in text


def test_how_much_of_a_taught_rhythm_was_heard_is_said(past: Past) -> None:
    """The most of all looks: in the event, in the alert's grounds, in the explanation and on the page."""
    looks = [
        replace(heard("glass_break", 0.95, after(at_s), source="kitchen"), evidence={"taught_rhythm": share})
        for at_s, share in ((9, 0.5), (10, 0.83), (11, 0.67))
    ]
    past.hear(12, *looks)
    event = event_of(past, "glass_break")
    assert event.evidence["taught_rhythm"] == 0.83
    [alert] = [one for one in past.posted.values() if isinstance(one, Alert)]
    assert alert.why["heard"]["glass_break"]["taught_rhythm"] == 0.83

    found = explained(past, event.id)
    assert "% of its rhythm" in "\n".join(explanation_lines(found))
    shares: dict[Language, str] = {"en": "83%", "de": "83\N{NO-BREAK SPACE}%"}
    for language, share in shares.items():
        sentences = [one["text"] for one in why_sentences(found, language, event.id)]
        assert any(one.startswith(share) for one in sentences), sentences


def test_the_first_of_a_sequence_names_the_alert_that_it_helped_to_raise(tmp_path: Path) -> None:
    """By itself it was stopped; what came after it completed the alert, and made it matter."""
    rule = {"name": "Break-in", "hear": ["glass_break"], "then": {"hear": ["dog_bark"], "within_s": 30}}
    config = CONFIG.model_copy(update={"rules": [Rule.model_validate(rule)]})
    past = Past(tmp_path / "scores.db", config)
    past.look(10, glass_break=0.95)
    past.look(35, "porch", dog_bark=0.9)
    past.end(120)
    [alert] = [one for one in past.posted.values() if isinstance(one, Alert)]
    with History(past.path) as history:
        first = explain_id(history, config, event_of(past, "glass_break").id)
        last = explain_id(history, config, event_of(past, "dog_bark").id)
    text = "\n".join(explanation_lines(first))
    assert f"rule Break-in: helped to raise alert {alert.id} at " in text
    assert ", with dog_bark at porch" in text
    assert f"rule Break-in: alert {alert.id} at " in "\n".join(explanation_lines(last))


def test_an_alert_is_explained_by_its_event(past: Past) -> None:
    """Whoever was rung has the id of the alert."""
    past.look(10, glass_break=0.95)
    [alert] = [one for one in past.posted.values() if isinstance(one, Alert)]
    [trace] = explained(past, alert.id[:8]).events
    assert trace.event.id == event_of(past, "glass_break").id


def test_an_alert_that_was_a_test_says_so(past: Past) -> None:
    """Its event never was."""
    past.press_test(10)
    [alert] = [one for one in past.posted.values() if isinstance(one, Alert)]
    with pytest.raises(StoreError, match=f"alert {alert.id} was a test of rule 'Glass'"):
        explained(past, alert.id)


def test_an_event_that_did_not_fire_says_what_was_missing(past: Past) -> None:
    """A score below the rule's is named with both numbers."""
    past.look(10, glass_break=0.72)
    found = explained(past, event_of(past, "glass_break").id[:6])
    assert verdicts(found)["Glass"] == "min_score"
    assert "rule Glass: stopped at min_score: wanted 0.8, found 0.72" in "\n".join(explanation_lines(found))


def test_a_rule_that_stopped_names_the_best_score_of_the_event(past: Past) -> None:
    """Not the one with which it began: whoever lowers `min_score` goes by what was found."""
    past.look(10, glass_break=0.7)
    past.look(11, glass_break=0.78)
    found = explained(past, event_of(past, "glass_break").id)
    text = "\n".join(explanation_lines(found))
    assert "rule Glass: stopped at min_score: wanted 0.8, found 0.78" in text


def test_what_went_before_is_held_against_it(past: Past) -> None:
    """The second bark is kept back by the cool-down of the first."""
    past.look(10, dog_bark=0.9)
    past.look(40, dog_bark=0.9)
    barks = sorted(
        (one for one in past.posted.values() if isinstance(one, SoundEvent)), key=lambda one: one.started_at
    )
    found = explained(past, barks[-1].id)
    assert verdicts(found) == {"Glass": "hear", "Dog": "cooldown_s", "Restless": "count"}


def test_a_near_miss_is_explained_by_its_time(past: Past) -> None:
    """Where no event was, the scores are held against their thresholds."""
    past.look(10, glass_break=0.3, dog_bark=0.1)
    past.cut(10, Level("kitchen", after(10), -45.0, -61.0))
    past.end(60)
    with History(past.path) as history:
        found = explain_time(history, CONFIG, after(9.5))
    assert found.events == ()
    [look] = found.looks
    assert [(one.label, one.reached) for one in look.best] == [("glass_break", False), ("dog_bark", False)]
    text = "\n".join(explanation_lines(found))
    assert f"glass_break 0.30 below {look.best[0].row.onset:.2f}" in text
    assert "level -45 dBFS, floor -61 dBFS" in text
    assert "30 dB above the floor" in text
    assert text.startswith("no event from ")


def test_thresholds_are_those_that_were_set(past: Past) -> None:
    """A sensitivity turned by hand moves the onset that is shown, and is said."""
    past.set(5, "sensitivity", "kitchen", 1.0)
    past.look(10, glass_break=0.3)
    past.end(60)
    with History(past.path) as history:
        found = explain_time(history, CONFIG, after(9.5), "kitchen")
    [trace] = found.looks[0].best
    assert trace.row.onset < 0.3
    assert trace.reached
    assert "kitchen: sensitivity was set to 1.0" in "\n".join(explanation_lines(found))


def test_what_a_start_says_was_set_by_nobody(past: Past) -> None:
    """Every start says what holds, also of rooms whose names the configuration no longer has."""
    for source in ("kitchen", "old_kitchen"):
        past.set(1, "mute", source, False)
        past.set(1, "sensitivity", source, 0.0)
    past.set(2, "sensitivity", "old_cellar", 0.5)
    past.look(10, glass_break=0.3)
    past.end(60)
    with History(past.path) as history:
        found = explain_time(history, CONFIG, after(9.5))
    assert [(one.source, one.value) for one in found.settings] == [("old_cellar", 0.5)]


def test_a_rhythm_is_held_to_no_score(past: Past) -> None:
    """What the rhythm detector heard is said to be by its rhythm."""
    past.hear(
        10,
        heard("smoke_alarm", 1.0, after(6), classifier="rhythm", certainty="confirmed", duration_s=4.0),
    )
    found = explained(past, event_of(past, "smoke_alarm").id)
    text = "\n".join(explanation_lines(found))
    assert "smoke_alarm by its rhythm" in text


def test_many_looks_at_one_sound_are_one_line(past: Past) -> None:
    """A long sound is looked at twice a second: its best scores are shown once."""
    for i in range(8):
        past.look(10 + i / 2, dog_bark=0.5 + i / 20, speech=0.1)
    found = explained(past, event_of(past, "dog_bark").id)
    lines = [line for line in explanation_lines(found) if "looks" in line]
    assert len(lines) == 1
    assert "8 looks: dog_bark 0.85 reaches" in lines[0]
    assert "speech 0.10 below" in lines[0]


def test_other_sources_are_left_out(past: Past) -> None:
    """Asked about one source, only that one is explained; asked about none, all are."""
    past.look(10, "porch", dog_bark=0.9)
    past.look(10.5, "kitchen", glass_break=0.9)
    past.end(60)
    with History(past.path) as history:
        one = explain_time(history, CONFIG, after(9.5), "porch")
        both = explain_time(history, CONFIG, after(9.5))
    assert {trace.event.label for trace in one.events} == {"dog_bark"}
    assert {trace.event.label for trace in both.events} == {"dog_bark", "glass_break"}


def test_many_minutes_are_explained_by_what_came_closest(past: Past) -> None:
    """A stretch has hundreds of sounds: those that nearly were events are listed, the others counted, and the
    level is one line."""
    for i in range(2 * MOST_SOUNDS):
        score = 0.4 if i == 7 else 0.05
        past.hear(10 + 3 * i, heard("glass_break", score, after(9 + 3 * i), segment_id=f"{i:012x}"))
        past.quiet(11 + 3 * i)
    past.end(400)
    with History(past.path) as history:
        found = explain_stretch(history, CONFIG, after(0), after(400))
    lines = list(explanation_lines(found))
    assert sum("glass_break 0.05" in line for line in lines) < MOST_SOUNDS
    assert sum("glass_break 0.40" in line for line in lines) == 1
    assert f"and {MOST_SOUNDS} more sounds, farther from an event" in lines[-1]
    assert sum("kitchen: level -58 dBFS, floor -60 dBFS" in line for line in lines) == 1


def test_quiet_is_explained_too(past: Past) -> None:
    """Where nothing was heard, that is the answer."""
    past.quiet(28)
    past.end(60)
    with History(past.path) as history:
        found = explain_time(history, CONFIG, after(30))
    assert "nothing rose above the floor, and no classifier found anything" in "\n".join(
        explanation_lines(found)
    )


def test_a_time_without_the_daemon_is_not_called_quiet(past: Past) -> None:
    """Before the installation, or with every microphone gone, nobody knows what there was to hear."""
    past.end(60)
    with History(past.path) as history:
        found = explain_time(history, CONFIG, after(30))
    assert "nothing is known: nobody listened then" in "\n".join(explanation_lines(found))


def test_an_unknown_event_is_a_clear_error(past: Past) -> None:
    """The error says why it may be unknown."""
    past.end(1)
    with (
        History(past.path) as history,
        pytest.raises(StoreError, match="there is no event or alert 'beef'; it may be older"),
    ):
        explain_id(history, CONFIG, "beef")


def test_an_alert_that_no_sound_raised_is_explained(tmp_path: Path) -> None:
    """A source that was lost, and a receiver that took nothing: what happened, and that nothing was heard."""
    lost = Alert(
        id="aa0000000001", rule="Not listening", severity="warning", events=(), raised_at=after(400),
        message="",
        why={"source": "porch", "lost_for_s": 300.0, "reason": "unplugged"},
    )  # fmt: skip
    stuck = replace(
        lost,
        id="bb0000000001",
        rule="Not delivering",
        why={"channel": "phones", "stuck_for_s": 61.0, "reason": ""},
    )
    store = ScoreStore(tmp_path / "scores.db", FakeClock())
    with store:
        store.post(lost, after(400))
        store.post(stuck, after(400))
    with History(tmp_path / "scores.db") as history:
        of_source = list(explanation_lines(explain_id(history, CONFIG, "aa00")))
        of_receiver = list(explanation_lines(explain_id(history, CONFIG, "bb00")))

    assert "Not listening" in of_source[0]
    assert of_source[1].endswith("source porch was lost for 5 minutes: unplugged")
    assert "nothing is known: nobody listened then" in of_source[-1]
    assert len(of_receiver) == 2
    assert of_receiver[1].endswith("receiver phones had taken nothing for 1 minute")


def test_a_loud_noise_stands_below_what_a_model_named(past: Past) -> None:
    """It is decided first, and began first; of one segment the name comes first all the same."""
    loud = replace(heard("loud_noise", 0.9, after(9.0)), segment_id="aaaaaaaaaaaa")
    named = replace(heard("glass_break", 0.9, after(9.1)), segment_id="aaaaaaaaaaaa")
    later = replace(heard("loud_noise", 0.9, after(14)), segment_id="bbbbbbbbbbbb")
    for at_s, one in ((10, loud), (10.5, named), (15, later)):
        past.hear(at_s, one)
    past.end(120)
    with History(past.path) as history:
        found = explain_stretch(history, CONFIG, after(0), after(60))
    assert [one.event.label for one in found.events] == ["glass_break", "loud_noise", "loud_noise"]


def test_a_pipe_in_place_of_a_database_is_named(tmp_path: Path) -> None:
    """Opened to read it waits for its writer: whoever looks back would sit there for ever."""
    os.mkfifo(tmp_path / "pipe.db")
    with pytest.raises(StoreError, match="is a pipe, not a file"):
        History(tmp_path / "pipe.db").__enter__()
    with pytest.raises(StoreError, match="is a pipe, not a file"):
        last_deliveries(tmp_path / "pipe.db")
    with ScoreStore(tmp_path / "scores.db", FakeClock()):
        pass
    with History(tmp_path / "scores.db") as history, pytest.raises(StoreError, match="is a pipe, not a file"):
        history.attach(tmp_path / "pipe.db", "verdicts")
