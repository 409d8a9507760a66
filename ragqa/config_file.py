"""A configuration file: TOML, which is read and of which single keys are written."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from ragqa.errors import UsageError
from ragqa.files import private_folder

TOMLValue = str | int | float | bool


def read_config(path: Path) -> dict[str, Any]:
    """What a file sets, be it known or not; nothing where there is no file.

    Raises:
        UsageError: It is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as TOML: {error}") from error


def write_setting(config: Path, name: str, value: TOMLValue | None) -> None:
    """Set one key of a configuration file, or with None take it out, and leave all else in it as it is.

    Raises:
        UsageError: The file is not TOML; it stays as it is.
    """
    import tomlkit

    read_config(config)
    place = config.resolve()  # it may be a link into a folder of such files
    document = tomlkit.parse(place.read_bytes().decode() if place.exists() else "")
    if value is None:
        document.remove(name)
    else:
        document[name] = value
    private_folder(place.parent)
    scratch = place.with_suffix(f".{os.getpid()}.tmp")
    try:
        scratch.write_bytes(tomlkit.dumps(document).encode())
        if place.exists():
            scratch.chmod(place.stat().st_mode)
        scratch.replace(place)
    finally:
        scratch.unlink(missing_ok=True)
