"""What would have fired."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from monitor.config.loading import check_document
from monitor.config.model import Config
from monitor.config.yaml_document import parse_document
from monitor.errors import ConfigError, StoreError
from monitor.history.explain import explain_id, explain_time
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.history.replay import Only, Outcome, overridden, replay, replay_lines
from monitor.history.wording import explanation_lines
from monitor.types import Alert, SoundEvent
from testkit.builders import heard
from testkit.judged_house import live, state
from testkit.listening_back import CONFIG, Past, after, busy_day


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past(tmp_path / "scores.db")


def replayed(past: Past, end_s: float, *changes: str) -> list[Outcome]:
    past.end(end_s)
    with History(past.path) as history:
        return replay(history, CONFIG, after(0), after(end_s), changes)


def brief(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    return [
        (one.message.label if isinstance(one.message, SoundEvent) else one.message.rule, one.change)
        for one in outcomes
    ]


@pytest.mark.parametrize("seed", range(4))
def test_unchanged_it_decides_as_it_did(past: Past, seed: int) -> None:
    """Ten minutes of random sounds come to the very same events and alerts."""
    busy_day(past, seed)
    outcomes = replayed(past, 700)
    assert len(outcomes) > 40
    assert {outcome.change for outcome in outcomes} == {"as before"}
    assert sum(isinstance(outcome.message, Alert) for outcome in outcomes) > 3
    scores = [one.score for one in past.posted.values() if isinstance(one, SoundEvent)]
    again = [one.message.score for one in outcomes if isinstance(one.message, SoundEvent)]
    assert sorted(again) == pytest.approx(sorted(scores), abs=1e-4)


def test_it_does_not_matter_when_the_clock_ticked(past: Past) -> None:
    """The daemon's ticks fall anywhere; no event is new or gone for that."""
    past.begin(0.1)
    busy_day(past, 5)
    changes = {one.change for one in replayed(past, 700) if isinstance(one.message, SoundEvent)}
    assert changes == {"as before"}


def test_a_lower_threshold_brings_what_was_missed(past: Past) -> None:
    """The near miss becomes an event and an alert, and both are called new."""
    past.look(10, glass_break=0.3)
    past.look(20, dog_bark=0.9)
    outcomes = replayed(past, 60, "glass_break.onset=0.25", "rules.Glass.min_score=0.2")
    assert brief(outcomes) == [
        ("glass_break", "new"),
        ("Glass", "new"),
        ("dog_bark", "as before"),
        ("Dog", "as before"),
    ]


def test_a_higher_threshold_takes_away(past: Past) -> None:
    """What fired then and would not now is gone; `threshold` is another word for the onset."""
    past.look(10, dog_bark=0.7)
    outcomes = replayed(past, 60, "dog_bark.threshold=0.95")
    assert sorted(brief(outcomes)) == [("Dog", "gone"), ("dog_bark", "gone")]
    assert list(replay_lines(outcomes))[-2:] == [
        "0 events would have fired; 0 new, 1 gone",
        "0 alerts would have fired; 0 new, 1 gone",
    ]


def test_an_alert_a_few_seconds_later_is_the_same_alert(past: Past) -> None:
    """Four seconds later is shown, and six are the limit; more is another alert."""
    past.look(10, dog_bark=0.7)
    past.look(14, dog_bark=0.9)
    outcomes = replayed(past, 60, "dog_bark.onset=0.8")
    shifts = {type(one.message).__name__: (one.change, round(one.shift_s)) for one in outcomes}
    assert shifts == {"SoundEvent": ("as before", 4), "Alert": ("as before", 4)}
    lines = list(replay_lines(outcomes))
    assert sum(line.endswith(", 4.0 s later") for line in lines) == 2
    assert lines[-1] == "1 alerts would have fired; 0 new, 0 gone, 1 at another time"


def test_an_alert_much_later_is_another_one(past: Past) -> None:
    """New then, and the one of before is gone."""
    past.look(10, dog_bark=0.7)
    past.look(18, dog_bark=0.9)
    outcomes = replayed(past, 60, "dog_bark.onset=0.8")
    assert [change for name, change in brief(outcomes) if name == "Dog"] == ["gone", "new"]


