"""What rules know of how loud it has been, kept over restarts."""

from collections.abc import Callable, Mapping
from typing import Any

from monitor.rules.loudness.noise import Noise, noise_of

Key = tuple[str, str]
"""Rule and source."""


class Noises:
    """By rule and source. The rules' thread changes them; `rows` and `found` may be called from any."""

    def __init__(self) -> None:
        self._known: Mapping[Key, Noise] = {}
        self._kept: Mapping[Key, Noise] = {}
        """What an earlier run left and nobody has taken up yet."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when something is to be kept."""

    def of(self, rule: str, source: str) -> Noise:
        """What is known, or was kept."""
        key = rule, source
        return self._known.get(key) or self._kept.get(key, Noise())

    def put(self, rule: str, source: str, noise: Noise) -> None:
        """It has come so far."""
        self._known = {**self._known, (rule, source): noise}
        self.on_change()

    def only(self, rules: Mapping[str, bool]) -> None:
        """Forget what other rules knew; of a rule that now asks for something else (False), its alert."""
        self._known, self._kept = _only(self._known, rules), _only(self._kept, rules)

    def rows(self) -> Mapping[str, Any]:
        """As plain JSON values."""
        rows: dict[str, dict[str, Any]] = {}
        for (rule, source), noise in {**self._kept, **self._known}.items():
            rows.setdefault(rule, {})[source] = noise.row()
        return rows

    def found(self, rows: Mapping[str, Any]) -> None:
        """What an earlier run kept."""
        self._kept = {
            (str(rule), str(source)): noise_of(row) for rule, of in rows.items() for source, row in of.items()
        }


def _only(known: Mapping[Key, Noise], rules: Mapping[str, bool]) -> Mapping[Key, Noise]:
    return {
        key: noise if rules[key[0]] else Noise(noise.minutes)
        for key, noise in known.items()
        if key[0] in rules
    }
