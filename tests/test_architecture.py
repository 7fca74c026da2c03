"""The rules of ARCHITECTURE.md, read from the imports of every module, function-level ones included."""

import ast
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = sorted((ROOT / "monitor").rglob("*.py"))
EVERYTHING = [
    p for top in ("monitor", "testkit", "tests", "scripts") for p in sorted((ROOT / top).rglob("*.py"))
]
VOCABULARY = {"audio", "clock", "errors", "http", "labels", "language", "logs", "patience", "schema", "types"}
ALLOWED = {
    "synthesis": set(),
    "sources": set(),
    "native": set(),
    "gate": {"native"},
    "loudness": {"native"},
    "rhythm": {"native"},
    "classifiers": {"native", "rhythm"},
    "events": set(),
    "rules": set(),
    "publishers": set(),
    "notifiers": {"publishers.base"},
    "store": set(),
    "evidence": {"store"},
    "runtime": {"sources.base", "classifiers.base"},
    "config": {
        "sources", "gate", "rhythm", "classifiers", "events", "rules", "publishers", "notifiers", "evidence",
        "store.files",
    },
    "pipeline": {"config", "sources", "gate", "loudness", "rhythm", "classifiers", "events", "rules"},
    "delivery": {"config", "publishers", "notifiers", "store", "runtime"},
    "drill": {"rhythm", "rules", "delivery.deliveries", "store"},
    "history": {"config", "drill", "pipeline", "events", "rules", "store", "evidence", "gate"},
    "teaching": {"config", "history", "events", "rhythm", "classifiers", "store"},
    "recordings": {"config", "pipeline", "sources", "classifiers"},
    "support": {"config", "rules"},
    "web": {
        "support", "config", "classifiers.base", "classifiers.taught", "delivery", "drill", "events",
        "evidence", "gate", "history", "notifiers", "publishers", "rules", "sources", "store", "teaching",
    },
    "app": {"config", "pipeline", "delivery", "history", "runtime", "sources", "teaching", "web"},
}  # fmt: skip
"""What each part may import beside the vocabulary, the demo's sounds (`synthesis`) and itself."""
HEAVY = {
    "torch", "transformers", "onnxruntime", "sounddevice", "av", "paho", "amqtt", "apprise", "matplotlib",
}  # fmt: skip
LOOSE = VOCABULARY - {"http", "language"} | {"app", "__init__", "__main__"}
MOST_LINES, MOST_FUNCTION_LINES, MOST_MODULES, MOST_AT_THE_TOP = 300, 50, 16, 9


@cache
def tree(path: Path) -> ast.Module:
    """A module, parsed once for all tests."""
    return ast.parse(path.read_text(encoding="utf-8"))


