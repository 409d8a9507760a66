"""An index that is made anew beside the old one, and takes its place.

Until then the old one answers. `switch` copies the new pages into the old file as SQLite copies a backup: in WAL
mode that is a transaction like any other, so who reads keeps what he began with, and a process that is killed, or a
disk that is full, leaves the old index whole. To put a new file in the place of the old one would take away the log
of those who have it open; so that is done only with one that is damaged, by `put_in_place`.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from ragqa.database import closed_to_others, has_log, log_of, remove_beside, writing
from ragqa.document import DocumentRecord
from ragqa.errors import FingerprintMismatch, IndexDamaged
from ragqa.files import file_at, keep_names
from ragqa.store.opening import create_index
from ragqa.store.salvage import begun_to_keep
from ragqa.store.schema import connect, errors_explained
from ragqa.store.sqlite import SQLiteStore
from ragqa.types import Vector

# What is remembered of a file, and changes without its text.
REMEMBERED = "mtime_ns, inode, stale, indexed_at"


def place_beside(path: Path) -> Path:
    """Where an index is made anew."""
    return path.with_name(f"{path.name}.reindexing")


def open_beside(
    path: Path, *, fingerprint: str, model: str, dim: int, centre: Callable[[], Vector] | None = None
) -> SQLiteStore:
    """The index beside another, made if there is none; one that was begun for another model, or is damaged, goes."""
    beside = place_beside(path)
    try:
        return create_index(beside, fingerprint=fingerprint, model=model, dim=dim, centre=centre)
    except (FingerprintMismatch, IndexDamaged):
        remove(beside)
        return create_index(beside, fingerprint=fingerprint, model=model, dim=dim, centre=centre)


def open_anew(path: Path, about: Mapping[str, str]) -> SQLiteStore:
    """A new index beside a damaged one, made as that was.

    Args:
        about: What the damaged one says of itself.
    """
    new = path.with_name(f"{path.name}.repairing")
    remove(new)  # left by a process that was killed

    def centre() -> Vector:
        return np.frombuffer(base64.b64decode(about["centre"]), "<f4")

    return create_index(
        new, fingerprint=about["fingerprint"], model=about["model"], dim=int(about["dim"]), centre=centre
    )


def switch(new: Path, path: Path) -> None:
    """Put what is in the index `new` into the one at `path`, all of it or nothing, and remove `new`.

    What is remembered of files, and which ones were refused, stays as it is at `path`.

    Raises:
        IndexLocked, NotWritable: The one at `path` is as it was.
    """
    with errors_explained(path), closing(connect(new, apsw.SQLITE_OPEN_READWRITE)) as source:
        _take_over(source, path)
        with closing(connect(path, apsw.SQLITE_OPEN_READWRITE)) as target:
            _match_pages(source, target)
            with target.backup("main", source, "main") as backup:
                backup.step()
            target.set_busy_timeout(0)
            target.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # or later, when nobody reads what was there before
    remove(new)


def _take_over(new: apsw.Connection, path: Path) -> None:
    """Have a new index remember what the one at `path` does."""
    new.execute("ATTACH ? AS old", (os.fspath(path),))
    with writing(new):
        new.execute(
            f"UPDATE documents SET ({REMEMBERED}) ="
            f" (SELECT {REMEMBERED} FROM old.documents o WHERE o.id = documents.id)"
        )
        new.execute("DELETE FROM refused")
        new.execute("INSERT INTO refused SELECT * FROM old.refused")
    new.execute("DETACH old")


def put_in_place(new: Path, path: Path) -> Path:
    """Put the index `new` in the place of a damaged one, which is kept; returns its new path.

    The damaged one and its log first get a second name. Then the log loses its first one, which would make it the
    log of the new index. Killed after that, the index is without its log until the next repair finds the second name.

    Raises:
        IndexLocked: Another process has the damaged one open, and would remove the log of the new one when it ends.
    """
    with errors_explained(path), closed_to_others(path):
        with closing(connect(new, apsw.SQLITE_OPEN_READWRITE)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        remove_beside(new)
        damaged = begun_to_keep(path) or _kept(path)
        if has_log(path) and file_at(log_of(path)) != file_at(log_of(damaged)):
            log_of(damaged).unlink(missing_ok=True)  # an empty one, or it would be the same
            os.link(log_of(path), log_of(damaged))
        keep_names(path.parent)
        remove_beside(path)
        new.rename(path)
        keep_names(path.parent)
    return damaged


def _kept(path: Path) -> Path:
    """A second name of a damaged index."""
    moment = datetime.now(UTC)
    while (damaged := path.with_name(f"{path.name}.damaged-{moment:%Y%m%dT%H%M%SZ}")).exists():
        moment += timedelta(seconds=1)  # two repairs within a second
    os.link(path, damaged)
    return damaged


def remember(
    new: Path, records: Iterable[DocumentRecord], refused: Sequence[Sequence[Any]], about: Mapping[str, str]
) -> None:
    """Have a new index remember of each file what was known, which files were refused, and how it was calibrated."""
    rows = [(r.mtime_ns, r.inode, r.stale, r.indexed_at, r.id) for r in records]
    with errors_explained(new), closing(connect(new, apsw.SQLITE_OPEN_READWRITE)) as db, writing(db):
        db.executemany(f"UPDATE documents SET ({REMEMBERED}) = (?, ?, ?, ?) WHERE id = ?", rows)
        db.executemany("INSERT OR IGNORE INTO refused VALUES (?, ?, ?, ?, ?, ?, ?, ?)", refused)
        db.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", about.items())


def _match_pages(source: apsw.Connection, target: apsw.Connection) -> None:
    """Pages are copied as they are, so they have to be of one size."""
    size = target.pragma("page_size")
    if source.pragma("page_size") != size:
        source.pragma("journal_mode", "delete")
        source.pragma("page_size", size)
        source.execute("VACUUM")


def remove(path: Path) -> None:
    """Remove an index with what SQLite keeps beside it."""
    remove_beside(path)
    path.unlink(missing_ok=True)
