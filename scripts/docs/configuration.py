"""docs/reference/configuration.md: every option with what it means, from the classes that read them.

`python -m scripts.docs.configuration > docs/reference/configuration.md`; a test keeps it true.
"""

import json
from collections.abc import Iterator
from typing import Any

from monitor.config.model import json_schema
from testkit import markdown

_HEAD = """# Configuration

This page has every option. `python -m scripts.docs.configuration` writes it. Unknown keys are errors.
`${NAME}` in any text is filled in from the environment, or from a file of that name in the folder
`credentials` beside the configuration. Inside a URL the value is percent-encoded, so write passwords as they
are. `$$` is a dollar sign. Times are in seconds, levels in dBFS. Scores are 0 to 1.
"""


def page() -> str:
    """The whole page."""
    schema = json_schema()
    parts = [_HEAD, *_block("The document", schema)]
    for name, block in sorted(schema["$defs"].items(), key=lambda item: _title(item[1], item[0])):
        if "properties" in block:
            parts += _block(_title(block, name), block)
    return "\n".join(parts)


def _title(block: dict[str, Any], name: str) -> str:
    kind = block["properties"].get("type", {}).get("const") if "properties" in block else None
    return f"{name} (`type: {kind}`)" if kind else name


def _block(title: str, block: dict[str, Any]) -> Iterator[str]:
    yield f"\n## {title}\n"
    if text := block.get("description"):
        yield f"{_line(text)}\n"
    yield markdown.head(("key", "what", "default"))
    required = block.get("required", [])
    for key, field in block["properties"].items():
        default = "*required*" if key in required else _default(field.get("default"))
        text = f"{_line(field.get('description', ''))}{_limits(field)}"
        yield markdown.row((f"`{key}`", text, default))


def _default(value: Any) -> str:
    """As it would be written; a whole block has its own table."""
    return "see below" if isinstance(value, dict) and value else f"`{json.dumps(value)}`"


def _limits(field: dict[str, Any]) -> str:
    """The kind of value, where it is not plain from the default."""
    if "enum" in field:
        return " One of " + ", ".join(f"`{value}`" for value in field["enum"]) + "."
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        return f" {low:g} to {high:g}."
    return ""


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="\n")
