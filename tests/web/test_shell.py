"""The page's own files: one module of many, and the first answers within the page."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from monitor.web.http.bundle import bundled
from monitor.web.http.shell import front, shell

STATIC = Path(__file__).parents[2] / "monitor/web/static"


def test_modules_become_one_and_each_hands_on_what_it_held():
    """In the order in which a browser would run them, with exports and imports gone, and a default kept."""
    modules = {
        "app.js": 'import first from "./pages/first.js";\nimport { base } from "./base.js";\nfirst(base);\n',
        "base.js": "export const base = 1;\nconst own = 2;\n",
        "pages/first.js": 'import { base } from "../base.js";\nimport "../parts/one.js";\n'
        "export default function first(of) {}\nexport async function more() {}\n",
        "parts/one.js": "customElements.define();\n",
    }
    bundle = bundled(modules, "app.js")
    lines = [line for line in bundle.text.splitlines() if line and not line.startswith("//")]
    assert lines == [
        "const base = 1;", "const own = 2;", "customElements.define();", "function first(of) {}",
        "async function more() {}", "first(base);", "export { base, first, more };",
    ]  # fmt: skip
    assert bundle.stub("pages/first.js", "app.js?v=1") == (
        'export { first as default, more } from "../app.js?v=1";\n'
    )
    assert bundle.stub("base.js", "app.js?v=1") == 'export { base } from "./app.js?v=1";\n'


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("const base = 2;\n", "both have base"),
        ('import { base as own } from "./base.js";\n', "under another name"),
        ('export const later = () => import("./more.js");\n', "imports something later"),
    ],
)
def test_what_would_be_another_thing_in_one_module_is_refused(other: str, why: str):
    """Whoever writes it learns it from a test, not from a page that stays blank."""
    modules = {
        "app.js": 'import "./base.js";\nimport "./other.js";\n',
        "base.js": "export const base = 1;\n",
        "other.js": other,
    }
    with pytest.raises(ValueError, match=why):
        bundled(modules, "app.js")


def test_the_page_names_its_parts_by_what_is_in_them():
    """A browser that has one asks for it no more, and one that has an old one asks at once."""
    page = shell()[""].body.decode()
    for name in ("app.css", "app.js"):
        assert f'"{name}?v={shell()[name].tag}"' in page
    assert set(re.findall(r'"([a-z/]+\.js)', page)) == {"app.js"}
    assert shell()["base.js"].body.decode().endswith(f'from "./app.js?v={shell()["app.js"].tag}";\n')
    own = (STATIC / "pages/timeline.js").read_bytes()
    assert shell()["pages/timeline.js"].body == own


def test_what_was_heard_cannot_end_the_block_that_holds_it():
    """A room may have any name."""
    came = {"api/house": {"node": "</script><script>alert(1)</script>"}}
    assert came_with(front(came)) == came


def came_with(page: bytes) -> Any:
    """The answers within the page."""
    block = re.search(rb'<script id="came" type="application/json">(.*?)</script>', page)
    assert block is not None
    return json.loads(block[1])
