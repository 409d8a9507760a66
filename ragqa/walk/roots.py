"""Where a walk begins: files and folders that are there, and whose own path goes through no link."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

from ragqa.errors import UsageError

NO_DOCUMENTS = (Path("/proc"), Path("/sys"), Path("/dev"))


def resolve_roots(paths: Sequence[Path]) -> list[Path]:
    """The files and folders to index, absolute and without links.

    Raises:
        UsageError: One does not exist, or is neither file nor folder.
    """
    return [_root(path) for path in paths]


def _root(path: Path) -> Path:
    hint = "nothing was removed; `ragqa forget` removes documents by hand"
    try:
        root = path.expanduser().resolve(strict=True)
        mode = root.stat().st_mode
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path}: {reason}", hint) from error
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise UsageError(f"{path}: neither a file nor a folder", hint)
    if any(root.is_relative_to(place) for place in NO_DOCUMENTS):
        raise UsageError(f"{path}: no place for documents", hint)
    return root