def dotted(path: Path) -> str:
    """The name under which a file is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {dotted(path): path for path in EVERYTHING}


def part(path: Path) -> str:
    """The package or module of `monitor` that a file belongs to."""
    return path.relative_to(ROOT / "monitor").parts[0].removesuffix(".py")


def imported(path: Path, *, everywhere: bool = True) -> Iterator[str]:
    """Full names that a file imports: `a.b` and `a.b.c` for `from a.b import c`; top level or everywhere."""
    for node in ast.walk(tree(path)) if everywhere else tree(path).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def modules_imported(path: Path) -> frozenset[str]:
    """The modules of this repository that a file imports; a package only where nothing below it is meant."""
    found = {name for name in imported(path) if name in NAMES}
    below = {".".join(name.split(".")[:depth]) for name in found for depth in range(1, name.count(".") + 1)}
    return frozenset(found - below - {dotted(path)})


@pytest.mark.parametrize("name", sorted({part(path) for path in PRODUCT} - {"cli", "__main__", "__init__"}))
def test_each_part_imports_only_what_is_below_it(name: str) -> None:
    """A source knows nothing of rules, a rule nothing of MQTT: each can be read, and replaced, alone."""
    allowed = {f"monitor.{each}" for each in VOCABULARY | {"synthesis", name} | ALLOWED.get(name, set())}
    for path in (path for path in PRODUCT if part(path) == name):
        for module in modules_imported(path) - {"monitor"}:
            within = any(module == each or module.startswith(each + ".") for each in allowed)
            assert within, f"{path.relative_to(ROOT)} imports {module}"


def test_no_circle_of_imports() -> None:
    """Modules can be read in an order in which each uses only what came before."""
    graph = {dotted(path): modules_imported(path) for path in EVERYTHING}
    assert len([*TopologicalSorter(graph).static_order()]) == len(EVERYTHING)


APART = [
    ("tests", "scripts"),
    ("scripts", "tests"),
    ("testkit", "tests"),
    ("testkit", "scripts"),
    ("monitor", "testkit"),
]


@pytest.mark.parametrize(("below", "above"), APART)
def test_folders_do_not_import_one_another(below: str, above: str) -> None:
    """Tests and scripts share testkit, which knows the product alone."""
    for path in (path for path in EVERYTHING if path.relative_to(ROOT).parts[0] == below):
        assert not [name for name in imported(path) if name.split(".")[0] == above], path


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    """`earwitness --help` and `check` stay quick, and the embedded daemon never imports torch."""
    assert not {name.split(".")[0] for name in imported(path, everywhere=False)} & HEAVY


def test_the_commands_begin_without_what_they_may_never_use() -> None:
    """What is loaded in spite of the imports counts, too: numpy has its random numbers ready as soon as an
    annotation names them, 12 ms and 2 MB."""
    unused = {"numpy.random", "rich.traceback", *HEAVY}
    assert not unused & _loaded("whole_command_line()")


def test_who_listens_loads_no_other_command() -> None:
    """The daemon would keep them all for as long as it runs: 2 MB, and a tenth of what a start takes."""
    loaded = _loaded("command_line(['run'])")
    assert not loaded & {"asyncio", "rich"}
    commands = {name for name in _loaded("whole_command_line()") if name.startswith("monitor.cli.")}
    shared = {"app", "console", "external_files", "listen", "lives", "sigint", "time_zone"}
    assert commands & loaded == {f"monitor.cli.{name}" for name in shared}
    assert len(commands) > 2 * len(shared)


def _loaded(made: str) -> set[str]:
    """The modules that are there when such a command line has been made."""
    program = f"import sys; from monitor.cli.app import *; {made}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_core_has_no_threads() -> None:
    """What hears and decides is plain and synchronous: it can be tried on a file, without a clock."""
    threaded = {part(path) for path in PRODUCT if "threading" in set(imported(path))}
    assert not threaded & {"gate", "loudness", "rhythm", "events", "rules", "pipeline", "config", "labels"}


def test_the_map_names_every_part() -> None:
    """ARCHITECTURE.md lists what there is, and nothing that is not."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    listed = set(re.findall(r"^\| `monitor/([a-z_]+)(?:\.py|/)` \|", text, re.M))
    assert listed == {part(path) for path in PRODUCT} - {"__init__", "__main__"}


def test_the_map_names_only_files_that_exist() -> None:
    """Whoever follows ARCHITECTURE.md arrives."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for name in re.findall(r"`((?:monitor|testkit|scripts|tests|docs)/[\w/.-]*)`", text):
        assert (ROOT / name).exists(), name


def test_the_top_level_holds_the_vocabulary_and_the_daemon() -> None:
    """Everything else lives in a package of one trade."""
    assert {path.stem for path in (ROOT / "monitor").glob("*.py")} == LOOSE
    assert len(LOOSE - {"__init__", "__main__"}) <= MOST_AT_THE_TOP


MEANT_TOO_MUCH = re.compile(r"_?(?:Ears?|Heard|Letter|\w*Listeners?)")
"""Names that stood for several types at once; the glossary has a word for each of them."""


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_type_has_a_name_that_meant_several_things(path: Path) -> None:
    """A word that is a thread here and a model there sends a reader to the wrong file."""
    named = [node.name for node in tree(path).body if isinstance(node, ast.ClassDef)]
    assert not [name for name in named if MEANT_TOO_MUCH.fullmatch(name)]


@cache
def types() -> dict[str, list[tuple[str, str]]]:
    """The public classes and aliases of product and testkit: the modules of each name, and what it is there:
    `class`, `protocol` or `alias`."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in (path for path in EVERYTHING if path.relative_to(ROOT).parts[0] in ("monitor", "testkit")):
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef):
                bases = [ast.unparse(base) for base in node.bases]
                kind = "protocol" if any("Protocol" in base for base in bases) else "class"
                found.setdefault(node.name, []).append((dotted(path), kind))
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if name[0].isupper() and not name.isupper():
                    found.setdefault(name, []).append((dotted(path), "alias"))
    return {name: where for name, where in found.items() if not name.startswith("_")}


