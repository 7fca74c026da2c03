"""Which events matter."""

import gc
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.errors import ConfigError
from monitor.labels import LIFE_SAFETY
from monitor.rules.trace import ClauseResult
from monitor.types import SoundEvent
from tests.rules.stories import at, engine, rule, sound

BERLIN = ZoneInfo("Europe/Berlin")


def test_an_alert_says_what_matched() -> None:
    """An alert carries the rule, the severity, the event, a message for a person, and why."""
    engine_ = engine(
        rule("Glass", hear=["glass_break"], min_score=0.5, sources=["kitchen"], notify=["phone"])
    )
    happened = sound("glass_break", 3, score=0.91)

    [alert] = engine_.decide(happened)

    assert (alert.rule, alert.severity, alert.events) == ("Glass", "critical", (happened,))
    assert (alert.raised_at, alert.notify) == (at(3), ("phone",))
    assert alert.message == "Breaking glass in kitchen (91%)"
    assert alert.why == {
        "hear": "glass_break",
        "sources": "kitchen",
        "min_score": 0.91,
        "heard": {"glass_break": {"score": 0.91, "certainty": "confirmed", "by": ["embedded"]}},
        "corroboration": 1,
    }


def test_an_alert_says_who_heard_it_and_how_surely() -> None:
    """The surest microphone's word counts, with every listener that said it; a suspicion is called one."""
    engine_ = engine(rule("Smoke", hear=["smoke_alarm"], cooldown_s=60))
    suspected = sound("smoke_alarm", 0, score=0.95, certainty="suspected", classifier="embedded")
    settled = sound(
        "smoke_alarm", 4, source="hall", score=0.8, classifier="rhythm", confirmed_by=("embedded",)
    )

    [first] = engine_.decide(suspected)
    [again] = engine_.decide(settled)

    raised = [alert.why["heard"]["smoke_alarm"] for alert in (first, again)]
    assert raised == [
        {"score": 0.95, "certainty": "suspected", "by": ["embedded"]},
        {"score": 0.8, "certainty": "confirmed", "by": ["rhythm", "embedded"]},
    ]


def test_other_labels_sources_and_scores_are_no_alert() -> None:
    """Every clause that is given must hold."""
    engine_ = engine(rule(hear=["cat"], min_score=0.8, sources=["porch"], certainty="confirmed"))

    assert engine_.decide(sound("dog_bark", source="porch")) == []
    assert engine_.decide(sound("cat", source="kitchen")) == []
    assert engine_.decide(sound("cat", source="porch", score=0.79)) == []
    assert engine_.decide(sound("cat", source="porch", certainty="suspected")) == []
    assert len(engine_.decide(sound("cat", 1, source="porch"))) == 1


def test_suspected_is_enough_unless_the_rule_says_confirmed() -> None:
    """Rules match a suspected alarm; one that says `certainty: confirmed` waits for the confirmation."""
    engine_ = engine(
        rule("Any", hear=["smoke_alarm"]), rule("Sure", hear=["smoke_alarm"], certainty="confirmed")
    )

    first = engine_.decide(sound("smoke_alarm", id="s", certainty="suspected"))
    second = engine_.decide(sound("smoke_alarm", 8, id="s", state="updated"))

    assert [alert.rule for alert in first] == ["Any"]
    assert [alert.rule for alert in second] == ["Sure"]


def test_an_event_raises_one_alert() -> None:
    """Updates and the end of an event that has made its alert make no other."""
    engine_ = engine(rule(hear=["cat"]))

    raised = [
        engine_.decide(sound("cat", s, id="c", state=state, evidence={"times": times}))
        for s, state, times in ((0, "started", 1), (5, "updated", 2), (9, "ended", 2))
    ]

    assert [len(alerts) for alerts in raised] == [1, 0, 0]


def test_an_event_may_meet_the_rule_later() -> None:
    """A score that rises, even in the event's last word, raises the alert then."""
    engine_ = engine(rule(hear=["cat"], min_score=0.8))

    assert engine_.decide(sound("cat", id="c", score=0.6)) == []
    assert len(engine_.decide(sound("cat", 5, id="c", state="ended", score=0.85, ended_at=at(4)))) == 1


