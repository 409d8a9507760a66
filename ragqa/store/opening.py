"""How an index is made, opened and refused."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import numpy as np

from ragqa.database import BUSY_MS, create_private
from ragqa.errors import FingerprintMismatch, NoIndex
from ragqa.files import clear_left_behind
from ragqa.lock import Say, silent
from ragqa.store.nearest import EXACT, TABLES, Nearest
from ragqa.store.schema import check_version, connect, errors_explained, make_schema, open_current
from ragqa.store.sqlite import SQLiteStore
from ragqa.types import Vector

PASSAGES = ":passages-"  # in a fingerprint, behind the embedder's: how documents are cut
REINDEX = "`ragqa reindex` makes it anew from the stored text"


def create_index(
    path: Path,
    *,
    fingerprint: str,
    model: str,
    dim: int,
    centre: Callable[[], Vector] | None = None,
    exact: int = EXACT,
    say: Say = silent,
) -> SQLiteStore:
    """Open the index at `path` for writing, and make it first where there is none.

    Args:
        centre: Of the model's token vectors, (dim,); asked for only when the index is new. None: the origin.
        exact: How many passages a search may see and still compares with each.
        say: Is told when an index of an older version was brought up to date.

    Raises:
        FingerprintMismatch: It was made with another model or another way of cutting passages.
    """
    with errors_explained(path):
        create_private(path)
        clear_left_behind(path.parent)
        connection = open_current(path, apsw.SQLITE_OPEN_READWRITE, say=say)
        try:
            make_schema(connection, path, lambda: _about(fingerprint, model, dim, centre))
            store = SQLiteStore(connection, path, exact)
            require_fingerprint(store, fingerprint, model)
        except BaseException:
            connection.close()
            raise
        return store


def index_in_memory(*, fingerprint: str, model: str, dim: int, centre: Callable[[], Vector]) -> SQLiteStore:
    """A new index that no file holds, for documents that are asked once."""
    path = Path(":memory:")
    connection = connect(path, apsw.SQLITE_OPEN_READWRITE)
    make_schema(connection, path, lambda: _about(fingerprint, model, dim, centre))
    return SQLiteStore(connection, path)


def _about(fingerprint: str, model: str, dim: int, centre: Callable[[], Vector] | None) -> dict[str, str]:
    """What a new index remembers of the model it was made with."""
    measured = (centre() if centre else np.zeros(dim)).astype("<f4").tobytes()
    about = {"fingerprint": fingerprint, "model": model, "dim": str(dim)}
    return about | {"centre": base64.b64encode(measured).decode()}


def open_index(path: Path, *, writable: bool = False, patience_ms: int = BUSY_MS, say: Say = silent) -> SQLiteStore:
    """Open an index that exists; one of an older version is first brought up to date.

    Args:
        patience_ms: How long a lock of another process is waited for.
        say: Is told when it was brought up to date.

    Raises:
        NoIndex: There is none.
        IndexDamaged: It is no index, or from a newer version.
    """
    if not path.is_file() or path.stat().st_size == 0:
        raise NoIndex(f"{path}: no index yet", "run `ragqa index FOLDER` first")
    with errors_explained(path):
        if writable:
            clear_left_behind(path.parent)
        flags = apsw.SQLITE_OPEN_READWRITE if writable else apsw.SQLITE_OPEN_READONLY
        connection = open_current(path, flags, patience_ms, say)
        try:
            check_version(connection, path)
            return SQLiteStore(connection, path)
        except BaseException:
            connection.close()
            raise


def require_fingerprint(store: SQLiteStore, fingerprint: str, model: str) -> None:
    """Refuse an embedder, or passages, that are not those of the index: one index holds one kind.

    Raises:
        FingerprintMismatch: They are not.
    """
    require_comparable(store, fingerprint, model)
    if store.fingerprint != fingerprint:
        raise FingerprintMismatch(f"{store.path} holds passages that were cut in another way", REINDEX)


def require_comparable(store: SQLiteStore, fingerprint: str, model: str) -> None:
    """Refuse an embedder whose vectors cannot be compared with the stored ones, however passages were cut."""
    if _of_embedder(store.fingerprint) == _of_embedder(fingerprint):
        return
    if store.model == model:
        raise FingerprintMismatch(f"{store.path} was made with another {model} than the one that is here", REINDEX)
    raise FingerprintMismatch(
        f"{store.path} was made with {store.model}; {model} is asked for, and their vectors cannot be compared",
        f"ask with `--embed-model {store.model}`, or run `ragqa reindex --embed-model {model}`",
    )


def _of_embedder(fingerprint: str) -> str:
    return fingerprint.partition(PASSAGES)[0]


@contextmanager
def scratch(path: Path, dim: int, exact: int = EXACT) -> Iterator[Nearest]:
    """A new file with vectors and their sketches alone, to measure a search without documents."""
    connection = connect(path, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
    try:
        connection.pragma("foreign_keys", False)
        connection.pragma("journal_mode", "wal")
        connection.execute(TABLES)
        yield Nearest(connection, dim, exact)
    finally:
        connection.close()
