"""The layout of the house: imports run one way, optional packages stay in functions, and files stay small."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import pytest

import song2vec

PACKAGE = Path(song2vec.__file__).parent
# Data flows this way; a room imports only from rooms before it. cli stands on the package itself.
FLOW = (
    "core",
    "catalogue",
    "listens",
    "sessions",
    "nn",
    "vectors",
    "search",
    "ratings",
    "models",
    "playlists",
    "maps",
    "evaluation",
    "engine",
    "testing",
    "__init__",
    "cli",
)
OPTIONAL = ("openTSNE", "torch", "pandas", "pyarrow", "optuna", "implicit", "voyager", "usearch", "onnx", "onnxruntime")
OPTIONAL_ROOMS = {  # loaded by name only, or by each other, so that they may import these
    "song2vec.nn": ("torch",),
    "song2vec.ratings.rrn": ("torch",),
    "song2vec.models.networks": ("torch",),
    "song2vec.models.networks.recurrent": ("torch",),
    "song2vec.models.networks.gru4rec": ("torch",),
    "song2vec.models.networks.candidates": ("torch",),
    "song2vec.models.networks.autoencoder": ("torch",),
}
# modules of these rooms that do without, so that anyone may import them
LIGHT = ("song2vec.nn.trainer", "song2vec.nn.checkpoint", "song2vec.core.simd")
UNPICKLERS = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")
LONGEST = 350  # lines: then a room is to be split
MEDIAN = range(90, 141)  # lines


@dataclass(frozen=True)
class Import:
    """One import: the module that says it, where, and the module it means."""

    module: str
    line: int
    target: str
    in_function: bool

    def __str__(self) -> str:
        return f"{self.module}, line {self.line}, imports {self.target}"


def modules(package: Path) -> dict[str, Path]:
    """Dotted names of all modules of a package -> files; ``p.room.__init__`` is the ``__init__.py`` of a room."""
    files = sorted(package.rglob("*.py"))
    return {".".join((package.name, *file.relative_to(package).with_suffix("").parts)): file for file in files}


def imports(package: Path) -> list[Import]:
    """All imports of a package, those inside functions too; of its own modules, and of others by their full names."""
    known = modules(package)
    return [
        Import(module, node.lineno, target, in_function)
        for module, file in known.items()
        for node, in_function in _import_nodes(_tree(file))
        for target in _targets(node, module, known)
    ]


def _tree(file: Path) -> ast.Module:
    return _parsed(file.read_text(encoding="utf-8"))


_parsed = cache(ast.parse)


def _import_nodes(tree: ast.AST, in_function: bool = False) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, in_function
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for_types = isinstance(node, ast.If) and _is_name(node.test, "TYPE_CHECKING")
        yield from _import_nodes(node, in_function or lazy or for_types)


def _targets(node: ast.Import | ast.ImportFrom, module: str, known: dict[str, Path]) -> list[str]:
    if isinstance(node, ast.Import):
        return [_as_module(alias.name, known) for alias in node.names]
    base = node.module or ""
    if node.level:  # from . import x
        parents = module.split(".")[: -node.level]
        base = ".".join([*parents, base] if base else parents)
    return [_as_module(f"{base}.{alias.name}", known, base) for alias in node.names]


def _as_module(name: str, known: dict[str, Path], otherwise: str | None = None) -> str:
    """A dotted name as the module it is; a name within a module means that module."""
    for candidate in (name, f"{name}.__init__", otherwise, f"{otherwise}.__init__"):
        if candidate in known:
            return str(candidate)
    return name


def room(module: str) -> str:
    """``song2vec.search.base`` -> ``search``."""
    return module.split(".")[1]


def own(package: Path) -> list[Import]:
    """The imports of a package's own modules."""
    return [found for found in imports(package) if found.target.split(".")[0] == package.name]


def running_back(package: Path, flow: tuple[str, ...]) -> list[str]:
    """The imports that run against the flow."""
    return [str(found) for found in own(package) if flow.index(room(found.target)) > flow.index(room(found.module))]


