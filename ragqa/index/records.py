"""Records → store: those of one collection, each a document that no file holds."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from ragqa.document import RECORD_TYPE, Block, Document, DocumentRecord, record_path
from ragqa.embed import Embedder
from ragqa.index.intake import Intake
from ragqa.index.summary import Progress, Summary
from ragqa.read.records import Record, Unread
from ragqa.store import IndexStore
from ragqa.walk import SECRET
from ragqa.walk.secrets import is_secret

TWICE = "id given twice"


def index_records(
    records: Iterable[Record | Unread],
    *,
    collection: str,
    store: IndexStore,
    embedder: Embedder,
    summary: Summary,
    prune: bool = False,
    secrets: bool = False,
    progress: Progress = lambda done, total, summary: None,
) -> None:
    """Bring a collection up to date with records, as they come: no more of them are kept than are embedded together.

    Each is stored in one transaction, so stopping at any moment keeps those that were done.

    Args:
        prune: Also remove the records of the collection that did not come, if some came and all of them could be read.
        secrets: Also those that hold keys, passwords or tokens.
    """
    started, number = time.monotonic(), 0
    members = Members(collection, store.known(), secrets)
    with Intake(store, embedder, summary) as intake:
        for number, record in enumerate(records, start=1):
            progress(number, 0, summary)
            document = members.consider(record, summary)
            if document:
                intake.take(document)
    for document_id in members.gone(summary, prune):
        store.remove(document_id)
        summary.removed += 1
    summary.seconds = round(time.monotonic() - started, 3)
    progress(number, number, summary)


NONE_CAME = "no records came, all kept"


class Members:
    """The records of a collection that the index has, beside those that come.

    Args:
        known: All documents, by id.
        secrets: Whether those that hold a secret are taken, too.
    """

    def __init__(self, collection: str, known: Mapping[str, DocumentRecord], secrets: bool) -> None:
        self.collection = collection
        self.secrets = secrets
        place = record_path(collection)
        self._before = {one.path: one for one in known.values() if one.path.is_relative_to(place)}
        self._ids = {path: one.id for path, one in self._before.items()}
        self._taken = set(known)
        self._come: set[Path] = set()
        self._ended: set[Path] = set()
        self._unread = 0

    def consider(self, record: Record | Unread, summary: Summary) -> Document | None:
        """The document to take in; None where nothing is new, or nothing can be read, which the summary then says."""
        if isinstance(record, Unread):
            self._unread += 1
            summary.skipped.append((Path(record.where), record.reason))
            return None
        document = self._document(record)
        before, again = self._before.get(document.path), document.path in self._come
        reason = "" if record.text.strip() else "empty"
        if not self.secrets and is_secret(document):
            reason = SECRET
        if reason:
            self._ended.add(document.path)
            summary.skipped.append((document.path, reason))
            return None
        if again:
            summary.skipped.append((document.path, TWICE))
            return None
        self._come.add(document.path)
        if before and before.sha256 == document.sha256:
            summary.unchanged += 1
            return None
        return document

    def gone(self, summary: Summary, prune: bool) -> list[str]:
        """Ids to remove: those that say nothing now, or a secret; with `prune` those that did not come."""
        missing = [one.id for path, one in self._before.items() if path not in self._come | self._ended]
        if missing and prune and (self._unread or not self._come | self._ended):
            reason = "some could not be read" if self._unread else "none came at all"
            summary.notes.append(f"{len(missing)} records did not come and are kept, because {reason}")
            if not self._unread:
                summary.skipped.append((record_path(self.collection), NONE_CAME))
            missing = []
        ended = [self._before[path].id for path in self._ended - self._come if path in self._before]
        return ended + (missing if prune else [])

    def _document(self, record: Record) -> Document:
        path = record_path(self.collection, record.id)
        if path not in self._ids:
            self._ids[path] = self._new_id(record.id, path)
        front = f"{record.about}\n\n" if record.about.strip() else ""
        text = front + record.text
        content = text.encode()
        return Document(
            id=self._ids[path],
            path=path,
            text=text,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            mtime_ns=time.time_ns(),
            # Embedded as a whole, where it fits.
            blocks=(*([Block("front", 0, len(front))] if front else []), Block("paragraph", len(front), len(text))),
            collection=self.collection,
            type=RECORD_TYPE,
        )

    def _new_id(self, given: str, path: Path) -> str:
        """As it was given; with its collection's name where another document has that."""
        found = next(id for id in (given, f"{self.collection}/{given}", str(path)) if id not in self._taken)
        self._taken.add(found)
        return found
