"""Where a walk begins: files and folders that are there, and whose own path goes through no link."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ragqa.errors import BadInput, UsageError

NO_DOCUMENTS = (Path("/proc"), Path("/sys"), Path("/dev"))
IRREGULAR, BROKEN = "not a regular file", "broken link"

_HINT = "nothing was removed; `ragqa forget` removes documents by hand"


@dataclass(frozen=True, slots=True)
class Roots:
    """What was named.

    Attributes:
        real: The files and folders, absolute and without links.
        through: Where what was named with a link in its path would lie without the link, and where it lies.
        passed: What was named beside them and cannot be looked at, with the reason.
    """

    real: list[Path] = field(default_factory=list)
    through: dict[Path, Path] = field(default_factory=dict)
    passed: list[tuple[Path, str]] = field(default_factory=list)


def resolve_roots(paths: Sequence[Path]) -> Roots:
    """The files and folders to index; where there are others, one that cannot be looked at stops nothing.

    A shell names all that is in a folder, whatever it is; but a path that is not there was meant.

    Raises:
        UsageError: One does not exist, is no place for documents, or none of them can be looked at.
    """
    roots = Roots()
    for path in paths:
        try:
            real = _root(path)
        except BadInput as refused:
            if len(roots.passed) + 1 == len(paths):
                raise UsageError(refused.message, _HINT) from refused
            roots.passed.append((_written(path), refused.reason))
            continue
        roots.real.append(real)
        written = _written(path)
        if written != real and written.resolve() == real:
            roots.through[written] = real
    return roots


def _written(path: Path) -> Path:
    return Path(os.path.normpath(_expanded(path).absolute()))


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # there is no such user; so there will be no such file
        return path


def _root(path: Path) -> Path:
    _require_place(path, _written(path))
    try:
        root = _expanded(path).resolve(strict=True)
        mode = root.stat().st_mode
    except PermissionError as error:
        raise BadInput(f"{path}: {error.strerror}", (error.strerror or "").lower()) from error
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if _expanded(path).is_symlink():
            raise BadInput(f"{path}: {reason}", BROKEN) from error
        raise UsageError(f"{path}: {reason}", _HINT) from error
    _require_place(path, root)
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise BadInput(f"{path}: neither a file nor a folder", IRREGULAR)
    return root


def _require_place(path: Path, place: Path) -> None:
    if any(place.is_relative_to(one) for one in NO_DOCUMENTS):
        raise UsageError(f"{path}: no place for documents", _HINT)