def test_severity_is_the_rule_s_else_the_label_s() -> None:
    """A rule's own severity wins; without one the gravest of the labels counts."""
    engine_ = engine(
        rule("Own", hear=["doorbell"], severity="critical"),
        rule("Label", hear=["doorbell"]),
        rule("Gravest", hear=["doorbell"], then={"hear": ["shout"], "within_s": 9}),
    )

    alerts = engine_.decide(sound("doorbell")) + engine_.decide(sound("shout", 2))

    assert {a.rule: a.severity for a in alerts} == {
        "Own": "critical",
        "Label": "info",
        "Gravest": "warning",
    }


def test_an_emotion_is_matched_on_the_voice_that_carries_it() -> None:
    """Any of the emotions at its score will do, also when it arrives after the event has ended."""
    engine_ = engine(rule(hear=["speech"], emotion=["fearful", "angry"], min_emotion_score=0.6))

    assert engine_.decide(sound("speech", id="s")) == []
    assert engine_.decide(sound("speech", 5, id="s", state="updated", emotion={"fearful": 0.5})) == []
    [alert] = engine_.decide(
        sound("speech", 20, id="s", state="updated", ended_at=at(9), emotion={"fearful": 0.7})
    )

    assert alert.why["emotion"] == {"fearful": 0.7}
    assert alert.message == "Speech in kitchen (90%, fearful 70%)"


def test_words_are_matched_in_the_transcript() -> None:
    """`say` matches whole words and phrases of what was said, and shows only the rule's own words."""
    said = {"a": "Please HELP, me!", "b": "a helpful person", "c": None}
    engine_ = engine(rule(hear=["speech"], say=["help me", "fire"]), transcript_of=lambda e: said[e.id])

    assert [len(engine_.decide(sound("speech", id=id))) for id in "bca"] == [0, 0, 1]
    [trace] = engine(rule(hear=["speech"], say=["help me"]), transcript_of=lambda e: said[e.id]).explain(
        sound("speech", id="a")
    )
    assert trace.steps[-1].found == ["help me"]


@pytest.mark.parametrize(
    ("hour", "utc", "matches"),
    [
        ("in winter", datetime(2026, 1, 10, 21, 0, tzinfo=UTC), True),
        ("in winter, before", datetime(2026, 1, 10, 20, 59, 59, tzinfo=UTC), False),
        ("in summer", datetime(2026, 7, 10, 20, 0, tzinfo=UTC), True),
        ("in summer, before", datetime(2026, 7, 10, 19, 59, 59, tzinfo=UTC), False),
        ("past midnight", datetime(2026, 1, 10, 23, 30, tzinfo=UTC), True),
        ("at the end", datetime(2026, 1, 11, 6, 0, tzinfo=UTC), False),
        ("the night the clocks go forward", datetime(2026, 3, 29, 4, 59, tzinfo=UTC), True),
        ("that morning", datetime(2026, 3, 29, 5, 0, tzinfo=UTC), False),
        ("the night the clocks go back", datetime(2026, 10, 25, 5, 59, tzinfo=UTC), True),
        ("that morning", datetime(2026, 10, 25, 6, 0, tzinfo=UTC), False),
    ],
)
def test_between_is_local_time(hour: str, utc: datetime, matches: bool) -> None:
    """22:00-07:00 is what the clock on the wall says, over midnight and through the change of the clocks."""
    engine_ = engine(rule(hear=["cat"], between="22:00-07:00"), zone=BERLIN)

    assert len(engine_.decide(sound("cat", started_at=utc, at=utc))) == matches, hour


@pytest.mark.parametrize(
    ("day", "hour", "matches"), [(9, 23, True), (10, 6, True), (10, 23, False), (9, 6, False), (9, 12, False)]
)
def test_a_night_belongs_to_the_day_on_which_it_begins(day: int, hour: int, matches: bool) -> None:
    """Friday's night lasts until Saturday morning (9 January 2026 is a Friday)."""
    engine_ = engine(rule(hear=["cat"], between="22:00-07:00", weekdays=["fri"]), zone=UTC)
    when = datetime(2026, 1, day, hour, tzinfo=UTC)

    assert len(engine_.decide(sound("cat", started_at=when, at=when))) == matches


def test_weekdays_alone_mean_the_whole_day() -> None:
    """Without `between`, a weekday is from midnight to midnight, local time."""
    engine_ = engine(rule(hear=["cat"], weekdays=["sat"]), zone=BERLIN)
    friday, saturday = datetime(2026, 1, 9, 22, 59, tzinfo=UTC), datetime(2026, 1, 9, 23, 0, tzinfo=UTC)

    assert engine_.decide(sound("cat", started_at=friday, at=friday)) == []
    assert len(engine_.decide(sound("cat", started_at=saturday, at=saturday, id="b"))) == 1


