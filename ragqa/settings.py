"""Every path and every default number, and the order in which they are overruled.

Flag > environment > project `.ragqa.toml` > user `config.toml` > default. A project file may have come with
somebody else's folder, so it can name no model and no path outside that folder.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import platformdirs

from ragqa.config_file import TOMLValue, read_config
from ragqa.errors import UsageError
from ragqa.files import MAX_FILE_SIZE, READ_SECONDS

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
        read_seconds: That reading one file may take; what takes longer is skipped.
        patience: Seconds to wait for another process that writes the index.
        idle: Minutes without a command after which `ragqa serve` ends; 0: it does not.
        log: Whether questions and answers are kept in the history.
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
    read_seconds: float = READ_SECONDS
    patience: float = 10.0
    idle: float = 15.0
    log: bool = True

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def prompts(self) -> Path:
        """The user's own prompt templates; need not exist."""
        return self.config.parent / "prompts"

    @property
    def logs(self) -> Path:
        return itself(self.home / "logs.db")

    @property
    def typed(self) -> Path:
        """The lines that were typed in conversations; need not exist."""
        return self.home / "chat-lines"

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
    "RAGQA_LOG": "log",
}
AT_LEAST_ONE = ("passages", "quotes")
NOT_IN_A_PROJECT = ("model", "embed_model")


def itself(path: Path) -> Path:
    """The file that a path names through links: what SQLite and ragqa keep beside a file lies beside that one."""
    return Path(os.path.realpath(path))


def settings_without_files(environ: Mapping[str, str]) -> Settings:
    """The defaults, in the places that the environment names: for when a configuration file cannot be read."""
    home, config = _places(environ)
    return Settings(home=home, config=config, db=itself(home / "index.db"))


def load_settings(environ: Mapping[str, str], directory: Path, flags: Mapping[str, Any] | None = None) -> Settings:
    """Settle every setting for a command run in `directory`.

    Args:
        flags: By setting's name; None values are flags that were not given.

    Raises:
        UsageError: An unknown key, or a value of the wrong type or outside its range.
    """
    settings = _defaults(environ)
    for layer in _layers(environ, settings.config, directory):
        settings = _overrule(settings, layer.values, layer.base, layer.source)
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    settings = _overrule(settings, given, directory, "the command line")
    return replace(settings, db=itself(settings.db))


def origins(environ: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Where each setting's value comes from, for a command run in `directory`: `default`, a file or a variable."""
    settings = _defaults(environ)
    place = "RAGQA_HOME" if environ.get("RAGQA_HOME") else "default"
    found = dict.fromkeys(("home", "config"), place) | dict.fromkeys(CONFIGURABLE, "default")
    for layer in _layers(environ, settings.config, directory):
        found |= dict.fromkeys(layer.values, layer.source)
    return found


def config_path(environ: Mapping[str, str]) -> Path:
    """The user's configuration file, whatever is in it; need not exist."""
    return _places(environ)[1]


def parse_setting(name: str, text: str, directory: Path, source: str) -> TOMLValue:
    """The value that a text stands for, as a configuration file holds it; a path is one in `directory`.

    Raises:
        UsageError: There is no such setting, or the text is no value for it.
    """
    nowhere = Settings(home=directory, config=directory, db=directory)
    value = getattr(_overrule(nowhere, {name: text}, directory, source), name)
    return str(value) if isinstance(value, Path) else value


def require_setting(name: str, source: str) -> None:
    """Raise UsageError with the nearest name unless there is such a setting."""
    if name not in CONFIGURABLE:
        near = difflib.get_close_matches(name, CONFIGURABLE, n=1)
        raise UsageError(f"{source}: unknown setting {name!r}", f"did you mean {near[0]!r}?" if near else "")


def unknown_settings(config: Path) -> list[str]:
    """What a configuration file sets although there is no such setting.

    Raises:
        UsageError: It is not TOML.
    """
    return [name for name in read_config(config) if name not in CONFIGURABLE]


@dataclass(frozen=True, slots=True)
class _Layer:
    """What one place sets.

    Attributes:
        source: What errors call the place.
        base: What a path in it is relative to.
    """

    values: Mapping[str, Any]
    base: Path
    source: str


def _defaults(environ: Mapping[str, str]) -> Settings:
    home, config = _places(environ)
    return Settings(home=home, config=config, db=home / "index.db")


def _layers(environ: Mapping[str, str], config: Path, directory: Path) -> Iterator[_Layer]:
    """Each overrules those before it."""
    yield _Layer(read_config(config), config.parent, str(config))
    if project := _find_project_file(directory):
        yield _Layer(_project_values(project), project.parent, str(project))
    for variable, name in ENVIRONMENT.items():
        if environ.get(variable):
            yield _Layer({name: environ[variable]}, directory, variable)


def _places(environ: Mapping[str, str]) -> tuple[Path, Path]:
    if environ.get("RAGQA_HOME"):
        home = Path(environ["RAGQA_HOME"]).expanduser().absolute()
        return home, home / "config.toml"
    data = Path(platformdirs.user_data_dir("ragqa", appauthor=False))
    return data, Path(platformdirs.user_config_dir("ragqa", appauthor=False)) / "config.toml"


def _find_project_file(directory: Path) -> Path | None:
    candidates = (folder / PROJECT_FILE for folder in (directory, *directory.parents))
    return next((path for path in candidates if path.is_file()), None)


def _project_values(path: Path) -> dict[str, Any]:
    values = read_config(path)
    for name in NOT_IN_A_PROJECT:
        if name in values:
            raise UsageError(f"{path}: a project file cannot set {name}", f"set {name} in your own config.toml")
    if values.get("log"):
        raise UsageError(f"{path}: a project file cannot turn the history on", "it can turn it off: log = false")
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
    if "\0" in value:
        raise UsageError(f"{source}: {name} = {value!r} is not a path")
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{source}: {name} = {value!r}: {error}") from error


def _overrule(settings: Settings, values: Mapping[str, Any], base: Path, source: str) -> Settings:
    changes = {}
    for name, value in values.items():
        require_setting(name, source)
        changes[name] = _convert(name, value, getattr(settings, name), base, source)
    return replace(settings, **changes)


def _convert(name: str, value: Any, default: Any, base: Path, source: str) -> Any:
    kind = type(default)
    if kind is bool:
        return _truth(name, value, source)
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


def _truth(name: str, value: Any, source: str) -> bool:
    """Yes or no, as a file (`true`) or a variable (`1`) says it."""
    if isinstance(value, bool):
        return value
    said = value.lower() if isinstance(value, str) else None
    if said in _YES or said in _NO:
        return said in _YES
    raise UsageError(f"{source}: {name} = {value!r} is neither true nor false")


_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_KINDS = {int: "a whole number", float: "a number", str: "a text"}
