"""Every path and every default number, and the order in which they are overruled.

Flag > environment > project `.ragqa.toml` > user `config.toml` > default. A project file may have come with
somebody else's folder, so it can name no model and no path outside that folder.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import platformdirs

from ragqa.errors import UsageError
from ragqa.files import MAX_FILE_SIZE

PROJECT_FILE = ".ragqa.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command runs with. Core functions take single values from here, never the whole.

    Attributes:
        home: Folder of index, models and history. 0700.
        config: The user's configuration file; need not exist.
        threads: Processor threads for embedding and generation; 0 means as many as there are cores.
        passages: How many passages are retrieved and offered to the Llama.
        quotes: How many sentences are quoted at most.
        budget: Most tokens of the prompt; 0 leaves it to the size of the model.
        max_answer: Most tokens the Llama may write; 0 leaves it to the number of sentences.
        max_sentences: Most sentences it may write; 0 leaves it to the template.
        min_support: Under this support `ask` abstains, 0 to 1: the share of such questions that the documents answer.
        max_file_size: Bytes; larger files are skipped.
        idle: Minutes without a command after which `ragqa serve` ends; 0: it does not.
    """

    home: Path
    config: Path
    db: Path
    model: str = ""
    embed_model: str = ""
    template: str = "answer"
    threads: int = 0
    passages: int = 5
    quotes: int = 4
    budget: int = 0
    max_answer: int = 0
    max_sentences: int = 0
    min_support: float = 0.5
    max_file_size: int = MAX_FILE_SIZE
    idle: float = 15.0

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def prompts(self) -> Path:
        """The user's own prompt templates; need not exist."""
        return self.config.parent / "prompts"

    @property
    def logs(self) -> Path:
        return self.home / "logs.db"

    @property
    def cores(self) -> int:
        if self.threads > 0:
            return self.threads
        affinity = getattr(os, "sched_getaffinity", None)  # absent on macOS
        return len(affinity(0)) if affinity else os.cpu_count() or 1


CONFIGURABLE = tuple(f.name for f in fields(Settings) if f.name not in ("home", "config"))
ENVIRONMENT = {
    "RAGQA_DB": "db",
    "RAGQA_MODEL": "model",
    "RAGQA_EMBED_MODEL": "embed_model",
    "RAGQA_THREADS": "threads",
}
AT_LEAST_ONE = ("passages", "quotes")
NOT_IN_A_PROJECT = ("model", "embed_model")


def load_settings(environ: Mapping[str, str], directory: Path, flags: Mapping[str, Any] | None = None) -> Settings:
    """Settle every setting for a command run in `directory`.

    Args:
        flags: By setting's name; None values are flags that were not given.

    Raises:
        UsageError: An unknown key, or a value of the wrong type or outside its range.
    """
    home, config = _places(environ)
    settings = Settings(home=home, config=config, db=home / "index.db")
    settings = _overrule(settings, _read_toml(config), config.parent, str(config))
    project = _find_project_file(directory)
    if project:
        settings = _overrule(settings, _project_values(project), project.parent, str(project))
    for variable, name in ENVIRONMENT.items():
        if environ.get(variable):
            settings = _overrule(settings, {name: environ[variable]}, directory, variable)
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    return _overrule(settings, given, directory, "the command line")


def write_setting(config: Path, name: str, value: str) -> None:
    """Set one key of a configuration file, and leave all else in it as it is."""
    import tomlkit

    document = tomlkit.parse(config.read_text(encoding="utf-8")) if config.exists() else tomlkit.document()
    document[name] = value
    config.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = config.with_suffix(".tmp")
    scratch.write_text(tomlkit.dumps(document), encoding="utf-8")
    scratch.replace(config)


def _places(environ: Mapping[str, str]) -> tuple[Path, Path]:
    if environ.get("RAGQA_HOME"):
        home = Path(environ["RAGQA_HOME"]).expanduser().absolute()
        return home, home / "config.toml"
    data = Path(platformdirs.user_data_dir("ragqa", appauthor=False))
    return data, Path(platformdirs.user_config_dir("ragqa", appauthor=False)) / "config.toml"


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as TOML: {error}") from error


def _find_project_file(directory: Path) -> Path | None:
    candidates = (folder / PROJECT_FILE for folder in (directory, *directory.parents))
    return next((path for path in candidates if path.is_file()), None)


def _project_values(path: Path) -> dict[str, Any]:
    values = _read_toml(path)
    for name in NOT_IN_A_PROJECT:
        if name in values:
            raise UsageError(f"{path}: a project file cannot set {name}", f"set {name} in your own config.toml")
    for name in ("db", "template"):
        value = values.get(name)
        if isinstance(value, str) and (name == "db" or value.endswith(".txt")):
            values[name] = str(_inside(path.parent, name, value, str(path)))
    return values


def _inside(folder: Path, name: str, value: str, source: str) -> Path:
    place = (folder / _expanded(value, name, source)).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise UsageError(f"{source}: {name} = {value!r} lies outside the project's folder")
    return place


def _expanded(value: str, name: str, source: str) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{source}: {name} = {value!r}: {error}") from error


def _overrule(settings: Settings, values: Mapping[str, Any], base: Path, source: str) -> Settings:
    changes = {}
    for name, value in values.items():
        if name not in CONFIGURABLE:
            near = difflib.get_close_matches(name, CONFIGURABLE, n=1)
            raise UsageError(f"{source}: unknown setting {name!r}", f"did you mean {near[0]!r}?" if near else "")
        changes[name] = _convert(name, value, getattr(settings, name), base, source)
    return replace(settings, **changes)


def _convert(name: str, value: Any, default: Any, base: Path, source: str) -> Any:
    kind = type(default)
    if isinstance(default, Path):
        if not isinstance(value, str | Path):
            raise UsageError(f"{source}: {name} = {value!r} is not a path")
        return base / _expanded(str(value), name, source)
    try:
        if isinstance(value, bool) or (kind is str and not isinstance(value, str)):
            raise ValueError
        number = kind(value)
        if isinstance(value, float) and number != value:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{source}: {name} = {value!r} is not {_KINDS[kind]}") from None
    least = 1 if name in AT_LEAST_ONE else 0
    if kind is not str and not least <= number <= (1 if name == "min_support" else float("inf")):
        raise UsageError(f"{source}: {name} = {value!r} is out of range")
    return number


_KINDS = {int: "a whole number", float: "a number", str: "a text"}
