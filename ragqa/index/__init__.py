"""Files → store: what is new or changed is read, cut, embedded and stored; what is gone is removed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ragqa.chunk import VERSION
from ragqa.document import DocumentRecord
from ragqa.embed import Embedder
from ragqa.index.gone import EMPTIED, barred_from, kept_notes, missing_from, out_of_reach
from ragqa.index.intake import Intake
from ragqa.index.run import Run
from ragqa.index.summary import Progress, Summary
from ragqa.index.sync import Sync
from ragqa.read import Source, read_document
from ragqa.read.apart import Child
from ragqa.store import IndexStore
from ragqa.store.opening import PASSAGES
from ragqa.walk import find_files
from ragqa.walk.roots import resolve_roots


def fingerprint(embedder: Embedder) -> str:
    """What an index must have been made with to be searched with `embedder`."""
    return f"{embedder.fingerprint}{PASSAGES}{VERSION}"


def update_index(
    paths: Sequence[Path],
    *,
    store: IndexStore,
    embedder: Embedder,
    summary: Summary,
    run: Run | None = None,
    progress: Progress = lambda done, total, summary: None,
) -> None:
    """Bring the index up to date with files and folders.

    Each document is stored in one transaction, so stopping at any moment keeps those that were done.

    Args:
        summary: Filled in as the run goes on.

    Raises:
        UsageError: A path does not exist, or is neither file nor folder.
    """
    run = run or Run()
    started = time.monotonic()
    roots = resolve_roots(paths)
    known = store.known()
    paths_known = [record.path for record in known.values()]
    found, passed = find_files(roots.real, run.wanted, paths_known)
    passed += roots.passed
    summary.skipped += passed
    if run.wanted.glob and not found:
        summary.notes.append(f"nothing to read fits --glob {run.wanted.glob!r}")
    missing = missing_from(roots, found, paths_known, run)
    gone = {id: record for id, record in known.items() if record.path in missing}
    with Child(run.read_seconds) as child, Intake(store, embedder, summary) as intake:
        sync = Sync(store, summary, run, known, gone, child)
        for done, file in enumerate(found):
            progress(done, len(found), summary)
            document = sync.consider(file)
            if document:
                intake.take(document)
        sync.settle()
    _take_leave(store, summary, missing, sync, barred_from(known.values(), found, passed))
    for record, reason in out_of_reach(known.values(), found, passed):
        store.mark_stale(record.id, reason)
        summary.stale += 1
    vanished = missing_from(roots, found, sync.refused, run)
    store.pardon(path for path, folder in vanished.items() if folder is None)
    summary.seconds = round(time.monotonic() - started, 3)
    progress(len(found), len(found), summary)


def _take_leave(
    store: IndexStore,
    summary: Summary,
    missing: Mapping[Path, Path | None],
    sync: Sync,
    barred: Iterable[DocumentRecord],
) -> None:
    """Remove what is gone and what is not to be there; say of which folders documents are kept."""
    kept = {record.path: folder for record in sync.gone.values() if (folder := missing[record.path])}
    summary.notes += kept_notes(kept.values())
    summary.skipped += [(folder, EMPTIED) for folder in dict.fromkeys(kept.values())]
    leaving = {id for id, record in sync.gone.items() if record.path not in kept}
    for id in leaving | {record.id for record in barred}:
        store.remove(id)
        summary.removed += 1


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
