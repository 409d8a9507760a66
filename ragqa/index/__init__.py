"""Files → store: what is new or changed is read, cut, embedded and stored; what is gone is removed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ragqa.chunk import VERSION
from ragqa.embed import Embedder
from ragqa.index.intake import Intake
from ragqa.index.summary import Progress, Summary
from ragqa.index.sync import Sync, gone_from
from ragqa.read import Source, read_document
from ragqa.read.apart import Child
from ragqa.read.find import find_files, resolve_roots
from ragqa.store import IndexStore


def fingerprint(embedder: Embedder) -> str:
    """What an index must have been made with to be searched with `embedder`."""
    return f"{embedder.fingerprint}:passages-{VERSION}"


def update_index(
    paths: Sequence[Path],
    *,
    store: IndexStore,
    embedder: Embedder,
    summary: Summary,
    collection: str | None = None,
    glob: str | None = None,
    prune: bool = False,
    max_file_size: int,
    progress: Progress = lambda done, total, summary: None,
) -> None:
    """Bring the index up to date with files and folders.

    Each document is stored in one transaction, so stopping at any moment keeps those that were done.

    Args:
        summary: Filled in as the run goes on.
        collection: Where new documents go; None leaves known ones where they are.
        prune: Also remove the documents of a folder that is now empty.

    Raises:
        UsageError: A path does not exist, or is neither file nor folder.
    """
    started = time.monotonic()
    roots = resolve_roots(paths)
    known = store.known()
    found, skipped = find_files(roots, glob)
    summary.skipped += skipped
    gone = gone_from(roots, found, known, prune, summary)
    with Child() as child, Intake(store, embedder, summary) as intake:
        sync = Sync(store, summary, known, gone, collection, max_file_size, child)
        for done, file in enumerate(found):
            progress(done, len(found), summary)
            document = sync.consider(file)
            if document:
                intake.take(document)
    for document_id in gone:
        store.remove(document_id)
        summary.removed += 1
    summary.seconds = round(time.monotonic() - started, 3)
    progress(len(found), len(found), summary)


def index_sources(
    sources: Mapping[str, Source],
    *,
    store: IndexStore,
    embedder: Embedder,
    progress: Progress = lambda done, total, summary: None,
) -> None:
    """Put what was read into an index, by its ids, whether it came from a file or not.

    Raises:
        BadInput: One holds no text, or is binary; then nothing is stored.
    """
    summary = Summary()
    with Child() as child:
        documents = [read_document(source, id, "default", child) for id, source in sources.items()]
    with Intake(store, embedder, summary) as intake:
        for done, document in enumerate(documents):
            progress(done, len(documents), summary)
            intake.take(document)
    progress(len(documents), len(documents), summary)