TEN = datetime(2026, 1, 10, 22, 0, tzinfo=UTC)
"""Where `between: "22:00-07:00"` begins."""


def cry_at(s: float, **more: object) -> SoundEvent:
    """A state of the one baby's event, begun five seconds before ten, as updated `s` seconds after ten."""
    now = TEN + timedelta(seconds=s)
    began = TEN - timedelta(seconds=5)
    return replace(sound("baby_cry", id="b", started_at=began, at=now), **more)  # type: ignore[arg-type]


def barked(s: float, times: int = 1) -> SoundEvent:
    """The dog's event when it barks for the so-manieth time, `s` seconds after ten."""
    now = TEN + timedelta(seconds=s)
    again = {"times": times, "last_began_at": now.isoformat()} if times > 1 else {}
    began = TEN - timedelta(seconds=10)
    return sound("dog_bark", id="d", started_at=began, at=now, evidence=again)


def test_what_goes_on_when_the_hours_begin_counts() -> None:
    """A baby that cries from 21:59:55 on is alerted once, as soon as it is heard after ten."""
    engine_ = engine(rule(hear=["baby_cry"], between="22:00-07:00"), zone=UTC)
    states = [cry_at(s, state="updated" if s > -5 else "started") for s in range(-5, 60, 5)]

    alerts = [alert for state in states for alert in engine_.decide(state)]

    assert [(alert.raised_at, alert.why["between"]) for alert in alerts] == [(TEN, "22:00")]


def test_what_only_ends_in_the_hours_does_not_count() -> None:
    """A sound of before ten that is found over, or is judged by a large model, after ten is of before ten."""
    engine_ = engine(rule(hear=["baby_cry"], between="22:00-07:00"), zone=UTC)
    over = {"ended_at": TEN - timedelta(seconds=2), "ended_by": "quiet"}

    assert engine_.decide(cry_at(-3)) == []
    assert engine_.decide(cry_at(20, state="ended", **over)) == []
    assert engine_.decide(cry_at(30, state="updated", confirmed_by=("listener",), **over)) == []


def test_what_began_in_the_hours_counts_when_they_are_over() -> None:
    """A cat at 06:59:58 that is posted at 07:00:01 was heard in the night, once."""
    engine_ = engine(rule(hear=["cat"], between="22:00-07:00"), zone=UTC)
    began = datetime(2026, 1, 11, 6, 59, 58, tzinfo=UTC)
    first = sound("cat", started_at=began, at=began + timedelta(seconds=3))
    ended = replace(first, state="ended", at=began + timedelta(seconds=40), ended_at=first.at)

    assert [len(engine_.decide(state)) for state in (first, ended)] == [1, 0]


def test_repetitions_in_the_hours_are_counted_from_their_beginning() -> None:
    """Of a dog that barks every eight seconds from 21:59:50 on, the barks from ten on count: the fifth of
    them is alerted. One that barked last at 21:59 is not alerted for ending at ten."""
    nightly = rule(hear=["dog_bark"], count=5, within_s=60, between="22:00-07:00")
    engine_ = engine(nightly, zone=UTC)
    times_s = [-10, -2, 6, 14, 22, 30, 38, 46]

    raised = [len(engine_.decide(barked(s, times))) for times, s in enumerate(times_s, start=1)]
    assert raised == [0, 0, 0, 0, 0, 0, 1, 0]

    early = barked(-1, 9)
    ended = replace(early, state="ended", at=TEN + timedelta(seconds=30), ended_at=TEN)
    assert engine(nightly.model_copy(update={"count": 1, "within_s": None}), zone=UTC).decide(ended) == []


def test_a_count_must_be_reached_within_its_time() -> None:
    """Three times within ten seconds, and then three times again."""
    engine_ = engine(rule(hear=["knock", "doorbell"], count=3, within_s=10))

    raised = [
        len(engine_.decide(sound(label, s)))
        for label, s in (
            ("knock", 0),
            ("knock", 4),
            ("knock", 11),
            ("doorbell", 13),
            ("knock", 15),
            ("knock", 17),
            ("knock", 19),
        )
    ]

    assert raised == [0, 0, 0, 1, 0, 0, 1]