def test_no_two_types_have_one_name() -> None:
    """Who looks for a class finds one. A Protocol may be named as the class it stands for; modules may each
    have an alias of the same name (`Floats`), where no class has it."""
    for name, where in types().items():
        kinds = [kind for _, kind in where]
        assert kinds.count("class") <= 1, (name, where)
        assert "class" not in kinds or "alias" not in kinds, (name, where)
        assert "protocol" not in kinds or "class" in kinds or len(kinds) == 1, (name, where)


CARRIES_AN_ALERT = re.compile(r"\b(Alert|Entry|Batch|Publication)\b")


def test_an_alert_wears_four_coats_at_most() -> None:
    """From the rule to the bytes at the broker: what waits (`Entry`), what goes out together (`Batch`), what
    is on its way (`Publication`), and its JSON document. So few places are to be looked at for a lost one."""
    parts = ("pipeline", "runtime", "delivery", "store", "publishers/mqtt")
    files = [path for name in parts for path in sorted((ROOT / "monitor" / name).rglob("*.py"))]
    coats = {name for path in files for name in _coats(path)}
    # A call passes an alert on that nobody has answered: another message, which then waits as an entry.
    assert coats - {"Call"} == {"Entry", "Batch", "Publication"}


def _coats(path: Path) -> Iterator[str]:
    """The dataclasses of a file with a `message` that may be an alert, or with others of these in them."""
    for node in (node for node in tree(path).body if isinstance(node, ast.ClassDef)):
        fields = [ast.unparse(each.annotation) for each in node.body if isinstance(each, ast.AnnAssign)]
        is_value = any("dataclass" in ast.unparse(each) for each in node.decorator_list)
        if is_value and node.name[0] != "_" and any(CARRIES_AN_ALERT.search(field) for field in fields):
            yield node.name


SAME_THING = {
    "_Search": "the kernel's copy of Search",
    "_Shelf": "a Shelf, for a file instead of the page",
    "_RecentSound": "the same of a drill, which may not know the evidence",
    "Background": "kept on disk under this name",
    "Hearing": "kept on disk under this name",
    "Recording": "a file of sound with what is known of it",
    "Room": "a room, in the household of a benchmark",
    "Scene": "sound with what is to be heard in it, here and in the demo",
}
"""Private classes, and those of scripts, that may be called as a public one of the product, and why."""


def test_no_private_class_or_script_borrows_a_public_name() -> None:
    """Who searches for a word of the glossary finds what it means, and not something of the same name."""
    named = {
        name
        for name, where in types().items()
        if any(module.startswith("monitor.") and kind != "alias" for module, kind in where)
    }
    for path in EVERYTHING:
        top, parts = path.relative_to(ROOT).parts[0], path.relative_to(ROOT).parts
        if top not in ("monitor", "scripts") or "tests" in parts:
            continue
        for name in (node.name for node in tree(path).body if isinstance(node, ast.ClassDef)):
            borrowed = name.lstrip("_") in named and (top == "scripts" or name.startswith("_"))
            assert not borrowed or name in SAME_THING, f"{path.relative_to(ROOT)}: {name}"


ARRAY_TYPES = re.compile(r"\b(?:NDArray|ndarray|Tensor|ArrayLike)\b")
AN_ARRAY = re.compile(r"(?:npt?\.)?(?:NDArray|ndarray)\[")
A_SHAPE = re.compile(r"\b[Ss]hapes?\b|\([\w .]+, ?[\w .,]*\)")


