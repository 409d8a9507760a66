"""Looking after the index: ls, status, check, forget, path."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ragqa.cli.as_json import record_json
from ragqa.cli.options import Collections, Db, Options, settle
from ragqa.cli.render import path_from_here, print_json, print_lines, print_table, shown
from ragqa.cli.where import Where, documents_filter
from ragqa.errors import IndexDamaged, UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from ragqa.document import DocumentRecord
    from ragqa.types import JSON

Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def register(app: typer.Typer) -> None:
    app.command("ls", epilog="Example: ragqa ls -c notes --nl | jq -r .path")(list_documents)
    app.command(epilog="Example: ragqa status --json")(status)
    app.command(epilog="Example: ragqa check")(check)
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
        "indexed": [one.indexed_at for one in records],
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
    """Say what is in the index, how large it is and which model made it."""
    from ragqa.store.opening import open_index

    settings = settle(db=db, options=option)
    store = open_index(settings.db)
    records = store.known().values()
    values: JSON = {
        "index": str(settings.db),
        "bytes": settings.db.stat().st_size,
        "documents": len(records),
        "passages": sum(record.passages for record in records),
        "collections": dict(Counter(record.collection for record in records)),
        "embed_model": store.model,
        "dim": store.dim,
        "fingerprint": store.fingerprint,
        "calibration": asdict(store.calibration) if store.calibration.passages else None,
        "last_indexed": max((record.indexed_at for record in records), default=None),
    }
    if as_json:
        print_json(values)
        return
    for name in ("collections", "calibration"):
        values[name] = ", ".join(f"{key} ({value})" for key, value in (values[name] or {}).items())
    print_table(("", ""), list(values.items()))


def check(as_json: Json = False, db: Db = None, option: Options = None) -> None:
    """Compare all tables and checksums of the index with each other; exit 13 when something is wrong."""
    from ragqa.store.opening import open_index

    settings = settle(db=db, options=option)
    store = open_index(settings.db, writable=True)
    faults = list(store.faults())
    counts = store.counts()
    if as_json:
        print_json({"ok": not faults, "faults": faults, "counts": counts})
    else:
        for fault in faults:
            print(shown(fault))
        if not faults:
            print(f"ok: {counts['documents']} documents, {counts['passages']} passages, all tables agree")
    if faults:
        raise IndexDamaged(
            f"{path_from_here(settings.db)}: {len(faults)} faults", "restore a copy, or delete it and index again"
        )


def forget(
    names: Annotated[
        list[str] | None, typer.Argument(help="Documents, files or folders.", metavar="[ID|PATH]...")
    ] = None,
    collection: Collections = None,
    db: Db = None,
    option: Options = None,
) -> None:
    """Remove documents from the index, leaving no byte of their text; the files themselves stay."""
    from ragqa.store.opening import open_index

    if not names and not collection:
        raise UsageError("a document, a path or -c COLLECTION is wanted", "`ragqa ls` lists documents")
    store = open_index(settle(db=db, options=option).db, writable=True)
    records = store.known()
    where = documents_filter(store, collection or [])
    unwanted = {r.id for r in records.values() if where and r.collection in where.collections}
    for name in names or []:
        matching = _matching(name, list(records.values()))
        if not matching:
            raise UsageError(f"nothing in the index is {name!r}", "`ragqa ls` lists documents; nothing was removed")
        unwanted |= matching
    for id in sorted(unwanted):
        store.remove(id)
    store.erase()
    store.close()
    print(f"forgot {len(unwanted)} document{'s' * (len(unwanted) != 1)}")


def _matching(name: str, records: list[DocumentRecord]) -> set[str]:
    if not name:  # an unset variable in a script; as a path it would be the working folder
        return set()
    place = Path(name).expanduser().absolute()
    places = {place, place.resolve()}
    return {
        record.id
        for record in records
        if record.id == name or any(record.path.is_relative_to(place) for place in places)
    }


def path(
    which: Annotated[Literal["db", "logs", "models", "config"], typer.Argument(help="Which path.")],
    db: Db = None,
    option: Options = None,
) -> None:
    """Print where the index, the history, the models or the configuration lie."""
    settings = settle(db=db, options=option)
    sys.stdout.buffer.write(os.fsencode(getattr(settings, which)) + b"\n")
