"""Looking after what is in the index: ls, status, forget; and path."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ragqa.cli.alone import alone
from ragqa.cli.as_json import record_json
from ragqa.cli.described import damaged_of, described
from ragqa.cli.named import named
from ragqa.cli.options import Collections, Db, Options, advise, settle, speaker
from ragqa.cli.render import path_from_here, print_json, print_lines, print_table
from ragqa.cli.where import Where, documents_filter
from ragqa.errors import IndexLocked, UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from ragqa.document import DocumentRecord
    from ragqa.store.sqlite import SQLiteStore

Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def register(app: typer.Typer) -> None:
    app.command("ls", epilog="Example: ragqa ls -c notes --nl | jq -r .path")(list_documents)
    app.command(epilog="Example: ragqa status --json")(status)
    app.command(epilog="Example: ragqa forget notes/old.md ~/notes/drafts")(forget)
    app.command(epilog="Example: sqlite3 \"$(ragqa path db)\" '.tables'")(path)


def list_documents(
    collection: Collections = None,
    where: Where = None,
    as_json: Json = False,
    nl: Annotated[bool, typer.Option("--nl", help="One JSON line a document.")] = False,
    db: Db = None,
    option: Options = None,
) -> None:
    """List the documents in the index."""
    from ragqa.store.opening import open_index

    store = open_index(settle(db=db, options=option).db)
    records = list(store.known(documents_filter(store, collection or [], where or [])).values())
    if nl:
        print_lines(map(record_json, records))
    elif as_json:
        print_json([record_json(record) for record in records])
    else:
        _print_documents(records)


def _print_documents(records: Sequence[DocumentRecord]) -> None:
    """A line each; what no document has, has no column."""
    columns: dict[str, list[object]] = {
        "document": [_openable(one) for one in records],
        "collection": [one.collection for one in records],
        "passages": [one.passages for one in records],
        "bytes": [one.size for one in records],
        "indexed": [one.indexed_at[:10] for one in records],  # --json has the time
        "type": [one.type for one in records],
    }
    perhaps: dict[str, list[object]] = {
        "tags": [", ".join(one.tags) for one in records],
        "date": [one.date for one in records],
        "stale": [one.stale for one in records],
    }
    columns |= {name: values for name, values in perhaps.items() if any(values)}
    print_table(list(columns), zip(*columns.values(), strict=True))


def _openable(record: DocumentRecord) -> Text | str:
    """A document's id; on a terminal a click on it opens the file."""
    if not sys.stdout.isatty():
        return record.id
    from ragqa.cli.links import place_text

    return place_text(record.id, record.path, style="")


def status(as_json: Json = False, db: Db = None, option: Options = None) -> None:
    """Say what is in the index, how large it is, which model made it and who is writing it."""
    from ragqa.store.opening import open_index

    settings = settle(db=db, options=option)
    values = described(open_index(settings.db, say=speaker(quiet=False)))
    if as_json:
        print_json(values)
        return
    for name in ("collections", "types", "calibration", "reindexing"):
        values[name] = ", ".join(f"{key} ({value})" for key, value in (values[name] or {}).items())
    print_table(("", ""), [(name, "" if value is None else value) for name, value in values.items()])


def forget(
    names: Annotated[
        list[str] | None, typer.Argument(help="Documents, files or folders.", metavar="[ID|PATH]...")
    ] = None,
    collection: Collections = None,
    db: Db = None,
    option: Options = None,
) -> None:
    """Remove documents from the index, leaving no byte of their text; the files themselves stay.

    The history keeps the questions that were asked about them, and what was quoted: `ragqa logs forget` removes those.
    """
    from ragqa.store.opening import open_index
    from ragqa.store.switch import place_beside

    if not names and not collection:
        raise UsageError("a document, a path or -c COLLECTION is wanted", "`ragqa ls` lists documents")
    settings = settle(db=db, options=option)
    with alone(settings):
        store = open_index(settings.db, writable=True, say=speaker(quiet=False))
        reindexing = place_beside(settings.db).exists()
        try:
            documents, files = _named(store, names or [], collection or [])
        except UsageError:
            with suppress(IndexLocked):  # somebody reads
                store.erase()  # what an earlier run that was killed removed, and did not take out of the log
            raise
        store.require_unread()
        store.forget(documents, files)
        store.erase()
        store.close()
    print(f"forgot {len(documents)} document{'s' * (len(documents) != 1)}")
    if reindexing:
        advise("the reindex that was broken off went, too; `ragqa reindex` begins it anew", quiet=False)
    for copy in damaged_of(settings.db):
        advise(f"what was forgotten may still be in {path_from_here(copy)}, the damaged index; delete it", quiet=False)
    if settings.logs.exists():
        advise("the history may quote what was forgotten; `ragqa logs forget` removes questions from it", quiet=False)


def _named(store: SQLiteStore, names: list[str], collections: list[str]) -> tuple[set[str], set[Path]]:
    """The documents to forget, and the files that were refused, of which only name and reason are there to forget."""
    records, refused = store.known(), store.refused()
    where = documents_filter(store, collections)
    documents = {r.id for r in records.values() if where and r.collection in where.collections}
    files: set[Path] = set()
    for name in names:
        some, unread = named(name, records.values(), refused, inside=True)
        if not some and not unread:
            raise UsageError(f"nothing in the index is {name!r}", "`ragqa ls` lists documents; nothing was removed")
        documents |= some
        files |= unread
    return documents, files


def path(
    which: Annotated[Literal["db", "logs", "models", "config"], typer.Argument(help="Which path.")],
    db: Db = None,
    option: Options = None,
) -> None:
    """Print where the index, the history, the models or the configuration lie."""
    settings = settle(db=db, options=option)
    sys.stdout.buffer.write(os.fsencode(getattr(settings, which)) + b"\n")