def circles(package: Path) -> list[str]:
    """The circles among the modules of a package: each as its modules, from the first of them back to it."""
    reached: dict[str, list[str]] = {}
    for found in own(package):
        reached.setdefault(found.module, []).append(found.target)
    closed: set[str] = set()
    rings: list[str] = []

    def walk(module: str, trail: list[str]) -> None:
        if module in trail:
            rings.append(" -> ".join([*trail[trail.index(module) :], module]))
        elif module not in closed:
            for target in reached.get(module, []):
                walk(target, [*trail, module])
            closed.add(module)

    for module in modules(package):
        walk(module, [])
    return rings


def eager_imports(package: Path, names: tuple[str, ...]) -> list[str]:
    """Imports of these packages outside functions, but for those that a room of theirs may import."""
    eager = [found for found in imports(package) if not found.in_function]
    allowed = {(room, name) for room, packages in OPTIONAL_ROOMS.items() for name in packages}
    names_of = [(found, found.module.rpartition(".")[0], found.target.split(".")[0]) for found in eager]
    return [str(one) for one, inside, name in names_of if name in names and ((inside, name) not in allowed or one.module in LIGHT)]


def entered(package: Path, rooms: Iterable[str]) -> list[str]:
    """Imports of what is in these rooms from outside of all of them, outside functions."""
    within = tuple(f"{room}." for room in rooms)

    def inside(module: str) -> bool:
        return module.startswith(within) and module not in LIGHT

    eager = [found for found in imports(package) if not found.in_function]
    return [str(found) for found in eager if inside(found.target) > inside(found.module)]


def prints(package: Path, allowed: tuple[str, ...]) -> list[str]:
    """Calls of ``print`` outside these rooms."""
    return [where for module, where, call in _nodes(package, ast.Call) if room(module) not in allowed and _is_name(call.func, "print")]


def asserts(package: Path, allowed: tuple[str, ...] = ()) -> list[str]:
    """``assert`` statements outside these rooms: they are gone under ``python -O``, and their error is not ours."""
    return [where for module, where, _ in _nodes(package, ast.Assert) if room(module) not in allowed]


def unpickles(package: Path) -> list[str]:
    """Imports of what executes the files it loads, and ``allow_pickle=`` anything but False."""
    found = [str(one) for one in imports(package) if one.target.split(".")[0] in UNPICKLERS]
    for _, where, keyword in _nodes(package, ast.keyword):
        if keyword.arg == "allow_pickle" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False):
            found.append(f"{where}, allow_pickle")
    return found


def private(package: Path) -> list[str]:
    """Imports of names and modules that begin with an underscore from outside of the folder that they lie in."""
    known = modules(package)
    found = []
    for module, where, node in _nodes(package, ast.ImportFrom):
        for path in (f"{node.module}.{alias.name}" for alias in node.names):
            folder = _as_module(path, known, node.module).rpartition(".")[0]
            if re.search(r"\._[^_]", path) and path.startswith(f"{package.name}.") and not module.startswith(f"{folder}."):
                found.append(f"{where}, imports {path}")
    return found


def defined_twice(package: Path) -> list[str]:
    """Names that several classes at the top of their modules have."""
    names = [node.name for file in modules(package).values() for node in _tree(file).body if isinstance(node, ast.ClassDef)]
    return sorted(name for name, times in Counter(names).items() if times > 1)


def compiled_elsewhere(package: Path, allowed: tuple[str, ...]) -> list[str]:
    """Uses of numba's own decorators outside these rooms, but for helpers that are compiled into their callers."""
    inline = [call.func for _, _, call in _nodes(package, ast.Call) if any(_is_inline(word) for word in call.keywords)]
    return [
        where
        for module, where, node in _nodes(package, ast.Attribute)
        if node.attr in ("jit", "njit") and _is_name(node.value, "numba") and room(module) not in allowed and node not in inline
    ]


def _is_inline(word: ast.keyword) -> bool:
    return word.arg == "inline" and isinstance(word.value, ast.Constant) and word.value.value == "always"


