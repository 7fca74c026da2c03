"""How far an event came in a rule, clause by clause: what `earwitness history` and the page explain."""

from dataclasses import dataclass
from typing import Any, Literal

RuleOutcome = Literal["alert", "corroborates", "waits", "stopped"]


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """One clause held against one value."""

    clause: str
    """The key of the rule, or `once`."""
    passed: bool
    wanted: Any
    found: Any


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """How far an event came in one way of one rule."""

    rule: str
    way: int
    """Which item of `any`, from 0."""
    outcome: RuleOutcome
    steps: tuple[ClauseResult, ...]

    @property
    def stopped_by(self) -> ClauseResult | None:
        """The first clause that did not hold."""
        return next((step for step in self.steps if not step.passed), None)
