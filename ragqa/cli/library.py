"""What lies in the index: a document's or a passage's text, and the collections."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from ragqa.cli import complete
from ragqa.cli.alone import alone
from ragqa.cli.as_json import passage_json, record_json
from ragqa.cli.care import Json, forget
from ragqa.cli.named import named
from ragqa.cli.options import Db, Options, settle, to_be_called
from ragqa.cli.render import in_line, print_json, print_lines, print_table, shown
from ragqa.cli.where import documents_filter
from ragqa.errors import UsageError
from ragqa.files import readable

if TYPE_CHECKING:
    from ragqa.document import DocumentRecord, Passage
    from ragqa.store import VectorStore
    from ragqa.types import JSON

Known = Annotated[str, typer.Argument(help="Which collection.", metavar="NAME", autocompletion=complete.collections)]


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ragqa get notes/boiler.md#2")(get)
    family = typer.Typer(
        name="collections",
        help="The collections: how many documents and passages each has, and when it was last indexed.",
        epilog="Example: ragqa collections --nl | jq -r .name",
        callback=collections,
        invoke_without_command=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    family.command("rename", epilog="Example: ragqa collections rename notes 'old notes'")(rename)
    family.command("delete", epilog="Example: ragqa collections delete 'old notes'")(delete)
    app.add_typer(family)


def get(
    id: Annotated[str, typer.Argument(help="A document or a passage, by its id; or an indexed file, by its path.")],
    as_json: Json = False,
    db: Db = None,
    option: Options = None,
) -> None:
    """Print the text of a document or a passage as it was indexed; with --json also where its parts stand."""
    from ragqa.store.opening import open_index

    store = open_index(settle(db=db, options=option).db)
    record, passage = _found(store, id)
    passages = [passage] if passage else store.passages_of(record.id)
    if not as_json:
        _write("".join(passage.text for passage in passages))
    elif passage:
        print_json(passage_json(passage, record.path))
    else:
        print_json(record_json(record) | {"parts": [passage_json(one, record.path) for one in passages]})


def _found(store: VectorStore, id: str) -> tuple[DocumentRecord, Passage | None]:
    """A document, and the passage of it that is asked for, if it is one.

    Raises:
        UsageError: There is neither.
    """
    if record := _called(store, id):
        return record, None
    name, _, ordinal = id.rpartition("#")
    if record := _called(store, name):
        for passage in store.passages_of(record.id):
            if str(passage.ordinal) == ordinal:
                return record, passage
    raise UsageError(f"no document or passage {id!r}", "`ragqa ls` lists documents; passages are ID#1, ID#2, …")


def _called(store: VectorStore, name: str) -> DocumentRecord | None:
    """The document of this id, or of the file at this path."""
    if record := store.record(readable(name)):
        return record
    known = store.known()
    found, _files = named(name, known.values(), inside=False)
    return known[min(found)] if found else None


def _write(text: str) -> None:
    """To a person safe to look at; to a pipe every byte."""
    if sys.stdout.isatty():
        print(shown(text.rstrip("\n")))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())


def collections(
    context: typer.Context,
    as_json: Json = False,
    nl: Annotated[bool, typer.Option("--nl", help="One JSON line a collection.")] = False,
    db: Db = None,
    option: Options = None,
) -> None:
    """The collections: how many documents and passages each has, and when it was last indexed."""
    from ragqa.store.opening import open_index

    if context.invoked_subcommand is not None:
        return
    rows = _counted(open_index(settle(db=db, options=option).db).known().values())
    if nl:
        print_lines(rows)
    elif as_json:
        print_json(rows)
    else:
        print_table(("collection", "documents", "passages", "last indexed"), [list(row.values()) for row in rows])


def _counted(records: Iterable[DocumentRecord]) -> list[JSON]:
    """Name, documents, passages and the last time, of each in order of their names."""
    each: dict[str, list[DocumentRecord]] = {}
    for record in records:
        each.setdefault(record.collection, []).append(record)
    return [
        {
            "name": name,
            "documents": len(some),
            "passages": sum(one.passages for one in some),
            "last_indexed": max(one.indexed_at for one in some),
        }
        for name, some in sorted(each.items())
    ]


def rename(
    old: Known,
    new: Annotated[str, typer.Argument(help="What it is called from now on.", metavar="NEW", callback=to_be_called)],
    db: Db = None,
    option: Options = None,
) -> None:
    """Give a collection another name; nothing is embedded anew."""
    from ragqa.store.opening import open_index

    settings = settle(db=db, options=option)
    with alone(settings):
        store = open_index(settings.db, writable=True)
        documents_filter(store, [old])
        if new in store.collections():
            raise UsageError(f"{new!r}: is there already", "choose another name")
        count = store.rename_collection(old, new)
        store.close()
    print(f"{in_line(old)} is now {in_line(new)}: {count} document{'s' * (count != 1)}")


def delete(name: Known, db: Db = None, option: Options = None) -> None:
    """Remove a collection from the index, leaving no byte of its text; the files themselves stay."""
    forget(collection=[name], db=db, option=option)
