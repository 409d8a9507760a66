"""`ragqa index --stdin` and `--sql`, and `ragqa import-llm`: records, which no file holds → the index."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ragqa.cli.filling import fill_index
from ragqa.cli.options import Db, EmbedModel, Options, Quiet, settle
from ragqa.errors import UsageError

if TYPE_CHECKING:
    from ragqa.read.records import Records
    from ragqa.settings import Settings

DEFAULT = "default"

Stdin = Annotated[bool, typer.Option("--stdin", help="Records from standard input: an id and columns of text each.")]
Form = Annotated[
    Literal["ndjson", "nl", "csv", "tsv", "json"] | None,
    typer.Option("--format", help="How records come; nl is ndjson."),
]
Sql = Annotated[str | None, typer.Option("--sql", help="Records from an SQLite FILE: what a query gives.")]
Prefix = Annotated[str, typer.Option("--prefix", help="Put before the id of each record.")]

Secrets = Annotated[bool, typer.Option("--include-secrets", help="Also those that hold keys, passwords or tokens.")]

Source = tuple[Sequence[Path], bool, str | None, str | None]
"""As the command line has it: paths, whether standard input, in which format; a query."""


def register(app: typer.Typer) -> None:
    app.command("import-llm", epilog='Example: ragqa import-llm "$(llm collections path)" --all')(import_llm)


def index_records_of(
    source: Source,
    settings: Settings,
    collection: str | None,
    prefix: str,
    *,
    prune: bool,
    secrets: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Bring a collection up to date with records, and return the exit code."""
    from ragqa.index.records import index_records
    from ragqa.read.records import prefixed

    if source[3] is not None and not source[3].strip():
        raise UsageError("--sql is empty", "such as --sql 'select id, title, body from posts'")
    with _records(source) as records:
        come, into = _begun(prefixed(records, prefix)), collection or DEFAULT
        fill = partial(index_records, come, collection=into, prune=prune, secrets=secrets)
        return fill_index(settings, fill, as_json=as_json, quiet=quiet)


@contextmanager
def _records(source: Source) -> Iterator[Records]:
    from ragqa.foreign import open_foreign
    from ragqa.read.records import read_query, read_records

    paths, stdin, format, sql = source
    if sql is None:
        if paths or not format:
            raise UsageError("--stdin wants --format and no paths", "for example `--stdin --format ndjson`")
        yield read_records(sys.stdin.buffer, format)
        return
    if stdin or format or len(paths) != 1:
        raise UsageError(
            "--sql wants one FILE, a database", "for example `posts.db --sql 'select id, body from posts'`"
        )
    with open_foreign(paths[0]) as file:
        yield read_query(file, sql)


def _begun(records: Records) -> Records:
    """The records, the first of which is there: what is wrong usage is so before an index is made for nothing."""
    first = next(records, None)
    return chain([first] if first else [], records)


def import_llm(
    file: Annotated[Path, typer.Argument(help="The database; `llm collections path` says where it is.")],
    collection: Annotated[
        list[str] | None, typer.Option("-c", "--collection", help="Which of its collections; may be given again.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All its collections.")] = False,
    include_secrets: Secrets = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    db: Db = None,
    embed_model: EmbedModel = None,
    option: Options = None,
    quiet: Quiet = False,
) -> int:
    """Take over collections of llm's embeddings; vectors that are the index's own are not made again."""
    from ragqa.foreign import open_foreign
    from ragqa.index.takeover import take_over
    from ragqa.read.embeddings import collections_in

    settings = settle(db=db, embed_model=embed_model, options=option)
    with open_foreign(file) as opened:
        there = collections_in(opened)
        names = [one.name for one in there]
        unknown = [name for name in collection or [] if name not in names]
        if unknown or bool(collection) == everything:
            wrong = f"no collection {unknown[0]!r}" if unknown else "either -c COLLECTION or --all is wanted"
            raise UsageError(f"{file}: {wrong}", f"there are: {', '.join(names) or 'none'}")
        wanted = [one for one in there if everything or one.name in (collection or [])]
        fill = partial(take_over, opened, wanted, secrets=include_secrets)
        return fill_index(settings, fill, as_json=as_json, quiet=quiet)
