"""What to do about text that is no YAML, in words for who wrote it.

The text itself is left out: it may hold a password.
"""

import re

import yaml

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_QUOTED = re.compile(r"""(["'])(?:(?!\1).)*\1""")
_NO_SPACE = re.compile(r"^\s*-\S|^\s*(?:- )?\w+:[^\s/]")

QUOTE_ADDRESS = 'put the whole address in quotes: url: "rtsp://..."'
_ALIGN = "this line begins farther left or right than the lines that it belongs to; keys of one block align"
QUOTE_TEXT = 'put the text in quotes: "..."'
_OR_QUOTE = f"or, where a text has one of , : {{ }} [ ] in it, {QUOTE_TEXT}"
_UNCLOSED = re.compile(r"',' or '([]}])'")


def advise(error: yaml.MarkedYAMLError, lines: list[str]) -> tuple[int, str]:
    """1-based line of a problem, and the problem with its fix."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    problem, context = error.problem or "", error.context or ""
    if "quoted scalar" in context and "end of stream" in problem and error.context_mark:
        return error.context_mark.line + 1, "a quotation mark that begins here is never closed"
    opened = error.context_mark.line + 1 if error.context_mark else line
    if opened < line and (unclosed := _UNCLOSED.search(problem)):
        return opened, f"{unclosed[1]} is missing between here and line {line}; {_OR_QUOTE}"
    here = lines[line - 1] if line <= len(lines) else ""
    before = lines[line - 2] if 1 < line <= len(lines) + 1 else ""
    return line, _advice(problem, context, here, before)


def _advice(problem: str, context: str, here: str, before: str) -> str:
    bare = _QUOTED.sub("", here.split(" #")[0])
    if "'\\t'" in problem or "\t" in here[: len(here) - len(here.lstrip())]:
        return "there is a tab; YAML takes spaces alone, two for each step to the right"
    if _ADDRESS.search(bare):
        return QUOTE_ADDRESS
    if found := re.search(r"found character '(.)' that cannot start", problem):
        return f"no text begins with {found[1]}; {QUOTE_TEXT}"
    if "mapping values are not allowed" in problem:
        return _about_colon(here, before)
    if unclosed := _UNCLOSED.search(problem):
        return f"{unclosed[1]} is missing here; {_OR_QUOTE}"
    if "<block end>" in problem or "block collection" in context or "block mapping" in context:
        return _ALIGN
    if "could not find expected ':'" in problem:
        return "this line, or the one before it, has no `key: value`; a colon or a quotation mark is missing"
    if "another document" in problem:
        return "`---` begins a second document; write a single one"
    return problem or context


def _about_colon(here: str, before: str) -> str:
    if _NO_SPACE.match(before) or _NO_SPACE.match(here):
        return "a space is missing: write `- type: demo`, with one after the dash and one after the colon"
    if here.count(": ") + here.rstrip().endswith(":") == 1:
        return _ALIGN
    return f"a second colon stands here; where it belongs to a text, {QUOTE_TEXT}"
