"""Who may read whom in src/gatelab, and what may stand there at all; the map is in CONTRIBUTING.md.

Every check takes the folder of a package and returns its findings as sentences, so that the last test
can show each of them a small package that breaks its rule.
"""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "gatelab"

PLAIN = {"axes", "errors"}
BASE = PLAIN | {"settings", "whole", "npy"}
LANGUAGE = {"graph", "passes", "cells"}
MACHINE = {"engine", "nn", "export"}
LABORATORY = {"data", "tasks", "train", "search", "models", "papers", "bench"}
GALLERY = {"stats", "draw", "report"}
EVERYTHING = BASE | LANGUAGE | MACHINE | LABORATORY | {"runs"} | GALLERY | {"cli"}

# A room is a folder of src/gatelab, or a module beside them; every room may read itself.
MAY_READ = {
    "axes": set(),
    "errors": set(),
    "settings": {"errors"},
    "whole": set(),
    "npy": {"errors"},
    "graph": PLAIN,
    "passes": PLAIN | {"graph"},
    "cells": PLAIN | {"graph", "passes"},
    "engine": BASE | {"graph", "passes"},
    "nn": BASE | LANGUAGE | {"engine"},
    "export": BASE | LANGUAGE | {"engine", "nn"},
    "data": BASE,
    "tasks": BASE | LANGUAGE | {"nn", "data", "runs", "stats"},
    "train": BASE | LANGUAGE | {"engine", "nn", "data", "tasks", "runs", "stats"},
    "search": BASE | LANGUAGE | {"nn", "data", "tasks", "train", "runs"},
    # models put the parts of a network together for export, which knows layers and heads but no tasks
    "models": BASE
    | LANGUAGE
    | {"engine", "nn", "export", "data", "tasks", "train", "search", "runs", "stats"},
    "papers": BASE | LANGUAGE | {"nn", "data", "tasks", "train", "search", "runs"},
    "bench": BASE | LANGUAGE | {"engine", "nn", "data", "tasks", "train", "search", "runs"},
    "runs": BASE | {"graph"},
    "stats": BASE,
    "draw": BASE | LANGUAGE | {"runs", "stats"},
    "report": BASE | LANGUAGE | {"runs", "stats", "draw"},
    "cli": EVERYTHING,
    "__init__": EVERYTHING - {"cli"},
    "__main__": {"cli"},
}
STANDARD_LIBRARY_ONLY = LANGUAGE | PLAIN
# Read inside functions only, so that `gatelab --help` is there at once.
LATE_IN_CLI = EVERYTHING - BASE - LANGUAGE - {"runs", "cli"}
HOMES = {
    "torch": {"engine", "nn", "export", "tasks", "train", "search", "papers", "bench", "models"},
    "jax": {"bench"},
    "torchrecurrent": {"bench"},
    "safetensors": {"train", "export", "models"},
    "scipy.io": {"data"},
    "pooch": {"data"},
    "symusic": {"data"},
    "soundfile": {"data"},
    "kaldi_native_fbank": {"data"},
    "polars": {"data"},
    "defusedxml": {"data"},
    "sacrebleu": {"stats"},
    "onnx": {"export"},
    "pydantic": {"runs"},
    "optuna": {"runs"},
    "sqlalchemy": {"runs"},
    "psycopg": {"runs"},
    "ray": {"search"},
    "altair": {"draw", "report"},
    "vl_convert": {"draw", "report"},
    "jinja2": {"report"},
    "typer": {"cli"},
    "rich": {"cli"},
    "platformdirs": {"settings"},
}
NEVER_IMPORTED = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
NEVER_CALLED = {"exec", "eval", "builtins.exec", "builtins.eval", "torch.load", "torch.save", "yaml.load"}
NEVER_NAMED = {"utils", "util", "helpers", "helper", "common", "misc", "base"}
LONGEST = 400
LONGER: set[str] = set()  # files that may be, as paths below src/gatelab; empty, and better so

PUBLIC_NAMES = [
    "Cell",
    "Classifier",
    "Forecaster",
    "GatelabError",
    "Labeller",
    "Recurrent",
    "cell",
    "cells",
    "exp",
    "hidden_size_for",
    "layer_norm",
    "linear",
    "load",
    "log",
    "maximum",
    "mean",
    "minimum",
    "mix",
    "nn",
    "parameter_count",
    "peephole",
    "relu",
    "sigmoid",
    "sqrt",
    "step",
    "stream",
    "tanh",
]


class Import(NamedTuple):
    """One imported module or name, with whether it is read when its file is."""

    target: str
    line: int
    at_module_level: bool


class Module(NamedTuple):
    """A file of the package: dotted name, path below the package, syntax tree, imports."""

    name: str
    path: str
    room: str
    tree: ast.Module
    imports: list[Import]


@cache
def modules(source: Path) -> list[Module]:
    """Read every Python file of the package in the folder ``source``."""
    return [read(source, file) for file in sorted(source.rglob("*.py"))]


