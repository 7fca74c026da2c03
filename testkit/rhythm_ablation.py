"""The rhythm detector without one of its checks: what does each of them buy?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

from monitor.rhythm import counting as counting_
from monitor.rhythm import cycles, isolation, rejections, tracker


class Check(NamedTuple):
    """A function that can turn a cycle down, where it is called, and what it says then."""

    module: ModuleType
    function: str
    rejects: Callable[[Any], bool]
    passing: Any
    """What it returns when it is switched off."""


def _no(module: ModuleType, function: str) -> Check:
    return Check(module, function, lambda said: not said, True)


def _yes(module: ModuleType, function: str) -> Check:
    return Check(module, function, bool, False)


CHECKS = {
    "timely": _no(cycles, "_is_timely"),
    "stands_out": _no(cycles, "_stands_out"),
    "rests": _no(cycles, "_rests"),
    "struck": _yes(rejections, "_is_struck"),
    "uneven": _yes(rejections, "_is_uneven"),
    "alternates": _yes(rejections, "_alternates"),
    "steady_after_all": _yes(cycles, "is_steady_after_all"),
    "comes_and_goes": _no(cycles, "comes_and_goes"),
    "broad": _yes(rejections, "_is_broad"),
    "alike": _no(rejections, "_alike"),
    "wanders": _yes(rejections, "_wanders"),
    "clear": _no(cycles, "_is_clear"),
    "alone": _no(tracker, "is_alone"),
    "in_company": _yes(tracker, "is_in_company"),
    "drowned": _yes(tracker, "is_drowned"),
    "rings_through": _yes(isolation, "_rings_through"),
    "in_step": _no(counting_, "_follows"),
}
"""By the name that `--without` takes."""


@contextmanager
def without(name: str) -> Iterator[None]:
    """The detector, in this process, without one check."""
    check = CHECKS[name]
    original = getattr(check.module, check.function)
    setattr(check.module, check.function, lambda *_: check.passing)
    try:
        yield
    finally:
        setattr(check.module, check.function, original)


@contextmanager
def noted() -> Iterator[set[str]]:
    """The names of the checks that turned something down: without any other, all would have been the same."""
    rejecting: set[str] = set()
    originals = {name: getattr(check.module, check.function) for name, check in CHECKS.items()}
    for name, check in CHECKS.items():
        setattr(check.module, check.function, _noting(name, check, originals[name], rejecting))
    try:
        yield rejecting
    finally:
        for name, check in CHECKS.items():
            setattr(check.module, check.function, originals[name])


def _noting(name: str, check: Check, original: Callable[..., Any], rejecting: set[str]) -> Callable[..., Any]:
    def asked(*arguments: Any) -> Any:
        said = original(*arguments)
        if check.rejects(said):
            rejecting.add(name)
        return said

    return asked
