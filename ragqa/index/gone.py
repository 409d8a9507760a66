"""Which documents leave the index: their file is no longer there, or is not to be there."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ragqa.document import DocumentRecord
from ragqa.index.run import Run
from ragqa.index.summary import HARMLESS
from ragqa.walk import BARRED, Found, Wanted, find_files
from ragqa.walk.roots import Roots

EMPTIED = "empty folder, documents kept"


def is_below(path: Path, folder: Path) -> bool:
    # As `is_relative_to` says it, and ten times as fast.
    return os.fspath(path).startswith(f"{os.fspath(folder).rstrip('/')}/")


def missing_from(roots: Roots, found: Collection[Found], paths: Iterable[Path], run: Run) -> dict[Path, Path | None]:
    """Files that are no longer there, under roots that are, each with the folder that speaks for keeping it.

    A folder that holds nothing at all any more may be a disk that is not mounted: a root without documents, or an empty
    folder below it. None where there is no such folder, and with `prune`. A root that lies behind a link was there
    itself before, perhaps: what lay below it then is looked for in both places.
    """
    there = {file.path for file in found}
    elsewhere = dict.fromkeys(path for path in paths if path not in there)
    missing: dict[Path, Path | None] = {}
    for place, root in (*((root, root) for root in roots.real), *roots.through.items()):
        below = [place] if place in elsewhere else []
        if root.is_dir():
            below += [path for path in elsewhere if is_below(path, place)]
        lost = [path for path in below if is_gone(path)]
        bare = len(lost) == len(below) > 0 and _is_bare(root, there, run.wanted)
        emptied: dict[Path, Path | None] = {}
        for path in lost:
            folder = (root / path.relative_to(place)).parent
            if folder not in emptied:
                emptied[folder] = root if bare else _emptied(folder, root)
            missing[path] = None if run.prune else missing.get(path) or emptied[folder]
    return missing


def _is_bare(root: Path, there: Iterable[Path], wanted: Wanted) -> bool:
    """Whether a root is a folder without documents, whichever of them a run wants."""
    if not root.is_dir() or any(is_below(path, root) for path in there):
        return False
    narrow = wanted.glob is not None or wanted.exclude
    return not (narrow and find_files([root], replace(wanted, glob=None, exclude=()))[0])


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
    """Whether a file is certainly no longer there, or is a folder, or only by way of a link; not if nobody can tell."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return stat.S_ISDIR(mode) or _is_linked(path)


def _is_linked(path: Path) -> bool:
    return os.path.realpath(path) != os.fspath(path)
