"""Which documents leave the index: their file is no longer there, or is not to be there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ragqa.document import DocumentRecord
from ragqa.index.summary import HARMLESS
from ragqa.walk import BARRED, Found

EMPTIED = "empty folder, documents kept"


def is_below(path: Path, folder: Path) -> bool:
    # As `is_relative_to` says it, and ten times as fast.
    return os.fspath(path).startswith(f"{os.fspath(folder).rstrip('/')}/")


def missing_from(
    roots: Sequence[Path], found: Collection[Found], paths: Iterable[Path], prune: bool
) -> dict[Path, Path | None]:
    """Files that are no longer there, under roots that are, each with the folder that speaks for keeping it.

    A folder that holds nothing at all any more may be a disk that is not mounted: a root without documents, or an empty
    folder below it. None where there is no such folder, and with `prune`.
    """
    there = {file.path for file in found}
    elsewhere = [path for path in paths if path not in there]
    missing: dict[Path, Path | None] = {}
    for root in roots:
        lost = [path for path in elsewhere if is_below(path, root) and is_gone(path)] if root.is_dir() else []
        bare = bool(lost) and not any(is_below(path, root) for path in there)
        emptied: dict[Path, Path | None] = {}
        for path in lost:
            if path.parent not in emptied:
                emptied[path.parent] = root if bare else _emptied(path.parent, root)
            missing[path] = None if prune else missing.get(path) or emptied[path.parent]
    return missing


def kept_notes(folders: Iterable[Path]) -> list[str]:
    """What is said of the folders that documents are kept for; each comes once for each of its documents."""
    kept = Counter(folders).items()
    return [f"{folder}: holds no documents now; {count} kept, --prune removes them" for folder, count in kept]


def _emptied(folder: Path, root: Path) -> Path | None:
    """The first folder from here up that is there, if it lies below the root and there is nothing in it."""
    while is_below(folder, root):
        try:
            with os.scandir(folder) as inside:
                return folder if next(inside, None) is None and not _is_linked(folder) else None
        except (FileNotFoundError, NotADirectoryError):
            folder = folder.parent
        except OSError:
            return None
    return None


def barred_from(
    known: Iterable[DocumentRecord], found: Collection[Found], passed: Iterable[tuple[Path, str]]
) -> list[DocumentRecord]:
    """Documents whose file, or a folder above it, has become ignored or secret since they were indexed."""
    barred = {path: reason for path, reason in passed if reason in BARRED}
    return [record for record, _reason in _under(barred, known, found)]


def out_of_reach(
    known: Iterable[DocumentRecord], found: Collection[Found], passed: Iterable[tuple[Path, str]]
) -> list[tuple[DocumentRecord, str]]:
    """Documents whose file cannot be looked at now, or one of the folders above it, and why."""
    closed = {path: reason for path, reason in passed if reason not in HARMLESS | BARRED}
    return [(record, reason) for record, reason in _under(closed, known, found) if not is_gone(record.path)]


def _under(
    places: Mapping[Path, str], known: Iterable[DocumentRecord], found: Collection[Found]
) -> Iterator[tuple[DocumentRecord, str]]:
    """Each document at or below one of the places that was not found, with what is said of the place."""
    there = {file.path for file in found} if places else set()
    for record in known if places else ():
        at = next((path for path in (record.path, *record.path.parents) if path in places), None)
        if at and record.path not in there:
            yield record, places[at]


def is_gone(path: Path) -> bool:
    """Whether a file is certainly no longer there, or only by way of a link; not where nobody can tell."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return _is_linked(path)


def _is_linked(path: Path) -> bool:
    return os.path.realpath(path) != os.fspath(path)