def test_the_repetitions_of_one_event_count() -> None:
    """A dog that barks on in one event is counted by its barks, also when several are posted at once."""
    engine_ = engine(rule(hear=["dog_bark"], count=5, within_s=20))

    def barked(s: float, times: int) -> int:
        repeated = {"times": times, "last_began_at": at(s).isoformat()}
        return len(engine_.decide(sound("dog_bark", s, id="d", state="updated", evidence=repeated)))

    assert len(engine_.decide(sound("dog_bark", 0, id="d"))) == 0
    assert [barked(2, 2), barked(12, 5)] == [0, 1]


def test_two_names_and_two_microphones_are_one_time() -> None:
    """One sound heard as shout and crying, by two microphones, does not count as repeated."""
    engine_ = engine(rule(hear=["shout", "crying"], count=2, within_s=30))

    assert engine_.decide(sound("shout", 0)) == []
    assert engine_.decide(sound("crying", 0.2)) == []
    assert engine_.decide(sound("shout", 0.5, source="hall")) == []
    assert [alert.message for alert in engine_.decide(sound("shout", 8))] == [
        "Shout in kitchen and hall (90%), Crying in kitchen (90%), 2 times"
    ]


def test_a_sequence_needs_its_second_sound_in_time() -> None:
    """Glass and then a shout within 30 s, by any microphone; not the other way round, not too late."""
    break_in = rule(hear=["glass_break"], then={"hear": ["shout", "dog_bark"], "within_s": 30})

    in_time, too_late, before = engine(break_in), engine(break_in), engine(break_in)
    in_time.decide(sound("glass_break", 0))
    too_late.decide(sound("glass_break", 0))
    before.decide(sound("shout", 0))

    [alert] = in_time.decide(sound("shout", 30, source="hall"))
    assert alert.message == "Breaking glass in kitchen (90%), then shout in hall (90%)"
    assert [e.label for e in alert.events] == ["glass_break", "shout"]
    surely = {"score": 0.9, "certainty": "confirmed", "by": ["embedded"]}
    assert alert.why == {
        "hear": "glass_break",
        "then": "shout",
        "heard": {"glass_break": surely, "shout": surely},
        "corroboration": 1,
    }
    assert too_late.decide(sound("shout", 30.1)) == []
    assert before.decide(sound("glass_break", 1)) == []


def test_a_sequence_does_not_mind_the_order_of_decision() -> None:
    """A first sound that is decided late still finds the second one that was heard after it."""
    engine_ = engine(rule(hear=["glass_break"], then={"hear": ["shout"], "within_s": 30}))
    engine_.decide(sound("shout", 5))

    assert len(engine_.decide(sound("glass_break", 0, at=at(9)))) == 1


def test_a_dog_that_barks_again_follows_the_glass() -> None:
    """An event that was open before the first sound follows it when its sound is repeated after it."""
    engine_ = engine(rule(hear=["glass_break"], then={"hear": ["dog_bark"], "within_s": 30}))
    engine_.decide(sound("dog_bark", 0, id="d"))
    assert engine_.decide(sound("glass_break", 5)) == []

    again = {"times": 2, "last_began_at": at(9).isoformat()}

    assert len(engine_.decide(sound("dog_bark", 9, id="d", state="updated", evidence=again))) == 1


def test_after_an_alert_the_rule_keeps_quiet_for_its_cooldown() -> None:
    """Within the cool-down a rule raises nothing more; other rules do."""
    engine_ = engine(rule("A", hear=["cat"], cooldown_s=60), rule("B", hear=["cat"]))

    raised = [[alert.rule for alert in engine_.decide(sound("cat", s))] for s in (0, 30, 59, 60)]

    assert raised == [["A", "B"], ["B"], ["B"], ["A", "B"]]


def test_a_cooldown_does_not_swallow_something_graver() -> None:
    """A more severe label is alerted in the cool-down of a lesser one; not the other way round."""
    engine_ = engine(rule(hear=["dog_bark", "glass_break", "shout"], cooldown_s=60))

    raised = [len(engine_.decide(sound(label, s))) for s, label in enumerate(
        ["dog_bark", "shout", "glass_break", "shout", "dog_bark"], start=10
    )]  # fmt: skip

    assert raised == [1, 1, 1, 0, 0]


