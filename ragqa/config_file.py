"""A configuration file: TOML, which is read and of which single keys are written."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from shlex import quote
from typing import Any

from ragqa.errors import UsageError
from ragqa.files import new_file, private_folder

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
        hint = f"mend it there, or put it aside: mv {quote(str(path))} {quote(str(path))}.damaged"
        raise UsageError(f"{path}: cannot be read as TOML: {error}", hint) from error


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
    mode = stat.S_IMODE(place.stat().st_mode) if place.exists() else 0o600
    with new_file(place, mode) as file:
        file.write(tomlkit.dumps(document).encode())
