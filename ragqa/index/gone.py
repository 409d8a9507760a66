"""Which documents leave the index: their file is no longer there, or is not to be there."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ragqa.document import DocumentRecord
from ragqa.index.summary import HARMLESS
from ragqa.walk import BARRED, Found


def below(root: Path, known: Mapping[str, DocumentRecord]) -> dict[str, DocumentRecord]:
    """The documents whose file lies, or lay, in a folder; none below a file."""
    if not root.is_dir():
        return {}
    return {id: record for id, record in known.items() if is_below(record.path, root)}


def is_below(path: Path, folder: Path) -> bool:
    # As `is_relative_to` says it, and ten times as fast.
    return os.fspath(path).startswith(f"{os.fspath(folder).rstrip('/')}/")


def missing_from(
    roots: Sequence[Path],
    found: Collection[Found],
    known: Mapping[str, DocumentRecord],
    prune: bool,
    notes: list[str],
) -> dict[str, DocumentRecord]:
    """Documents whose file is no longer there, under roots that are.

    A folder that holds nothing at all any more may be a disk that is not mounted: it loses nothing without `prune`.

    Args:
        notes: Is told what was kept.
    """
    there = {file.path for file in found}
    missing: dict[str, DocumentRecord] = {}
    for root in roots:
        within = below(root, known)
        lost = {id: one for id, one in within.items() if one.path not in there and is_gone(one.path)}
        if lost and not prune and not any(is_below(path, root) for path in there):
            notes.append(f"{root}: holds no documents now; {len(lost)} kept, --prune removes them")
        else:
            missing |= lost
    return missing


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
    return os.path.realpath(path) != os.fspath(path)
