"""What `ragqa index` does last: see that support means in this index what it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragqa.cli.progress import counting_progress
from ragqa.errors import IndexLocked

if TYPE_CHECKING:
    from ragqa.embed import Embedder
    from ragqa.store.sqlite import SQLiteStore


def calibrate_if_due(store: SQLiteStore, embedder: Embedder, k: int, quiet: bool) -> list[str]:
    """Calibrate an index that has changed enough; a few seconds at most.

    Returns:
        Notes for a person: why it was not done, where it should have been. The documents are indexed all the same.
    """
    from ragqa.calibrate import calibrate, is_due

    if not is_due(store):
        return []
    try:
        with counting_progress("calibrating", quiet) as progress:
            calibrate(store, embedder=embedder, k=k, progress=progress)
    except IndexLocked as error:
        return [f"not calibrated: {error.message}; the next `ragqa index` does it"]
    return []
