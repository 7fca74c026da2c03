"""What docs/guides/sources.md shows."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from monitor.sources import SourceConfig

GUIDE = (Path(__file__).parents[2] / "docs/guides/sources.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_guides_examples_are_good(example: str) -> None:
    """Every block of configuration in the guide is accepted."""
    blocks = TypeAdapter(list[SourceConfig]).validate_python(yaml.safe_load(example)["sources"])

    assert all(block.name for block in blocks)


def test_the_guide_shows_every_kind() -> None:
    """The first example has one source of each kind."""
    kinds = [source["type"] for source in yaml.safe_load(EXAMPLES[0])["sources"]]

    assert sorted(kinds) == ["demo", "file", "microphone", "stream"]
