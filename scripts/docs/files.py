"""Writes the last section of ARCHITECTURE.md, every file by its folder: `python -m scripts.docs.files`."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAD = "## Every file\n"
_SKIPPED = {"__init__", "__main__"}


def section(root: Path = ROOT) -> str:
    """The section, from what is in the folders now."""
    return "\n".join([HEAD, "Folders of `monitor/`, and what each holds.\n", *_lines(root / "monitor"), ""])


def _lines(top: Path) -> Iterator[str]:
    folders = sorted({path.parent for kind in ("*.py", "*.js") for path in top.rglob(kind)})
    for folder in folders:
        names = sorted(path.stem for path in folder.iterdir() if path.suffix in (".py", ".js", ".css"))
        kept = list(dict.fromkeys(name for name in names if name not in _SKIPPED))
        if kept and folder != top:
            line = f"- `{folder.relative_to(top)}/`: {', '.join(kept)}"
            yield textwrap.fill(line, 120, subsequent_indent="  ", break_on_hyphens=False)


def main() -> None:
    """Put the section at the end of ARCHITECTURE.md."""
    page = ROOT / "ARCHITECTURE.md"
    page.write_text(page.read_text().partition(HEAD)[0] + section())


if __name__ == "__main__":
    main()