def test_one_sound_at_two_microphones_is_one_incident() -> None:
    """The alert goes out at once; a second microphone within a second re-issues it with the same id."""
    engine_ = engine(rule(hear=["glass_break"], cooldown_s=60))

    [first] = engine_.decide(sound("glass_break", 0))
    [again] = engine_.decide(sound("glass_break", 1.0, source="hall", at=at(1.8)))

    assert (again.id, again.raised_at) == (first.id, first.raised_at)
    assert [len(alert.events) for alert in (first, again)] == [1, 2]
    assert [alert.why["corroboration"] for alert in (first, again)] == [1, 2]
    assert again.message == "Breaking glass in kitchen and hall (90%)"
    assert engine_.decide(sound("glass_break", 1.0, source="hall", at=at(3), state="ended")) == []
    assert engine_.decide(sound("glass_break", 2.1, source="attic")) == []


def test_without_a_cooldown_later_sounds_elsewhere_are_their_own_incidents() -> None:
    """Farther apart than a second, or at the same microphone, it is another sound."""
    engine_ = engine(rule(hear=["glass_break"]))

    ids = {
        alert.id
        for s, source in ((0, "kitchen"), (0.5, "kitchen"), (1.6, "hall"))
        for alert in engine_.decide(sound("glass_break", s, source))
    }

    assert len(ids) == 3


def test_a_microphone_that_the_rule_leaves_out_does_not_corroborate() -> None:
    """Only sources of the rule count as further microphones."""
    engine_ = engine(rule(hear=["glass_break"], sources=["kitchen"]))
    engine_.decide(sound("glass_break", 0))

    assert engine_.decide(sound("glass_break", 0.5, source="hall")) == []


def test_an_alert_may_wait_for_the_large_model() -> None:
    """It is raised when the model agrees, or when the time is over without an answer."""
    waiting = rule(hear=["glass_break"], wait_for_verify_s=5)
    agreed, silent = engine(waiting), engine(waiting)
    for one in (agreed, silent):
        assert one.decide(sound("glass_break", id="g")) == []
        assert one.due(at(4.9)) == []

    [alert] = agreed.decide(sound("glass_break", 3, id="g", state="updated", confirmed_by=("qwen",)))
    assert (alert.raised_at, alert.why["wait_for_verify_s"]) == (at(3), "qwen")
    assert agreed.due(at(6)) == []
    [alert] = silent.due(at(5))
    assert (alert.raised_at, alert.why["wait_for_verify_s"]) == (at(5), "no answer")
    assert silent.due(at(6)) == []


@pytest.mark.parametrize("step_s", [700, -700])
def test_setting_the_clock_loses_no_waiting_alert(step_s: float) -> None:
    """NTP answers while an alert waits for the large model: it is raised, rather soon than never."""
    engine_ = engine(rule(hear=["glass_break"], wait_for_verify_s=30))
    engine_.decide(sound("glass_break"))

    assert len(engine_.due(at(1 + step_s))) == 1
    assert engine_.due(at(2 + step_s)) == []


def test_the_large_model_calls_a_waiting_alert_off() -> None:
    """A doubted alert is not raised, unless the doubt is taken back."""
    engine_ = engine(rule(hear=["glass_break"], wait_for_verify_s=5))
    engine_.decide(sound("glass_break", id="g"))
    doubt = {"doubted_by": {"qwen": 0.02}}

    assert engine_.decide(sound("glass_break", 3, id="g", state="updated", evidence=doubt)) == []
    assert engine_.due(at(30)) == []
    assert len(engine_.decide(sound("glass_break", 40, id="g", state="updated", confirmed_by=("qwen",)))) == 1


def test_only_the_named_verifiers_end_the_wait() -> None:
    """Another small listener that agrees is not the large model."""
    engine_ = engine(rule(hear=["speech"], wait_for_verify_s=5), verifiers=frozenset({"qwen"}))
    engine_.decide(sound("speech", id="s"))

    assert engine_.decide(sound("speech", 1, id="s", state="updated", confirmed_by=("gate",))) == []
    assert (
        len(engine_.decide(sound("speech", 2, id="s", state="updated", confirmed_by=("gate", "qwen")))) == 1
    )


def test_without_a_large_model_nothing_waits() -> None:
    """Where nobody can verify, an alert goes out at once."""
    engine_ = engine(rule(hear=["glass_break"], wait_for_verify_s=5), verifiers=frozenset())

    assert len(engine_.decide(sound("glass_break"))) == 1


