"""The tree of errors at the top of monitor/errors.py."""

import ast
import re
from pathlib import Path

from monitor import errors

MONITOR = Path(errors.__file__).parent


def test_the_tree_draws_every_error_below_its_base() -> None:
    """Whoever handles an error sees there what else its `except` catches."""
    assert drawn() == defined()


def drawn() -> dict[str, str]:
    """Each error of the drawing, by its name: that of its base."""
    assert errors.__doc__ is not None
    bases: dict[str, str] = {}
    above: list[str] = []
    for branch, name in re.findall(r"^    ([ │]*[├└]── )?(\w+)", errors.__doc__, re.M):
        depth = len(branch) // 4
        del above[depth:]
        if above:
            bases[name] = above[-1]
        above.append(name)
    return bases


def defined() -> dict[str, str]:
    """The same of the classes in all of `monitor/`."""
    found = [
        (node.name, {base.id for base in node.bases if isinstance(base, ast.Name)})
        for path in MONITOR.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    bases: dict[str, str] = {}
    waiting = ["EarwitnessError"]
    for above in waiting:
        below = [name for name, own in found if above in own]
        bases |= dict.fromkeys(below, above)
        waiting += below
    return bases