def test_only_what_is_asked_for_is_shown(past: Past) -> None:
    """By rule, by label, by source, and together."""
    past.look(10, dog_bark=0.9)
    past.look(20, "porch", glass_break=0.9)
    outcomes = replayed(past, 60)

    def left(only: Only) -> list[str]:
        return [name for name, _ in brief([outcome for outcome in outcomes if only.takes(outcome)])]

    assert left(Only(rule="Glass")) == ["Glass"]
    assert left(Only(label="dog_bark")) == ["dog_bark", "Dog"]
    assert left(Only(source="porch")) == ["glass_break", "Glass"]
    assert left(Only(rule="Dog", source="porch")) == []


def test_a_test_is_no_past(past: Past) -> None:
    """Somebody pressed the button: nothing was heard, and nothing is gone."""
    past.press_test(20)
    assert [one.rule for one in past.posted.values() if isinstance(one, Alert)] == ["Glass"]
    assert replayed(past, 60) == []


def test_settings_and_losses_happen_again(past: Past) -> None:
    """A muted source stays mute, and a lost source ends its events as it did."""
    past.set(5, "mute", "kitchen", True)
    past.look(10, dog_bark=0.9)
    past.look(20, "porch", glass_break=0.9)
    past.lose(21, "porch")
    outcomes = replayed(past, 60)
    assert brief(outcomes) == [("glass_break", "as before"), ("Glass", "as before")]
    [event] = [one.message for one in outcomes if isinstance(one.message, SoundEvent)]
    assert event.ended_by == "source_lost"


def test_what_was_set_before_is_in_force(past: Past) -> None:
    """A source that was muted, and one made more sensitive, before the stretch begins are so in it."""
    past.set(5, "mute", "kitchen", True)
    past.set(6, "sensitivity", "porch", 1.0)
    past.look(70, dog_bark=0.9)
    past.look(80, "porch", dog_bark=0.3)
    past.end(120)
    with History(past.path) as history:
        outcomes = replay(history, CONFIG, after(60), after(120))
    assert brief(outcomes) == [("dog_bark", "as before"), ("Dog", "as before")]


def test_the_house_is_as_it_was_then(tmp_path: Path) -> None:
    """Also by what was set before the stretch; and explaining knows it, too."""
    house = {"mode": {"type": "select"}, "tv": {"type": "topic", "topic": "tv", "on_values": ["1"]}}
    rules = [{"name": "Dog", "hear": ["dog_bark"], "cooldown_s": 0, "when": {"mode": "away"}}]
    config = Config.model_validate(CONFIG.model_dump() | {"house": house, "rules": rules})
    past = Past(tmp_path / "scores.db", config)
    for s, value in ((5, "home"), (20, "away"), (80, "home"), (140, "away")):
        past.set(s, "house", "mode", value)
        past.look(s + 10, dog_bark=0.9)
    past.end(200)
    with History(past.path) as history:
        outcomes = replay(history, config, after(60), after(200))
        dogs = [explain_time(history, config, after(s)).events[0].traces[0] for s in (29.5, 89.5)]

    assert [one for one in brief(outcomes) if one[0] == "Dog"] == [("Dog", "as before")]
    assert [verdict.stopped_by and verdict.stopped_by.clause for verdict in dogs] == [None, "when"]


def test_what_was_not_heard_is_missed_again(tmp_path: Path) -> None:
    """With a threshold that a sound does not reach the alert would have come; without it nothing changes."""
    begins, ends = (after(s).astimezone().strftime("%H:%M") for s in (60, 360))
    wait = {"hear": ["dog_bark"], "from": begins, "by": ends}
    rules = [
        {"name": "Dog is well", "unless_heard": wait},
        {"name": "Cat", "unless_heard": wait | {"hear": ["cat"]}},
    ]
    config = Config.model_validate(CONFIG.model_dump() | {"rules": rules})
    past = Past(tmp_path / "scores.db", config)
    past.look(200, dog_bark=0.8)
    past.end(700)
    with History(past.path) as history:
        same = replay(history, config, after(0), after(700))
        other = replay(history, config, after(0), after(700), ["dog_bark.onset=0.95"])
        [verdict] = explain_time(history, config, after(199.5)).events[0].traces
        [missed] = [one.id for one in past.posted.values() if isinstance(one, Alert)]
        with pytest.raises(StoreError, match=f"{missed} of rule 'Cat' is about a sound that was not heard"):
            explain_id(history, config, missed)

    assert brief(same) == [("dog_bark", "as before"), ("Cat", "as before")]
    assert brief(other) == [("dog_bark", "gone"), ("Dog is well", "new"), ("Cat", "as before")]
    assert (verdict.rule, verdict.outcome) == ("Dog is well", "stopped")