def read(source: Path, file: Path) -> Module:
    path = file.relative_to(source)
    parts = (source.name, *path.with_suffix("").parts)
    package = parts[:-1]
    name = ".".join(package if file.stem == "__init__" else parts)
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    late = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    imports = [
        Import(target, node.lineno, id(node) not in late)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for target in targets(node, package)
    ]
    return Module(name, str(path), path.parts[0].removesuffix(".py"), tree, imports)


def targets(node: ast.Import | ast.ImportFrom, package: tuple[str, ...]) -> list[str]:
    """Return the absolute dotted names that an import statement inside ``package`` asks for."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    start = package[: len(package) - node.level + 1] if node.level else ()
    module = ".".join((*start, *([node.module] if node.module else [])))
    return [f"{module}.{alias.name}" for alias in node.names]


def is_or_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def rooms_read_only_what_they_may(source: Path) -> Iterator[str]:
    rooms = {module.room for module in modules(source)}
    for module in modules(source):
        if module.room not in MAY_READ:
            yield f"{module.path}: the room {module.room} has no row in MAY_READ"
            continue
        for target, line, at_module_level in module.imports:
            if not is_or_in(target, source.name):
                continue
            room = target.removeprefix(source.name).removeprefix(".").partition(".")[0]
            if room not in rooms | MAY_READ.keys() or room == "__init__":
                yield f"{module.path}:{line}: reads the public face of {source.name}: {target}"
            elif room not in MAY_READ[module.room] | {module.room}:
                yield f"{module.path}:{line}: {module.room} may not read {room}"
            elif module.room == "cli" and at_module_level and room in LATE_IN_CLI:
                yield f"{module.path}:{line}: cli reads {room} outside a function"


def heavy_libraries_have_one_home(source: Path) -> Iterator[str]:
    for module in modules(source):
        for target, line, _ in module.imports:
            library = target.split(".")[0]
            if library in {source.name, "__future__"}:
                continue
            if module.room in STANDARD_LIBRARY_ONLY and library not in sys.stdlib_module_names:
                yield f"{module.path}:{line}: {module.room} is standard library only, not {library}"
            for guest, homes in HOMES.items():
                if is_or_in(target, guest) and module.room not in homes:
                    yield f"{module.path}:{line}: {guest} lives in {', '.join(sorted(homes))}"


def imports_have_no_cycles(source: Path) -> Iterator[str]:
    names = {module.name for module in modules(source)}
    reads = {
        module.name: {
            name
            for target, _, _ in module.imports
            for name in [target if target in names else target.rpartition(".")[0]]
            if name in names and name != module.name
        }
        for module in modules(source)
    }
    try:
        TopologicalSorter(reads).prepare()
    except CycleError as error:
        yield "a cycle of imports: " + " is read by ".join(error.args[1])


def nothing_runs_text_or_pickles(source: Path) -> Iterator[str]:
    for module in modules(source):
        for target, line, _ in module.imports:
            if target.split(".")[0] in NEVER_IMPORTED or target in NEVER_CALLED:
                yield f"{module.path}:{line}: imports {target}"
        aliases = {
            alias.asname: alias.name
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Import)
            for alias in node.names
            if alias.asname
        }
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Name | ast.Attribute):
                first, *others = ast.unparse(node).split(".")
                name = ".".join([aliases.get(first, first), *others])
                if name in NEVER_CALLED:
                    yield f"{module.path}:{node.lineno}: uses {name}"
            elif isinstance(node, ast.keyword) and ast.unparse(node) == "allow_pickle=True":
                yield f"{module.path}:{node.value.lineno}: allows pickles"


def files_are_short(source: Path) -> Iterator[str]:
    for file in sorted(source.rglob("*")):
        path = file.relative_to(source).as_posix()
        if file.suffix in {".py", ".cpp", ".h", ".js", ".css", ".html"} and path not in LONGER:
            lines = len(file.read_text(encoding="utf-8").splitlines())
            if lines > LONGEST:
                yield f"{path}: {lines} lines, more than {LONGEST}: it asks to be split"


def names_say_something(source: Path) -> Iterator[str]:
    for file in sorted(source.rglob("*")):
        if file.stem.strip("_") in NEVER_NAMED:
            yield f"{file.relative_to(source)}: a name that says nothing"


def packages_introduce_themselves(source: Path) -> Iterator[str]:
    for folder in sorted({file.parent for file in source.rglob("*.py")}):
        face = folder / "__init__.py"
        if not face.is_file():
            yield f"{folder.relative_to(source)}: no __init__.py"
        elif not ast.get_docstring(ast.parse(face.read_text(encoding="utf-8"))):
            yield f"{face.relative_to(source)}: no docstring"


CHECKS = [
    rooms_read_only_what_they_may,
    heavy_libraries_have_one_home,
    imports_have_no_cycles,
    nothing_runs_text_or_pickles,
    files_are_short,
    names_say_something,
    packages_introduce_themselves,
]
Check = Callable[[Path], Iterator[str]]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_source(check: Check) -> None:
    findings = list(dict.fromkeys(check(SOURCE)))
    assert not findings, "\n" + "\n".join(findings)


def test_source_is_found() -> None:
    assert {"gatelab", "gatelab.errors", "gatelab.graph"} <= {module.name for module in modules(SOURCE)}


def test_public_names() -> None:
    import gatelab

    assert sorted(gatelab.__all__) == sorted(PUBLIC_NAMES)
    assert all(getattr(gatelab, name) is not None for name in PUBLIC_NAMES)


def test_these_are_read_without_torch() -> None:
    """The other half of the rules above: what these rooms read must not read torch for them."""
    rooms = [room for room in ("cells", "runs", "stats", "draw", "report") if (SOURCE / room).is_dir()]
    code = (
        "import importlib, sys\n"
        f"for room in {[*rooms, 'cli.main']}:\n"
        "    importlib.import_module('gatelab.' + room)\n"
        "    if 'torch' in sys.modules: sys.exit(f'gatelab.{room} reads torch')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


BREACHES: list[tuple[Check, dict[str, str], str]] = [
    (rooms_read_only_what_they_may, {"graph/a.py": "from gatelab.nn import x"}, "graph may not read nn"),
    (rooms_read_only_what_they_may, {"draw/a.py": "from ..nn import x"}, "draw may not read nn"),
    (rooms_read_only_what_they_may, {"draw/a.py": "from .. import nn"}, "draw may not read nn"),
    (
        rooms_read_only_what_they_may,
        {"runs/a.py": "if TYPE_CHECKING:\n    import gatelab.nn.b"},
        "runs/a.py:2: runs may not",
    ),
    (rooms_read_only_what_they_may, {"nn/a.py": "from gatelab import cell"}, "public face of gatelab"),
    (rooms_read_only_what_they_may, {"nn/a.py": "import gatelab"}, "public face of gatelab"),
    (rooms_read_only_what_they_may, {"attic/a.py": ""}, "attic has no row"),
    (rooms_read_only_what_they_may, {"cli/a.py": "import gatelab.nn"}, "cli reads nn outside a function"),
    (heavy_libraries_have_one_home, {"cells/a.py": "import numpy as np"}, "standard library only, not numpy"),
    (heavy_libraries_have_one_home, {"stats/a.py": "def f():\n    from torch import nn"}, "torch lives in"),
    (heavy_libraries_have_one_home, {"nn/a.py": "from scipy import io"}, "scipy.io lives in data"),
    (
        imports_have_no_cycles,
        {"nn/a.py": "from . import b", "nn/b.py": "from gatelab.nn.a import f"},
        "is read by gatelab.nn.a",
    ),
    (imports_have_no_cycles, {"nn/__init__.py": "from .a import f", "nn/a.py": "from . import g"}, "cycle"),
    (nothing_runs_text_or_pickles, {"nn/a.py": "exec('1')"}, "uses exec"),
    (nothing_runs_text_or_pickles, {"nn/a.py": "from pickle import loads"}, "imports pickle.loads"),
    (nothing_runs_text_or_pickles, {"nn/a.py": "import torch as t\nt.load('f')"}, "a.py:2: uses torch.load"),
    (nothing_runs_text_or_pickles, {"nn/a.py": "from yaml import load"}, "imports yaml.load"),
    (nothing_runs_text_or_pickles, {"nn/a.py": "np.load(f, allow_pickle=True)"}, "allows pickles"),
    (files_are_short, {"nn/a.py": "x = 1\n" * 401}, "nn/a.py: 401 lines"),
    (names_say_something, {"nn/utils.py": ""}, "nn/utils.py: a name that says nothing"),
    (packages_introduce_themselves, {"draw/__init__.py": "x = 1"}, "draw/__init__.py: no docstring"),
    (packages_introduce_themselves, {"draw/figures/a.py": ""}, "draw/figures: no __init__.py"),
]


@pytest.mark.parametrize(("check", "files", "finding"), BREACHES)
def test_breach_is_found(check: Check, files: dict[str, str], finding: str, tmp_path: Path) -> None:
    source = tmp_path / "gatelab"
    sound = {f"{room}/__init__.py": '"""A room."""' for room in ("nn", "cli", "draw")}
    sound |= {
        "__init__.py": '"""A package."""\n__version__ = "1"',
        "nn/sound.py": "from gatelab.engine import run\nimport torch\nmodel.eval()\nre.compile('')",
        "cli/sound.py": "import typer\nfrom gatelab.cells import f\ndef f():\n    from gatelab.nn import g",
        "engine/__init__.py": '"""A room."""',
        "cells/__init__.py": '"""A room."""\nimport math',
    }
    write(source, sound)
    assert list(check(source)) == []
    write(source, files)
    modules.cache_clear()
    findings = list(check(source))
    assert len(findings) == 1
    assert finding in findings[0]


def write(source: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text, encoding="utf-8")