@cache
def array_aliases() -> tuple[frozenset[str], frozenset[str]]:
    """Names that modules give an array type: all of them, and those whose docstring says the shape."""
    named: set[str] = set()
    described: set[str] = set()
    for path in EVERYTHING:
        for node, after in itertools.pairwise([*tree(path).body, ast.Pass()]):
            if isinstance(node, ast.Assign) and AN_ARRAY.match(ast.unparse(node.value)):
                name = ast.unparse(node.targets[0])
                named.add(name)
                if isinstance(after, ast.Expr) and "shape" in ast.unparse(after):
                    described.add(name)
    return frozenset(named), frozenset(described)


def arrays_without_a_shape(path: Path) -> Iterator[str]:
    """Public functions and methods of a file that take or return an array and do not say its shape."""
    named, described = array_aliases()
    top = tree(path).body
    classes = [node for node in top if isinstance(node, ast.ClassDef) and node.name[0] != "_"]
    for body in (top, *(node.body for node in classes)):
        for each in (node for node in body if isinstance(node, ast.FunctionDef)):
            arguments = [*each.args.posonlyargs, *each.args.args, *each.args.kwonlyargs]
            types = [ast.unparse(a.annotation) for a in arguments if a.annotation]
            words = re.findall(r"\w+", " ".join([*types, ast.unparse(each.returns) if each.returns else ""]))
            arrays = {word for word in words if ARRAY_TYPES.fullmatch(word) or word in named} - described
            if arrays and each.name[0] != "_" and not A_SHAPE.search(ast.get_docstring(each) or ""):
                yield each.name


def test_the_check_of_shapes_finds_those_without_one(tmp_path: Path) -> None:
    """A shape is written as such, or as a tuple of axes; what is private is not looked at."""
    module = tmp_path / "module.py"
    module.write_text(
        'def a(x: np.ndarray) -> None:\n    """All of them."""\n'
        'def b(x: Sequence[NDArray[T]]) -> None:\n    """Shape (samples,)."""\n'
        'def c() -> Tensor:\n    """(batch, samples) to one."""\n'
        "def _d() -> Tensor: ...\n"
        "class E:\n    def f(self, x: Tensor | None) -> None: ...\n"
    )
    assert [*arrays_without_a_shape(module)] == ["a", "f"]


def test_arrays_in_and_out_say_their_shape() -> None:
    """Here or at the name of their type (`Samples`): nobody has to read the code to call it."""
    own = (path for path in EVERYTHING if "tests" not in path.relative_to(ROOT).parts)
    silent = {str(path.relative_to(ROOT)): [*arrays_without_a_shape(path)] for path in own}
    assert {path: names for path, names in silent.items() if names} == {}


LEAST_EXPLAINED = 0.98
"""Share of what is public that has a docstring of its own. The rest does what its protocol describes, such as
`close` of a source."""


def public(path: Path) -> Iterator[tuple[str, ast.Module | ast.ClassDef | ast.FunctionDef]]:
    """The module, its public classes and functions, and the public methods of those classes."""
    yield dotted(path), tree(path)
    for node in (node for node in tree(path).body if isinstance(node, ast.ClassDef | ast.FunctionDef)):
        if node.name[0] != "_":
            yield node.name, node
            methods = node.body if isinstance(node, ast.ClassDef) else []
            yield from (
                (f"{node.name}.{each.name}", each)
                for each in methods
                if isinstance(each, ast.FunctionDef) and each.name[0] != "_"
            )


def test_what_is_public_says_what_it_is() -> None:
    """A caller reads the first line of a thing, not its code."""
    everything = [(name, node) for path in PRODUCT for name, node in public(path)]
    silent = [(name, node) for name, node in everything if not ast.get_docstring(node)]
    assert not [name for name, node in silent if isinstance(node, ast.Module) or "." not in name]
    assert len(silent) <= (1 - LEAST_EXPLAINED) * len(everything), [name for name, _ in silent]


