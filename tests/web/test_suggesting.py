"""What follows from verdicts, as the page shows it."""

import json
from datetime import UTC, datetime
from pathlib import Path

from monitor.config.model import Config
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.history.verdicts import Verdicts
from monitor.teaching.house import HouseReading
from monitor.web.api.upkeep.suggestions import SuggestionList
from monitor.web.trying.suggesting import Suggesting
from testkit.fakes import FakeClock
from testkit.judged_house import live

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BARKS = [0.91, 0.999, 0.915, 0.9985, 0.92, 0.995, 0.93, 0.999, 0.912, 0.85, 0.9991, 0.918]


def test_a_suggestion_says_what_it_rests_on_and_what_it_would_change(tmp_path: Path) -> None:
    """Barks below 0.95 are wrong: the onset lies above them, with fewer false ones a day."""
    config = Config.model_validate(
        {
            "sources": [{"type": "demo", "name": "hall"}],
            "state_dir": str(tmp_path),
            "labels": {"dog_bark": {"onset": 0.9}},
        }
    )
    events = live(config, BARKS, NOW)
    with History(tmp_path / SCORES) as history, Verdicts(tmp_path, FakeClock(NOW)) as verdicts:
        for event in events:
            HouseReading(config, history, verdicts, NOW).answer(
                event.id, "right" if event.score > 0.95 else "wrong", "me"
            )
    lines: list[bytes] = []
    Suggesting(config, "dog_bark", NOW).work(lines.append)
    found = SuggestionList.model_validate(json.loads(lines[-1]))
    [one] = found.suggestions
    assert found.refused == []
    assert 0.93 < one.onset < 0.995
    assert (one.source, one.now, one.right + one.wrong) == (None, 0.9, len(events))
    assert one.false_then.a_day < one.false_now.a_day
    assert one.false_then.low <= one.false_then.high
    assert one.gone > 0
    assert one.more_verdicts > 0
    assert {(change.gone, change.right) for change in one.changes} == {(True, False)}
