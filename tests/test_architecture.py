"""The plan of the house, read from the imports themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ragqa"

FLOORS = (
    (
        *("document", "types", "errors", "config_file", "settings", "sentences", "quotable", "files", "catalogue"),
        *("chat_format", "turn", "memory"),
    ),
    (
        *("embed", "generate", "gguf", "requantize", "heads", "likelihood", "tokens", "manifest", "models", "hub"),
        *("database", "erase", "foreign", "lock", "migrate", "store", "history"),
    ),
    (
        *("read", "walk", "chunk", "terms", "interaction", "retrieve", "answer_type", "evidence", "runs", "span"),
        *("mark", "support", "draw", "whole", "where", "condense", "tally", "prompt", "verify", "write"),
    ),
    ("index", "answer", "chat", "calibrate", "measure", "bundle"),
    ("cli", "warm", "doorway", "doctor"),
)
SEPARATE = 3  # rooms of this floor do not import each other
# But for these: what is measured is what users get.
CONNECTED = {("measure.evaluate", "answer"), ("measure.evaluate", "chat"), ("measure.bench.warm", "answer")}

OWNERS = {
    "sentence_transformers": {"embed.sentence_transformer"},
    "torch": {"embed.sentence_transformer", "embed.peak"},
    "transformers": {"embed.sentence_transformer"},
    "onnxruntime": {"embed.onnx", "embed.peak"},
    "onnx": {"embed.graph", "embed.prepare", "embed.cost", "embed.peak"},
    "llama_cpp": {"generate", "gguf", "likelihood"},
    "tiktoken": {"tokens"},
    "apsw": {
        *("database", "erase", "foreign", "migrate", "history", "history.rows"),
        *("store.sqlite", "store.opening", "store.schema", "store.integrity", "store.fts", "store.nearest"),
        *("store.switch", "store.salvage", "store.remembered", "store.documents"),
    },
    "huggingface_hub": {"hub"},
    "matplotlib": {"measure.bench.plots"},
    "pypdfium2": {"read.pdf", "read.drawn"},
    "openpyxl": {"read.workbook"},
    "pptx": {"read.slides"},
    "docx": set(),  # it writes the files of tests
}
HEAVY = ("torch", "onnxruntime", "llama_cpp", "sentence_transformers", "tiktoken", "prompt_toolkit")


def module_name(path: Path) -> str:
    """`embed.onnx` for ragqa/embed/onnx.py, `embed` for its package, empty for ragqa itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
ROOMS = {name: path for name, path in MODULES.items() if name not in ("", "__main__")}


def imported(path: Path) -> Iterator[str]:
    """Full names of what a module imports, inside functions and for type checking too."""
    for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            assert statement.level == 0, f"{path}: imports are absolute"
            for alias in statement.names:
                full = f"{statement.module}.{alias.name}"
                yield full if full.removeprefix("ragqa.") in MODULES else str(statement.module)


def neighbours(name: str) -> set[str]:
    """The modules of ragqa that a module imports."""
    names = {full.removeprefix("ragqa.") for full in imported(MODULES[name]) if full.startswith("ragqa.")}
    return names & set(ROOMS)


def room(name: str) -> str:
    return name.split(".")[0]


def floor(name: str) -> int:
    (found,) = [n for n, rooms in enumerate(FLOORS) if room(name) in rooms]
    return found


@pytest.mark.parametrize("name", ROOMS)
def test_a_module_imports_from_its_own_floor_or_below(name: str):
    assert {other for other in neighbours(name) if floor(other) > floor(name)} == set()


@pytest.mark.parametrize("name", [name for name in ROOMS if floor(name) == SEPARATE])
def test_the_paths_do_not_import_each_other(name: str):
    beside = {other for other in neighbours(name) if floor(other) == SEPARATE and room(other) != room(name)}
    assert {other for other in beside if (name, other) not in CONNECTED} == set()


def test_there_are_no_circles():
    try:
        TopologicalSorter({name: neighbours(name) for name in ROOMS}).prepare()
    except CycleError as error:
        pytest.fail(f"imports in a circle: {error.args[1]}")


@pytest.mark.parametrize("name", MODULES)
def test_a_heavy_package_has_one_owner(name: str):
    used = {full.split(".")[0] for full in imported(MODULES[name])} & set(OWNERS)
    assert {package for package in used if name not in OWNERS[package]} == set()


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("cli")])
def test_typer_and_rich_stay_at_the_door(name: str):
    assert {full.split(".")[0] for full in imported(MODULES[name])} & {"typer", "rich", "click"} == set()


def test_the_command_line_loads_nothing_heavy():
    if not (PACKAGE / "cli" / "app.py").exists():
        pytest.skip("ragqa.cli.app is not written yet")
    code = f"import sys, ragqa.cli.app; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert loaded.stdout.split() == []