def test_what_is_confirmed_already_does_not_wait() -> None:
    """An event that the large model has confirmed before the rule comes true is alerted at once."""
    engine_ = engine(rule(hear=["glass_break"], wait_for_verify_s=5))

    assert len(engine_.decide(sound("glass_break", confirmed_by=("qwen",)))) == 1


@pytest.mark.parametrize("label", sorted(LIFE_SAFETY))
def test_smoke_co_and_fire_never_wait(label: str) -> None:
    """`wait_for_verify_s` does not delay a life-safety alarm, even one that is doubted."""
    engine_ = engine(rule(hear=[label], wait_for_verify_s=5))

    assert len(engine_.decide(sound(label, certainty="suspected", evidence={"doubted_by": {"q": 0.1}}))) == 1


def test_several_ways_make_one_alert_name() -> None:
    """Distress: a scream; or shout, crying, groan repeated within 30 s; or fearful speech."""
    distress = rule(
        "Distress",
        severity="critical",
        any=[
            {"hear": ["scream"]},
            {"hear": ["shout", "crying", "groan"], "count": 2, "within_s": 30},
            {"hear": ["speech"], "emotion": ["fearful"], "min_emotion_score": 0.6},
        ],
    )

    def alerts(*events: SoundEvent) -> list[int]:
        engine_ = engine(distress)
        return [alert.why["any"] for e in events for alert in engine_.decide(e)]

    assert alerts(sound("scream")) == [1]
    assert alerts(sound("shout"), sound("groan", 29)) == [2]
    assert alerts(sound("shout"), sound("groan", 31)) == []
    assert alerts(sound("speech", emotion={"fearful": 0.61})) == [3]
    assert alerts(sound("speech", emotion={"happy": 0.9})) == []


def test_explaining_decides_nothing() -> None:
    """`explain` says which clause stopped the event, with the values, and leaves no trace."""
    engine_ = engine(
        rule("Score", hear=["cat"], min_score=0.95),
        rule("Night", hear=["cat"], between="22:00-07:00"),
        rule("Twice", hear=["cat"], count=2, within_s=10),
        rule("Plain", hear=["cat"]),
        rule("Dogs", hear=["dog_bark"]),
        zone=UTC,
    )
    noon = datetime(2026, 1, 9, 12, tzinfo=UTC)
    cat = sound("cat", started_at=noon, at=noon)

    traces = {trace.rule: trace for trace in engine_.explain(cat)}

    assert engine_.explain(cat) == list(traces.values())
    assert {name: trace.outcome for name, trace in traces.items()} == {
        "Score": "stopped", "Night": "stopped", "Twice": "stopped", "Plain": "alert", "Dogs": "stopped"
    }  # fmt: skip
    assert traces["Score"].stopped_by == ClauseResult("min_score", False, 0.95, 0.9)
    assert traces["Night"].stopped_by == ClauseResult("between", False, "22:00-07:00", "12:00")
    assert traces["Twice"].stopped_by == ClauseResult("count", False, "2 within 10 s", 1)
    assert traces["Plain"].stopped_by is None
    assert traces["Dogs"].stopped_by == ClauseResult("hear", False, ["dog_bark"], "cat")
    assert [alert.rule for alert in engine_.decide(cat)] == ["Plain"]


def test_explaining_names_cooldown_waiting_and_alerted_before() -> None:
    """What only the past of a rule can stop is explained too."""
    engine_ = engine(
        rule("Cool", hear=["cat"], cooldown_s=60),
        rule("Wait", hear=["cat"], wait_for_verify_s=5),
        rule("Then", hear=["cat"], then={"hear": ["dog_bark"], "within_s": 5}),
    )
    first, second = sound("cat", 0), sound("cat", 10)
    engine_.decide(first)

    cool, wait, then = (trace.stopped_by for trace in engine_.explain(second))
    raised = engine_.explain(first)[0].stopped_by

    assert cool == ClauseResult("cooldown_s", False, 60.0, 10.0)
    assert wait == ClauseResult("wait_for_verify_s", False, 5.0, "no answer yet")
    assert then == ClauseResult("then", False, "dog_bark within 5 s", None)
    assert raised == ClauseResult("once", False, "an event of its own", "alerted before")


