"""What `ragqa status` says of an index."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ragqa.errors import RagqaError
from ragqa.lock import holder

if TYPE_CHECKING:
    from ragqa.store.sqlite import SQLiteStore
    from ragqa.types import JSON


def described(store: SQLiteStore) -> JSON:
    """An open index, as `status --json` prints it."""
    from ragqa.database import log_of
    from ragqa.store.schema import SCHEMA_VERSION

    records = store.known().values()
    indexed = sorted(record.indexed_at for record in records)
    return {
        "index": str(store.path),
        "bytes": store.path.stat().st_size,
        "log_bytes": log_of(store.path).stat().st_size if log_of(store.path).exists() else 0,
        "schema": SCHEMA_VERSION,
        "documents": len(records),
        "passages": sum(record.passages for record in records),
        "collections": dict(Counter(record.collection for record in records)),
        "types": dict(sorted(Counter(record.type for record in records).items())),
        "stale": sum(bool(record.stale) for record in records),
        "refused": len(store.refused()),
        "embed_model": store.model,
        "dim": store.dim,
        "fingerprint": store.fingerprint,
        "calibration": asdict(store.calibration) if store.calibration.passages else None,
        "first_indexed": indexed[0] if indexed else None,
        "last_indexed": indexed[-1] if indexed else None,
        "reindexing": _reindexing(store.path),
        "writer": holder(store.path) or None,
    }


def _reindexing(path: Path) -> JSON | None:
    """How far an unfinished `ragqa reindex` has come."""
    from ragqa.store.opening import open_index
    from ragqa.store.switch import place_beside

    try:
        begun = open_index(place_beside(path))
        return {"embed_model": begun.model, "documents": begun.count_documents()}
    except RagqaError:  # there is none, or it will be begun anew
        return None


def damaged_of(db: Path) -> list[Path]:
    """The damaged indexes that `check --repair` kept beside this one."""
    return sorted(db.parent.glob(f"{escape(db.name)}.damaged-*"))