TUNED = {"events", "gate", "rhythm"}
"""Packages whose numbers decide what is found."""
A_SOURCE = re.compile(
    r"\b(?:[Cc]hosen|[Tt]rials|[Mm]easured|[Bb]y arithmetic|IEC|IEEE|ISO|NFPA|UL)\b"
    r"|scripts[./]bench|tests/|docs/|\w\.c\)|`monitor\.|`_?[A-Z][A-Z_]+`"
)
"""A standard, a measurement, an arithmetic, *chosen* with what breaks, or the place that says it."""


def constants(path: Path) -> Iterator[tuple[str, bool]]:
    """The upper-case names that a module gives a number, each with whether it is written where that comes
    from. What is made of other constants comes from them."""
    body, lines = tree(path).body, path.read_text(encoding="utf-8").splitlines()
    for node, following in itertools.zip_longest(body, body[1:]):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        named = [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
        numbers = [each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant)]
        if not any(type(value) in (int, float) for value in numbers):
            continue
        others = [each.id for each in ast.walk(node.value) if isinstance(each, ast.Name)]
        reason = "\n".join(lines[max(node.lineno - 2, 0) : node.lineno])
        reason = reason if "#" in reason else ""
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            reason += f"\n{following.value.value!s}"
        explained = bool(A_SOURCE.search(reason)) or (
            bool(reason) and any(name.isupper() and len(name) > 1 for name in others)
        )
        yield from ((name, explained) for name in named if name == name.upper())


def test_the_check_of_constants_finds_those_without_a_reason(tmp_path: Path) -> None:
    """A docstring behind a number, or a comment on its line or above, says its source."""
    module = tmp_path / "module.py"
    module.write_text(
        'A_S = 1.0\n"""Chosen: with 2 all is late."""\nB_DB = 2  # ISO 8201\n# as `monitor.gate`\n_C = (3,)\n'
        'D_HZ = 4\n"""How high it is."""\n_E = F = {"g": 5}\nh = 6\nI_HZ = 2 * D_HZ\n"""Twice."""\n'
    )
    assert dict(constants(module)) == {
        "A_S": True,
        "B_DB": True,
        "_C": True,
        "D_HZ": False,
        "_E": False,
        "F": False,
        "I_HZ": True,
    }


@pytest.mark.parametrize("path", [p for p in PRODUCT if part(p) in TUNED], ids=lambda path: path.stem)
def test_every_tuned_constant_says_where_it_comes_from(path: Path) -> None:
    """A number without its standard, its measurement or its reason cannot be changed with confidence."""
    assert not [name for name, explained in constants(path) if not explained]


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    """Every function and method of a file."""
    yield from (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_one_noun_and_a_function_one_thought(path: Path) -> None:
    """No module is longer than 300 lines, no function longer than 50."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    long = [
        each.name for each in functions(path) if (each.end_lineno or 0) - each.lineno >= MOST_FUNCTION_LINES
    ]
    assert not long


def test_a_package_is_one_trade() -> None:
    """No package holds more than 16 modules."""
    folders = {path.parent for path in PRODUCT}
    sizes = {folder: len([p for p in folder.glob("*.py") if p.stem != "__init__"]) for folder in folders}
    assert not {str(folder): size for folder, size in sizes.items() if size > MOST_MODULES}


def test_the_walk_goes_down_the_rooms_in_order() -> None:
    """Each step of *Following one sound* is reached from an earlier step's code, or wired by the daemon."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    walk = text[text.index("## Following one sound") : text.index("A package's `__init__.py`")]
    rooms = [name.split("/")[1] for name in re.findall(r"`(monitor/[\w/.]+)`", walk)]
    once = [room for k, room in enumerate(rooms) if k == 0 or rooms[k - 1] != room]
    core = [room for room in once if room not in ("runtime", "pipeline")]
    assert core == ["sources", "rhythm", "gate", "classifiers", "events", "rules", "delivery", "publishers",
                    "notifiers"]  # fmt: skip
    for earlier, later in itertools.combinations(core, 2):
        imports = {module for path in PRODUCT if part(path) == earlier for module in modules_imported(path)}
        allowed_down = {"delivery"}
        assert earlier in allowed_down or not any(m.startswith(f"monitor.{later}") for m in imports), (
            earlier,
            later,
        )
