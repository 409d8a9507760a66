"""When files below some folders may have changed: the system's notices, and a look at the folders themselves."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event

from ragqa.walk import Wanted
from ragqa.walk.ignore import IGNORE_FILES

TICK_MS = 1000  # how often the roots themselves are looked at: nobody gives notice of a disk that is mounted
QUIET_MS = 300  # as long as changes follow on one another within this time, they are one
LONGEST_MS = 10_000  # but not for ever

# An index itself, and what is put beside it under its name.
_BESIDE = re.compile(r"(-(wal|shm|journal)|\.lock|\.(schema-|reindexing|repairing|damaged-).*)?", re.DOTALL)

Identity = tuple[int, ...]


def turns(roots: Sequence[Path], wanted: Wanted, but: Path, stop: Event) -> Iterator[list[Path]]:
    """Yield the roots that are there: at once, and whenever something below them may have changed.

    A root that vanishes is waited for; a file is looked at by its time and size.

    Args:
        wanted: Changes of hidden files do not count, unless these are wanted.
        but: An index. Changes of it, and of what lies beside it, do not count either: what is done about a change
            writes it.
        stop: Ends it within a second.
    """
    seen: dict[Path, Identity] = {}
    while not stop.is_set():
        there = _identities(roots)
        if there != seen:
            seen = there
            yield list(there)
        for changed in _notices([root for root in there if root.is_dir()], wanted, but, stop):
            if _identities(roots) != seen:
                break
            if changed:
                yield list(there)


def _identities(roots: Iterable[Path]) -> dict[Path, Identity]:
    """What tells that a root is another one than before; nothing for one that is not there."""
    found: dict[Path, Identity] = {}
    for root in roots:
        try:
            status = root.stat(follow_symlinks=False)
        except OSError:
            continue
        same_file = (status.st_dev, status.st_ino)
        found[root] = same_file if stat.S_ISDIR(status.st_mode) else (*same_file, status.st_size, status.st_mtime_ns)
    return found


def _notices(folders: Sequence[Path], wanted: Wanted, but: Path, stop: Event) -> Iterator[bool]:
    """Whether something has changed, at least once a tick.

    The first one says so in any case: nobody was listening before.
    """
    if not folders:
        while not stop.wait(TICK_MS / 1000):
            yield False
        return
    from watchfiles import watch

    places = [os.fspath(folder) for folder in folders]
    first = True
    for polling in (False, True):  # a system that has no notices left is asked every so often
        try:
            for changes in watch(
                *places,
                watch_filter=lambda _change, path: is_worth_a_look(path, places, wanted, but),
                debounce=LONGEST_MS,
                step=QUIET_MS,
                rust_timeout=TICK_MS,
                yield_on_timeout=True,
                stop_event=stop,
                force_polling=polling,
                poll_delay_ms=TICK_MS,
                ignore_permission_denied=True,
            ):
                yield first or bool(changes)
                first = False
        except OSError:
            if polling or not all(folder.is_dir() for folder in folders):
                break
        else:
            break


def is_worth_a_look(path: str, folders: Iterable[str], wanted: Wanted, but: Path) -> bool:
    """Whether a change of this file can change what is indexed."""
    if path.startswith(os.fspath(but)) and _BESIDE.fullmatch(path[len(os.fspath(but)) :]):
        return False
    for folder in folders:
        if path.startswith(f"{folder.rstrip('/')}/"):
            *above, name = path[len(folder.rstrip("/")) + 1 :].split("/")
            hidden = any(part.startswith(".") for part in above) or (name.startswith(".") and name not in IGNORE_FILES)
            return not hidden or wanted.hidden
    return True