def test_a_loud_hour_is_loud_again(tmp_path: Path) -> None:
    """Under the same level, and not under a higher one; why it was raised is known."""
    level = {"above_dba": 70, "for_s": 600}
    sources = [{"type": "demo", "name": "kitchen", "calibration_db": 100}]
    plain = CONFIG.model_dump() | {"sources": sources, "rules": [{"name": "Party", "level": level}]}
    config = Config.model_validate(plain)
    past = Past(tmp_path / "scores.db", config)
    past.be_loud(0, -24.0, 12)
    past.end(900)
    quieter = Config.model_validate(
        plain | {"rules": [{"name": "Party", "level": level | {"above_dba": 80}}]}
    )
    [party] = past.posted
    with History(past.path) as history:
        assert brief(replay(history, config, after(0), after(900))) == [("Party", "as before")]
        assert brief(replay(history, quieter, after(0), after(900))) == [("Party", "gone")]
        lines = "\n".join(explanation_lines(explain_id(history, config, party)))
    assert "it was loud at kitchen: 76 dB(A) for 10 min" in lines
    assert "kitchen: LAeq of 10 minutes from" in lines
    assert ": 76 dB(A)" in lines


def test_a_rhythm_is_heard_again(past: Past) -> None:
    """Alarms by their rhythm need no score, then and now, and keep their own hold."""
    past.hear(
        10,
        heard(
            "smoke_alarm", 0.9, after(6), classifier="rhythm", certainty="confirmed", duration_s=4.0,
            evidence={"hold_s": 12.0},
        ),
    )  # fmt: skip
    [outcome] = replayed(past, 60, "smoke_alarm.onset=0.99")
    assert outcome.change == "as before"
    assert isinstance(outcome.message, SoundEvent)
    assert outcome.message.ended_at == next(iter(past.posted.values())).ended_at  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("glass_break", "write LABEL.KEY=VALUE"),
        ("glas_break.onset=0.4", "unknown label 'glas_break'; did you mean 'glass_break'?"),
        ("glass_break.onset=2", "--set glass_break.onset: 2 is too much; at most 1"),
        ("glass_break.onsett=0.4", "--set glass_break.onsett: there is no such key"),
        ("rules.Glas.min_score=0.4", "there is no rule 'Glas'; did you mean 'Glass'?"),
        ("rules.Glass.min_skore=0.4", "--set rules.Glass.min_skore: there is no such key"),
    ],
)
def test_a_change_that_cannot_be_is_a_clear_error(change: str, problem: str) -> None:
    """The error names the change and what is wrong with it."""
    with pytest.raises(ConfigError) as error:
        overridden(CONFIG, [change])
    assert problem in str(error.value)


def test_a_change_touches_nothing_else() -> None:
    """Only what was named differs."""
    changed = overridden(CONFIG, ["glass_break.onset=0.4", "rules.Dog.cooldown_s=5"])
    assert changed.labels["glass_break"].onset == 0.4
    assert [rule.cooldown_s for rule in changed.rules] == [60, 5, 60]
    assert changed.model_copy(update={"labels": CONFIG.labels, "rules": CONFIG.rules}) == CONFIG


def test_a_measured_length_counts_again_as_so_many_hits() -> None:
    """A siren heard in one look of two seconds was an event then, and is one again."""
    until = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
    with TemporaryDirectory() as folder:
        config = check_document(parse_document(state(Path(folder)).encode(), "house.yaml"))
        assert live(config, [0.99], until, "siren", length_s=2.5)
        with History(config.state_folder() / SCORES) as history:
            outcomes = replay(history, config, until - timedelta(hours=1), until)
    assert ("siren", "as before") in brief(outcomes)
