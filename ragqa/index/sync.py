"""What a file needs that was found in a folder: nothing, a new time or place in its record, or to be read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ragqa.document import Document, DocumentRecord, Refusal
from ragqa.errors import BadInput
from ragqa.files import readable
from ragqa.index.run import Run
from ragqa.index.summary import Summary
from ragqa.read import Source, read_document, read_source
from ragqa.read.apart import Child
from ragqa.read.formats import READERS_VERSION
from ragqa.store import IndexStore
from ragqa.walk import SECRET, Found
from ragqa.walk.secrets import is_secret

TOGETHER = 512  # small changes of records that are written in one transaction
ENDS = ("empty", SECRET)  # what a document said before, it says no longer
# Behind the readers of a document that was taken in with the secret in it: a run that wants none reads it again.
KEPT = f", {SECRET}"


class Sync:
    """Compares the files of one run with what the index remembers of them.

    Args:
        known: By id.
        gone: Those whose file is no longer there; one that turns up elsewhere is taken out.
    """

    def __init__(
        self,
        store: IndexStore,
        summary: Summary,
        run: Run,
        known: Mapping[str, DocumentRecord],
        gone: dict[str, DocumentRecord],
        child: Child,
    ) -> None:
        self.store = store
        self.summary = summary
        self.run = run
        self.gone = gone
        self.child = child
        self.ids = set(known)
        self.by_path = {record.path: record for record in known.values()}
        self.refused = store.refused()
        self._gone_by_bytes: dict[str, list[str]] = {}
        for id, record in gone.items():
            if not self._is_old(record):
                self._gone_by_bytes.setdefault(record.sha256, []).append(id)
        self._times: dict[str, tuple[int, int]] = {}
        self._refusals: list[Refusal] = []
        self._pardons: list[Path] = []

    def consider(self, file: Found) -> Document | None:
        """The document to take in; None where there is nothing to do, or nothing that can be done."""
        record, refusal = self.by_path.get(file.path), self.refused.get(file.path)
        if refusal and self._holds(refusal, record) and _untouched(file, refusal):
            self._skip(file.path, refusal.reason, record)
            return None
        if record and self._stays(record) and self._settled(file, record):
            self.summary.unchanged += 1
            return None
        try:
            source = read_source(file.path, self.run.max_file_size, file.root)
            return self._compare(file, source, record, refusal)
        except BadInput as error:
            if isinstance(error.__cause__, FileNotFoundError):
                record = None  # the next run finds it gone
            if record:
                self.store.mark_stale(record.id, error.reason)
            self._skip(file.path, error.reason, record)
        return None

    def settle(self) -> None:
        """Write down what was learned about files and not written yet."""
        if self._times:
            self.store.touch(self._times)
        if self._pardons:
            self.store.pardon(self._pardons)
        if self._refusals:
            self.store.refuse(self._refusals)
        self._times, self._refusals, self._pardons = {}, [], []

    def _skip(self, path: Path, reason: str, record: DocumentRecord | None) -> None:
        self.summary.skipped.append((path, reason))
        self.summary.stale += record is not None

    def _holds(self, refusal: Refusal, record: DocumentRecord | None) -> bool:
        """Whether a file would be refused again, were it read again, and nothing else would come of it."""
        overruled = self.run.retry or (self.run.wanted.secrets and refusal.reason == SECRET)
        taken = record and refusal.reason in ENDS  # since then, by a run that was killed before it took this back
        return refusal.readers == READERS_VERSION and not overruled and not taken

    def _stays(self, record: DocumentRecord) -> bool:
        return self.run.collection is None or record.collection == self.run.collection

    def _is_old(self, record: DocumentRecord) -> bool:
        """Whether other readers than today's read it, who may have said less of it, or it holds an unwanted secret."""
        readers = record.readers.removesuffix(KEPT) if self.run.wanted.secrets else record.readers
        return readers != READERS_VERSION

    def _settled(self, file: Found, record: DocumentRecord) -> bool:
        """Whether a file need not be read to know that it is the one that was indexed."""
        if self.run.verify or record.stale or self._is_old(record) or not _untouched(file, record):
            return False
        return os.access(file.path, os.R_OK)  # a mode that was changed leaves no other trace

    def _compare(
        self, file: Found, source: Source, record: DocumentRecord | None, refusal: Refusal | None
    ) -> Document | None:
        if refusal and self._holds(refusal, record) and refusal.sha256 == source.sha256:
            self._refuse(source, refusal.reason)
            self._skip(file.path, refusal.reason, record)
            return None
        if refusal:
            self._pardons.append(file.path)
        if record and self._stays(record) and source.sha256 == record.sha256 and not self._is_old(record):
            self._touch(record, source)
            self.summary.unchanged += 1
        elif not record and self._moved(file, source):
            self.summary.moved += 1
        else:
            return self._read(file, source, record)
        return None

    def _touch(self, record: DocumentRecord, source: Source) -> None:
        now = (source.mtime_ns, source.inode)
        if record.stale or now != (record.mtime_ns, record.inode):
            self._times[record.id] = now
            self._settle_some()

    def _moved(self, file: Found, source: Source) -> bool:
        for id in self._gone_by_bytes.get(source.sha256, ()):
            record = self.gone.get(id)
            if record and record.path.suffix.lower() == file.path.suffix.lower() and self._stays(record):
                self.store.relocate(id, self._new_id(file), file.path, source.mtime_ns, source.inode)
                del self.gone[id]
                return True
        return False

    def _read(self, file: Found, source: Source, record: DocumentRecord | None) -> Document | None:
        collection = self.run.collection or (record.collection if record else "default")
        try:
            document = read_document(source, record.id if record else self._new_id(file), collection, self.child)
            if is_secret(document):
                document = self._kept(document)
        except BadInput as error:
            self._refuse(source, error.reason)
            if record and error.reason in ENDS:
                self.store.remove(record.id)
                self.summary.removed += 1
                record = None
            elif record:
                self.store.mark_stale(record.id, error.reason)
            self._skip(file.path, error.reason, record)
            return None
        return document

    def _kept(self, document: Document) -> Document:
        if not self.run.wanted.secrets:
            raise BadInput(f"{document.path}: {SECRET}", SECRET)
        return replace(document, readers=document.readers + KEPT)

    def _refuse(self, source: Source, reason: str) -> None:
        size = len(source.content)
        self._refusals.append(
            Refusal(source.path, source.sha256, size, source.mtime_ns, source.inode, reason, READERS_VERSION)
        )
        self._settle_some()

    def _settle_some(self) -> None:
        if len(self._times) + len(self._refusals) >= TOGETHER:
            self.settle()

    def _new_id(self, file: Found) -> str:
        """Path from the root's own folder on; with more of the folders above where that is taken."""
        relative = file.path.relative_to(file.root)
        for parents in range(1, len(file.root.parts) + 1):
            candidate = readable(Path(*file.root.parts[-parents:], relative))
            if candidate not in self.ids:
                break
        self.ids.add(candidate)
        return candidate


def _untouched(file: Found, before: DocumentRecord | Refusal) -> bool:
    seen = (file.size, file.mtime_ns, file.inode)
    return bool(before.inode) and seen == (before.size, before.mtime_ns, before.inode)
