"""Folders → the files in them that can be read, and what was passed over."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragqa.errors import UsageError
from ragqa.read.formats import format_named


@dataclass(frozen=True, slots=True)
class Found:
    """A file to look at, and the folder it was found under."""

    path: Path
    root: Path


def find_files(roots: Sequence[Path], glob: str | None) -> tuple[list[Found], list[tuple[Path, str]]]:
    """The files under the roots that can be read, in order, and what was passed over with its reason.

    Hidden files and folders are not looked at; links are not followed. Without a glob, files of unknown
    formats found in folders are not counted at all: a folder of notes may hold pictures.
    """
    found: dict[Path, Found] = {}
    skipped: list[tuple[Path, str]] = []
    for root in roots:
        if root.is_dir():
            for path, reason in _walk(root, glob):
                if reason:
                    skipped.append((path, reason))
                else:
                    found.setdefault(path, Found(path, root))
        else:
            found.setdefault(root, Found(root, root.parent))
    return list(found.values()), skipped


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
    if root.is_relative_to("/proc") or root.is_relative_to("/sys"):
        raise UsageError(f"{path}: no place for documents", hint)
    return root


def _walk(root: Path, glob: str | None) -> Iterator[tuple[Path, str]]:
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield folder, (error.strerror or "cannot be opened").lower()
            continue
        folders = [Path(e.path) for e in entries if e.is_dir(follow_symlinks=False) and not e.name.startswith(".")]
        pending += reversed(folders)
        for entry in entries:
            if entry.name.startswith(".") or entry.is_dir(follow_symlinks=False):
                continue
            wanted = _matches(Path(entry.path), root, glob)
            if entry.is_symlink():
                if wanted or entry.is_dir():
                    yield Path(entry.path), "link not followed"
            elif not entry.is_file(follow_symlinks=False):
                yield Path(entry.path), "not a regular file"
            elif wanted:
                yield Path(entry.path), ""


def _matches(path: Path, root: Path, glob: str | None) -> bool:
    if glob is None:
        return format_named(path) is not None
    relative = str(path.relative_to(root))
    patterns = (glob, glob.removeprefix("**/"))  # `**/` also stands for no folder at all
    return any(fnmatch.fnmatch(path.name, p) or fnmatch.fnmatch(relative, p) for p in patterns)