def parked(package: Path) -> list[str]:
    """Lines that keep arguments of ``fit`` on the object, or learned things of another object."""
    pattern = re.compile(r"\b_aid\b|\b_given\b|vars\(self\)\.update")
    return [
        f"{module}, line {number}"
        for module, file in modules(package).items()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def _nodes(package: Path, kind: type[ast.AST]) -> Iterator[tuple[str, str, Any]]:
    for module, file in modules(package).items():
        for node in ast.walk(_tree(file)):
            if isinstance(node, kind):
                yield module, f"{module}, line {getattr(node, 'lineno', '?')}", node


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def lengths(package: Path) -> dict[str, int]:
    """How many lines each file has."""
    return {module: len(file.read_text(encoding="utf-8").splitlines()) for module, file in modules(package).items()}


def too_long(package: Path, longest: int) -> list[str]:
    """Files of more lines than this."""
    return [f"{module} has {length} lines" for module, length in lengths(package).items() if length > longest]


def test_every_module_lies_in_a_room_of_the_flow():
    assert {room(module) for module in modules(PACKAGE)} == set(FLOW)


def test_no_import_runs_back():
    assert running_back(PACKAGE, FLOW) == []


def test_no_imports_form_a_circle():
    assert circles(PACKAGE) == []


def test_only_the_command_line_stands_on_the_package_itself():
    assert {room(found.module) for found in own(PACKAGE) if room(found.target) == "__init__"} == {"cli"}


@pytest.mark.parametrize("blind", ["search", "maps"])
def test_what_searches_and_draws_knows_vectors_but_no_learner(blind):
    seen = {found.target for found in own(PACKAGE) if room(found.module) == blind and room(found.target) == "vectors"}
    assert seen == {"song2vec.vectors.song_vectors"}


def test_optional_packages_are_imported_inside_functions():
    assert eager_imports(PACKAGE, OPTIONAL) == []
    assert entered(PACKAGE, OPTIONAL_ROOMS) == []


def test_importing_the_package_loads_no_optional_package_and_none_that_takes_a_second():
    code = "import sys, song2vec.cli; print(sorted({'openTSNE', 'torch', 'matplotlib.figure', 'gensim'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_only_the_command_line_prints():
    assert prints(PACKAGE, allowed=("cli",)) == []


def test_nothing_is_asserted_but_in_the_batteries():
    assert asserts(PACKAGE, allowed=("testing",)) == []


def test_nothing_is_unpickled():
    assert unpickles(PACKAGE) == []


def test_no_class_name_is_defined_twice():
    assert defined_twice(PACKAGE) == []


def test_arguments_of_fit_are_not_parked_on_the_learner():
    assert parked(PACKAGE) == []


def test_files_are_short():
    assert too_long(PACKAGE, LONGEST) == []
    assert int(median(lengths(PACKAGE).values())) in MEDIAN


def test_helpers_of_a_room_are_imported_by_nobody_else():
    assert private(PACKAGE) == []


def test_what_is_compiled_is_kept_by_our_own_decorators():
    assert compiled_elsewhere(PACKAGE, allowed=("core",)) == []


@pytest.fixture
def planted(tmp_path):
    """Writes a package of these modules, ``first`` before ``second`` in its flow."""

    def plant(**sources: str) -> Path:
        package = tmp_path / "planted"
        for name, text in {"__init__": "", "first": "", "second/__init__": "", "second/inner": ""}.items():
            file = package / f"{name}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(sources.get(name.replace("/", "_"), text))
        return package

    return plant


FLOW_OF_PLANTED = ("first", "second", "__init__")


@pytest.mark.parametrize(
    "source",
    [
        "import planted.second",
        "import planted.second.inner",
        "from planted import second",
        "from planted.second import Thing",
        "from planted.second.inner import Thing",
        "from . import second",
        "from .second import inner",
        "from planted import Thing",
        "def lazily():\n    from planted.second import Thing",
    ],
)
def test_an_import_that_runs_back_is_found(planted, source):
    package = planted(first=source)
    assert len(running_back(package, FLOW_OF_PLANTED)) == 1
    assert running_back(package, FLOW_OF_PLANTED)[0].startswith("planted.first, line ")


@pytest.mark.parametrize(
    "source", ["import planted.first", "from planted.first import a, b", "from ..first import a", "import numpy.second"]
)
def test_an_import_with_the_flow_is_none(planted, source):
    package = planted(second_inner=source)
    assert running_back(package, FLOW_OF_PLANTED) == []
    assert circles(package) == []


def test_a_circle_within_a_room_is_found(planted):
    package = planted(second___init__="from planted.second.inner import Thing", second_inner="from planted.second import Other")
    assert circles(package) == ["planted.second.__init__ -> planted.second.inner -> planted.second.__init__"]


def test_a_package_that_takes_its_own_modules_is_no_circle(planted):
    assert circles(planted(second___init__="from planted.second import inner", second_inner="import planted.first")) == []


def test_an_optional_package_at_the_top_of_a_file_is_found(planted):
    lazy, for_types = "def f():\n    from torch.nn import Module\n    import openTSNE", "if TYPE_CHECKING:\n    import openTSNE"
    package = planted(first="import openTSNE", second_inner=lazy, second___init__=for_types)
    assert eager_imports(package, OPTIONAL) == ["planted.first, line 1, imports openTSNE"]


def test_entering_an_optional_room_is_found(planted):
    package = planted(first="from planted.second import inner\n\ndef f():\n    import planted.second.inner", second_inner="import torch")
    assert entered(package, ["planted.second"]) == ["planted.first, line 1, imports planted.second.inner"]
    assert eager_imports(package, OPTIONAL) == ["planted.second.inner, line 1, imports torch"]


def test_what_does_without_may_be_imported_from_an_optional_room(planted, monkeypatch):
    package = planted(first="from planted.second import inner")
    monkeypatch.setitem(globals(), "LIGHT", ("planted.second.inner",))
    monkeypatch.setitem(OPTIONAL_ROOMS, "planted.second", ("torch",))
    assert entered(package, ["planted.second"]) == []
    (package / "second" / "inner.py").write_text("import torch\nfrom planted.second import heavy")
    (package / "second" / "heavy.py").write_text("")
    assert eager_imports(package, OPTIONAL) == ["planted.second.inner, line 1, imports torch"]
    assert entered(package, ["planted.second"]) == ["planted.second.inner, line 2, imports planted.second.heavy"]


@pytest.mark.parametrize(
    "source", ["import pickle", "from pickle import loads", "def f():\n    import joblib", "load(p, allow_pickle=True)"]
)
def test_a_pickle_is_found(planted, source):
    assert len(unpickles(planted(first=source))) == 1


def test_a_refused_pickle_is_none(planted):
    assert unpickles(planted(first="load(p, allow_pickle=False)")) == []


def test_prints_asserts_and_long_files_are_found(planted):
    package = planted(first="\n\nprint(1)", second_inner="def f(x):\n    assert x\n    console.print(x)")
    assert prints(package, allowed=("second",)) == ["planted.first, line 3"]
    assert asserts(package) == ["planted.second.inner, line 2"]
    assert too_long(package, longest=2) == ["planted.first has 3 lines", "planted.second.inner has 3 lines"]


@pytest.mark.parametrize(
    "source", ["from planted.second.inner import _help", "from planted.second._inner import help", "from planted.second import _inner"]
)
def test_a_helper_of_another_room_is_found(planted, source):
    assert len(private(planted(first=source))) == 1


@pytest.mark.parametrize("source", ["from planted.second import _help", "from . import _help", "from __future__ import annotations"])
def test_a_helper_of_the_same_room_is_none(planted, source):
    assert private(planted(second_inner=source)) == []


def test_a_class_of_the_same_name_is_found(planted):
    package = planted(first="class A: ...\nclass B: ...", second_inner="class B:\n    class A: ...")
    assert defined_twice(package) == ["B"]


def test_compiled_code_that_numba_keeps_is_found(planted):
    package = planted(first="import numba\n\n@numba.njit\ndef f(): ...", second_inner="import numba\nnumba.jit(nopython=True)")
    assert compiled_elsewhere(package, allowed=("first",)) == ["planted.second.inner, line 2"]
    assert compiled_elsewhere(planted(second_inner='import numba\nnumba.njit(inline="always")'), allowed=("first",)) == []


@pytest.mark.parametrize("source", ["self._aid = 3", "_given: int = 3", "vars(self).update(x)"])
def test_parked_arguments_are_found(planted, source):
    assert parked(planted(first=source)) == ["planted.first, line 1"]
    assert parked(planted(first="split_predefined(said_again)")) == []
