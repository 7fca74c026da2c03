"""What the page's first sight needs, as one module: each that a browser fetches by itself costs a phone 30 ms
of its processor, and a round trip for every six.

There is no build step: it is put together when the page is opened, from modules as they lie in `static/`.
Each of them is still there under its own name, and hands on what the bundle holds: no module lives twice.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath, relpath

_IMPORT = re.compile(r'^import (?:(?P<what>\{[^}]*\}|\w+) from )?"(?P<path>\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(
    r"^export (?P<default>default )?(?P<kind>async function|function|class|const|let) (?P<name>\w+)",
    re.MULTILINE,
)
_NAME = re.compile(
    r"^(?:export )?(?:default )?(?:async )?(?:function|class|const|let) (?:(\w+)|[\[{]([^=\]}]*)[\]}])",
    re.MULTILINE,
)


@dataclass(slots=True)
class Bundle:
    """Modules as one text."""

    text: str = ""
    exported: dict[str, dict[str, str]] = field(default_factory=dict)
    """By module: what it exports, and under which name."""

    def stub(self, path: str, address: str) -> str:
        """A module that hands on what the bundle, which is at `address`, holds of it."""
        whole = relpath(address, dirname(path) or ".")
        whole = whole if whole.startswith(".") else f"./{whole}"
        names = (f"{own} as {name}" if own != name else own for own, name in self.exported[path].items())
        return f'export {{ {", ".join(names)} }} from "{whole}";\n'


def bundled(modules: Mapping[str, str], entry: str) -> Bundle:
    """`entry` and what it imports, in the order in which a browser would run them. ValueError where two
    modules have a name in common at their top, which would be one name here, or import under another name."""
    bundle = Bundle()
    owners: dict[str, str] = {}
    for path in _in_order(modules, entry, []):
        text = modules[path]
        _check(path, text, path == entry, owners)
        bundle.exported[path] = {
            one["name"]: "default" if one["default"] else one["name"] for one in _EXPORT.finditer(text)
        }
        plain = _EXPORT.sub(r"\g<kind> \g<name>", _IMPORT.sub("", text))
        bundle.text += f"// {path}\n{plain}\n"
    names = [own for exported in bundle.exported.values() for own in exported]
    bundle.text += f"export {{ {', '.join(names)} }};\n"
    return bundle


def _in_order(modules: Mapping[str, str], path: str, seen: list[str]) -> Iterator[str]:
    """Depth first, as ES modules are evaluated."""
    seen.append(path)
    for one in _IMPORT.finditer(modules[path]):
        wanted = normpath(join(dirname(path), one["path"]))
        if wanted not in seen:
            yield from _in_order(modules, wanted, seen)
    yield path


def _check(path: str, text: str, is_entry: bool, owners: dict[str, str]) -> None:
    for name in _names(text):
        if owners.setdefault(name, path) != path:
            raise ValueError(f"{path} and {owners[name]} both have {name} at their top")
    renamed = [one["what"] for one in _IMPORT.finditer(text) if " as " in (one["what"] or "")]
    if renamed:
        raise ValueError(f"{path} imports {renamed[0]} under another name")
    if not is_entry and "import(" in re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL):
        raise ValueError(f"{path} imports something later, from where it would no longer lie")


def _names(text: str) -> Iterator[str]:
    for one in _NAME.finditer(text):
        yield from (name.strip() for name in (one[1] or one[2]).split(","))
