"""Files → store: what is new or changed is read, cut, embedded and stored; what is gone is removed."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from ragqa.chunk import VERSION, embedded_text, split
from ragqa.document import Document, DocumentRecord, Passage
from ragqa.embed import Embedder
from ragqa.errors import BadInput
from ragqa.files import readable
from ragqa.interaction import signs_of
from ragqa.read import Source, read_document, read_source
from ragqa.read.apart import Child
from ragqa.read.find import Found, find_files, resolve_roots
from ragqa.store import VectorStore
from ragqa.types import Matrix, Signs

GROUP = 64  # passages embedded together: enough to find many of like length, few enough to lose to Ctrl-C
HARMLESS = frozenset({"empty"})  # skipped for these reasons, a file is no reason to warn


class IndexStore(VectorStore, Protocol):
    """A store that can also remember that a file moved or was merely touched."""

    def relocate(self, document_id: str, new_id: str, path: Path, mtime_ns: int) -> None: ...

    def touch(self, document_id: str, mtime_ns: int) -> None: ...


@dataclass(slots=True)
class Summary:
    """What a run did. It grows while the run goes on, so an interrupted one can still be reported."""

    indexed: int = 0
    unchanged: int = 0
    moved: int = 0
    removed: int = 0
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    passages: int = 0
    repaired: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def reasons(self) -> Counter[str]:
        return Counter(reason for _path, reason in self.skipped)


@dataclass(frozen=True, slots=True)
class _Pending:
    document: Document
    passages: list[Passage]


_Embedded = tuple[Matrix, list[Signs]]


Progress = Callable[[int, int, Summary], None]
"""Called with (files done, files in all, summary so far)."""


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
    gone = _gone(roots, found, known, prune, summary)
    with _aside() as aside, Child() as child:
        work = _Work(store, embedder, summary, dict(known), gone, collection, max_file_size, aside, child)
        for done, file in enumerate(found):
            progress(done, len(found), summary)
            work.consider(file)
        work.flush()
        work.store_embedded()
    for document_id in work.gone:
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
    with _aside() as aside, Child() as child:
        documents = [read_document(source, id, "default", child) for id, source in sources.items()]
        work = _Work(store, embedder, summary, {}, {}, None, 0, aside, child)
        for done, document in enumerate(documents):
            progress(done, len(documents), summary)
            work.take(document)
        work.flush()
        work.store_embedded()
    progress(len(documents), len(documents), summary)


def _gone(
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


@contextmanager
def _aside() -> Iterator[Executor]:
    """A thread for embedding; when the run is broken off, what it has not begun is dropped."""
    aside = ThreadPoolExecutor(1)
    try:
        yield aside
    finally:
        aside.shutdown(cancel_futures=True)


class _Work:
    """The documents of one run: some unchanged, some waiting to be embedded with others, some being embedded.

    While a group is embedded in a thread, the next one is read and cut; then the first is stored.
    """

    def __init__(
        self,
        store: IndexStore,
        embedder: Embedder,
        summary: Summary,
        known: dict[str, DocumentRecord],
        gone: dict[str, DocumentRecord],
        collection: str | None,
        max_file_size: int,
        aside: Executor,
        child: Child,
    ) -> None:
        self.store = store
        self.embedder = embedder
        self.summary = summary
        self.gone = gone
        self.collection = collection
        self.max_file_size = max_file_size
        self.ids = set(known)
        self.by_path = {record.path: record for record in known.values()}
        self.pending: list[_Pending] = []
        self.aside = aside
        self.child = child
        self.embedding: tuple[list[_Pending], list[Future[_Embedded]]] = ([], [])

    def consider(self, file: Found) -> None:
        """Decide what a file needs; embed when enough is waiting."""
        record = self.by_path.get(file.path)
        if record and self._stays(record) and _untouched(file.path, record):
            self.summary.unchanged += 1
            return
        try:
            source = read_source(file.path, self.max_file_size)
            if record and self._stays(record) and source.sha256 == record.sha256:
                self.store.touch(record.id, source.mtime_ns)
                self.summary.unchanged += 1
            elif not record and self._moved(file, source):
                self.summary.moved += 1
            else:
                self._read(file, source, record)
        except BadInput as error:
            self.summary.skipped.append((file.path, error.reason))

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

    def _read(self, file: Found, source: Source, record: DocumentRecord | None) -> None:
        collection = self.collection or (record.collection if record else "default")
        try:
            document = read_document(source, record.id if record else self._new_id(file), collection, self.child)
        except BadInput:
            if record:  # what it said before, it says no longer
                self.store.remove(record.id)
                self.summary.removed += 1
            raise
        self.take(document)

    def take(self, document: Document) -> None:
        """Cut a document; embed when enough is waiting."""
        passages = split(document, self.embedder.count_tokens, self.embedder.max_tokens)
        self.summary.repaired += bool(document.repaired)
        self.pending.append(_Pending(document, passages))
        if sum(len(waiting.passages) for waiting in self.pending) >= GROUP:
            self.flush()

    def flush(self) -> None:
        """Let all waiting passages be embedded together, and store meanwhile those that have been."""
        count, limit = self.embedder.count_tokens, self.embedder.max_tokens
        texts = [embedded_text(passage, count, limit) for waiting in self.pending for passage in waiting.passages]
        waiting, self.pending = self.pending, []
        # In slices, between which Ctrl-C is heard, however large a document is.
        slices = (texts[at : at + GROUP] for at in range(0, len(texts), GROUP))
        begun = [self.aside.submit(self._embed, one) for one in slices]
        self.store_embedded()
        self.embedding = waiting, begun

    def _embed(self, texts: Sequence[str]) -> _Embedded:
        vectors, tokens = self.embedder.passage_tokens(texts)
        return vectors, [signs_of(one, self.store.centre) for one in tokens]

    def store_embedded(self) -> None:
        """Wait for the group that is being embedded, then store it document by document."""
        (documents, begun), self.embedding = self.embedding, ([], [])
        done = [future.result() for future in begun]
        vectors = np.concatenate([np.zeros((0, self.embedder.dim), np.float32), *(rows for rows, _signs in done)])
        signs = [one for _rows, some in done for one in some]
        start = 0
        for waiting in documents:
            end = start + len(waiting.passages)
            try:
                self.store.add(waiting.document, waiting.passages, vectors[start:end], signs[start:end])
                self.summary.indexed += 1
                self.summary.passages += len(waiting.passages)
            except ValueError:
                self.summary.skipped.append((waiting.document.path, "bad vector"))
            start = end

    def _new_id(self, file: Found) -> str:
        """Path from the root's own folder on; with more of the folders above where that is taken."""
        relative = file.path.relative_to(file.root)
        for parents in range(1, len(file.root.parts) + 1):
            candidate = readable(Path(*file.root.parts[-parents:], relative))
            if candidate not in self.ids:
                break
        self.ids.add(candidate)
        return candidate


def _untouched(path: Path, record: DocumentRecord) -> bool:
    try:
        status = path.stat(follow_symlinks=False)
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (record.size, record.mtime_ns)
