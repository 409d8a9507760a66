"""Store → store: every document cut and embedded anew from its stored text, for another model or another cutting."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from ragqa.chunk import join
from ragqa.document import DocumentRecord
from ragqa.embed import Embedder
from ragqa.index.intake import Intake
from ragqa.index.summary import Progress, Summary
from ragqa.store import IndexStore, VectorStore


def reindex(
    source: VectorStore,
    target: IndexStore,
    *,
    embedder: Embedder,
    summary: Summary,
    progress: Progress = lambda done, total, summary: None,
) -> None:
    """Have `target` hold the documents of `source`, cut and embedded by `embedder`; those that it holds already stay.

    Each document is stored in one transaction, so stopping at any moment keeps those that were done.

    Args:
        summary: Filled in as the run goes on; `unchanged` were done before.
    """
    started = time.monotonic()
    wanted, done = source.known(), target.known()
    for document_id in done:
        if not _is_done(document_id, wanted, done):
            target.remove(document_id)
    with Intake(target, embedder, summary) as intake:
        for count, record in enumerate(wanted.values()):
            progress(count, len(wanted), summary)
            if _is_done(record.id, wanted, done):
                summary.unchanged += 1
            else:
                intake.take(join(record, source.passages_of(record.id)))
    summary.seconds = round(time.monotonic() - started, 3)
    progress(len(wanted), len(wanted), summary)


def _is_done(document_id: str, wanted: Mapping[str, DocumentRecord], done: Mapping[str, DocumentRecord]) -> bool:
    """Whether a document was made anew from what it still is."""
    there, here = wanted.get(document_id), done.get(document_id)
    return there is not None and here is not None and _lasting(there) == _lasting(here)


def _lasting(record: DocumentRecord) -> DocumentRecord:
    """What is the same in both stores: not how it is cut, nor what is only remembered of the file."""
    return replace(record, passages=0, indexed_at="", mtime_ns=0, inode=0, stale="")
