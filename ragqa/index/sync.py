"""What a file needs that was found in a folder: nothing, a new time or place in its record, or to be read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ragqa.document import Document, DocumentRecord
from ragqa.errors import BadInput
from ragqa.files import readable
from ragqa.index.summary import Summary
from ragqa.read import Source, read_document, read_source
from ragqa.read.apart import Child
from ragqa.read.find import Found
from ragqa.store import IndexStore


class Sync:
    """Compares the files of one run with what the index remembers of them.

    Args:
        known: By id.
        gone: Those whose file is no longer there; one that turns up elsewhere is taken out.
        collection: Where new documents go; None leaves known ones where they are.
        max_file_size: Bytes.
    """

    def __init__(
        self,
        store: IndexStore,
        summary: Summary,
        known: Mapping[str, DocumentRecord],
        gone: dict[str, DocumentRecord],
        collection: str | None,
        max_file_size: int,
        child: Child,
    ) -> None:
        self.store = store
        self.summary = summary
        self.gone = gone
        self.collection = collection
        self.max_file_size = max_file_size
        self.child = child
        self.ids = set(known)
        self.by_path = {record.path: record for record in known.values()}

    def consider(self, file: Found) -> Document | None:
        """The document to take in; None where there is nothing to do, or nothing that can be done."""
        record = self.by_path.get(file.path)
        if record and self._stays(record) and _untouched(file.path, record):
            self.summary.unchanged += 1
            return None
        try:
            source = read_source(file.path, self.max_file_size)
            if record and self._stays(record) and source.sha256 == record.sha256:
                self.store.touch(record.id, source.mtime_ns)
                self.summary.unchanged += 1
            elif not record and self._moved(file, source):
                self.summary.moved += 1
            else:
                return self._read(file, source, record)
        except BadInput as error:
            self.summary.skipped.append((file.path, error.reason))
        return None

    def _stays(self, record: DocumentRecord) -> bool:
        return self.collection is None or record.collection == self.collection

    def _moved(self, file: Found, source: Source) -> bool:
        for record in self.gone.values():
            same_format = record.path.suffix.lower() == file.path.suffix.lower()
            if record.sha256 == source.sha256 and same_format and self._stays(record):
                self.store.relocate(record.id, self._new_id(file), file.path, source.mtime_ns)
                del self.gone[record.id]
                return True
        return False

    def _read(self, file: Found, source: Source, record: DocumentRecord | None) -> Document:
        collection = self.collection or (record.collection if record else "default")
        try:
            return read_document(source, record.id if record else self._new_id(file), collection, self.child)
        except BadInput:
            if record:  # what it said before, it says no longer
                self.store.remove(record.id)
                self.summary.removed += 1
            raise

    def _new_id(self, file: Found) -> str:
        """Path from the root's own folder on; with more of the folders above where that is taken."""
        relative = file.path.relative_to(file.root)
        for parents in range(1, len(file.root.parts) + 1):
            candidate = readable(Path(*file.root.parts[-parents:], relative))
            if candidate not in self.ids:
                break
        self.ids.add(candidate)
        return candidate


def gone_from(
    roots: Sequence[Path],
    found: Sequence[Found],
    known: Mapping[str, DocumentRecord],
    prune: bool,
    summary: Summary,
) -> dict[str, DocumentRecord]:
    """Documents whose file is no longer there, under roots that are."""
    gone: dict[str, DocumentRecord] = {}
    for root in roots:
        missing = {
            id: record
            for id, record in known.items()
            if record.path.is_relative_to(root) and record.path != root and not os.path.lexists(record.path)
        }
        if missing and not prune and not any(file.path.is_relative_to(root) for file in found):
            summary.notes.append(f"{root}: holds no documents now; {len(missing)} kept, --prune removes them")
        else:
            gone |= missing
    return gone


def _untouched(path: Path, record: DocumentRecord) -> bool:
    try:
        status = path.stat(follow_symlinks=False)
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (record.size, record.mtime_ns)