@pytest.mark.parametrize(
    "keys",
    [
        {"hear": ["smoke_alarm"], "certainty": "confirmed", "min_score": 0.99},
        {"hear": ["cat"], "between": "22:00-07:00", "weekdays": ["mon"], "wait_for_verify_s": 9},
        {"hear": ["cat", "speech"], "emotion": ["angry"], "min_emotion_score": 1, "sources": ["porch"]},
        {"hear": ["speech"], "say": ["help me"]},
        {"hear": ["knock"], "count": 4, "within_s": 3},
        {"hear": ["knock"], "count": 2, "within_s": 9, "then": {"hear": ["shout"], "within_s": 0.5}},
        {"any": [{"hear": ["scream"]}, {"hear": ["cat"], "count": 2, "within_s": 30}]},
        {"hear": ["unknown_alarm"], "lasts_s": 60},
    ],
)
def test_a_test_alert_goes_through_the_real_chain(keys: dict[str, object]) -> None:
    """Whatever the rule asks for, its test alert passes it, at any hour, and is marked as a test."""
    alert = engine(rule("R", **keys), zone=UTC).test(at(0))

    assert (alert.rule, alert.raised_at) == ("R", at(0))
    assert alert.message.startswith("Test: ")
    assert alert.test
    assert not alert.is_life_safety
    assert all(e.evidence["test"] is True for e in alert.events)


def test_a_test_leaves_no_trace() -> None:
    """A real event right after a test alert is alerted, for the cool-down has not begun."""
    engine_ = engine(rule("First", hear=["cat"], cooldown_s=60), rule("Second", hear=["cat"]))

    assert engine_.test(at(0)).rule == "First"
    assert engine_.test(at(0), "Second").rule == "Second"
    assert len(engine_.decide(sound("cat", 1))) == 2


def test_a_test_is_of_the_gravest_rule() -> None:
    """Who presses the button wants to know whether the alarm that matters most rings."""
    rules = (rule("Mild", hear=["cat"]), rule("Grave", hear=["smoke_alarm"], severity="critical"))
    alert = engine(*rules).test(at(0))

    assert (alert.rule, alert.severity) == ("Grave", "critical")
    assert alert.message == "Test: Smoke alarm (confirmed, 100%)"


def test_delivery_can_be_tested_without_rules() -> None:
    """Without any rule there is still a test alert."""
    assert engine().test(at(0)).message.startswith("Test: ")


def test_two_rules_of_one_name_are_refused() -> None:
    """Each rule needs its own name."""
    with pytest.raises(ConfigError, match="rule 'R' is there 2 times"):
        engine(rule("R", hear=["cat"]), rule("R", hear=["bird"]))


def test_a_storm_of_alerts_takes_no_memory_and_no_waiting_alert() -> None:
    """However many alerts a rule raises, what waits is kept, and beyond a bound nothing waits."""
    engine_ = engine(rule(hear=["cat", "gunshot"], wait_for_verify_s=60))

    raised = [len(engine_.decide(sound("gunshot", i / 100, id=f"g{i}"))) for i in range(300)]
    confirmed = [
        len(engine_.decide(sound("cat", 4 + i / 100, id=f"c{i}", confirmed_by=("qwen",)))) for i in range(300)
    ]

    assert (sum(raised[:64]), sum(raised[64:])) == (0, 236)
    assert sum(confirmed) == 300
    assert len(engine_.due(at(90))) == 64


def test_what_a_rule_remembers_is_bounded() -> None:
    """A rule that counts and follows takes no more memory after 1200 events than after 560."""
    engine_ = engine(
        rule("Count", hear=["cat"], count=100, within_s=120),
        rule("Then", hear=["cat"], then={"hear": ["shout"], "within_s": 30}, cooldown_s=5),
    )

    def memory_after(first: int, last: int) -> int:
        for i in range(first, last):
            engine_.decide(sound("cat", i * 3))
            engine_.decide(sound("shout", i * 3 + 1))
            engine_.due(at(i * 3 + 2))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        early, late = memory_after(0, 280), memory_after(280, 600)
    finally:
        tracemalloc.stop()

    assert late < 1.1 * early


def test_a_clock_set_back_does_not_silence_a_rule() -> None:
    """An alert from an hour ahead neither cools nor counts."""
    engine_ = engine(
        rule("Cool", hear=["cat"], cooldown_s=600), rule("Twice", hear=["cat"], count=2, within_s=10)
    )
    engine_.decide(sound("cat", 3600))

    raised = [alert.rule for s in (0, 5) for alert in engine_.decide(sound("cat", s))]

    assert raised == ["Cool", "Twice"]
