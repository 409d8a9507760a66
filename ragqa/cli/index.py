"""`ragqa index`: files and folders, or records → the index."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ragqa.cli import complete
from ragqa.cli.filling import fill_index
from ragqa.cli.options import Db, EmbedModel, Options, Quiet, settle, to_be_called
from ragqa.cli.records import Form, Prefix, Sql, Stdin, index_records_of
from ragqa.errors import UsageError

Paths = Annotated[
    list[Path] | None,
    # One that may not be read is told of like those in folders.
    typer.Argument(help="Files and folders; with --sql a database.", metavar="[PATH]...", readable=False),
]
Into = Annotated[
    str | None,
    typer.Option(
        "-c",
        "--collection",
        help="Put the documents into this collection.",
        callback=to_be_called,
        autocompletion=complete.collections,
    ),
]
Glob = Annotated[str | None, typer.Option(help="Only files whose name or path matches.")]
Exclude = Annotated[
    list[str] | None, typer.Option(help="No files and folders whose name or path matches; may be given again.")
]
Hidden = Annotated[bool, typer.Option("--hidden", help="Also files and folders that begin with a dot.")]
NoIgnore = Annotated[bool, typer.Option("--no-ignore", help="Also what .gitignore and .ragqaignore leave out.")]
Secrets = Annotated[bool, typer.Option("--include-secrets", help="Also what holds keys, passwords or tokens.")]
Follow = Annotated[bool, typer.Option("--follow", help="Follow links that stay inside the folder.")]


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ragqa index ~/notes -c notes --glob '*.md'")(index)


def index(
    paths: Paths = None,
    collection: Into = None,
    glob: Glob = None,
    exclude: Exclude = None,
    hidden: Hidden = False,
    no_ignore: NoIgnore = False,
    include_secrets: Secrets = False,
    follow: Follow = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Also empty the index of a folder that is now empty; of records, remove those that did not come.",
        ),
    ] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Tell changes by content, not by size and time.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try files again that could not be read.")] = False,
    stdin: Stdin = False,
    format: Form = None,
    sql: Sql = None,
    prefix: Prefix = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    db: Db = None,
    embed_model: EmbedModel = None,
    option: Options = None,
    quiet: Quiet = False,
) -> int:
    """Bring the index up to date: new, changed, moved and deleted documents."""
    from ragqa.index import update_index
    from ragqa.index.run import Run
    from ragqa.walk import Wanted
    from ragqa.walk.roots import resolve_roots

    settings = settle(db=db, embed_model=embed_model, options=option)
    if stdin or sql is not None:
        source = paths or [], stdin, format, sql
        return index_records_of(
            source,
            settings,
            collection,
            prefix,
            prune=prune,
            secrets=include_secrets,
            as_json=as_json,
            quiet=quiet,
        )
    if not paths or format or prefix:
        raise UsageError("a file or folder is wanted", "records come with `--stdin --format`, or from FILE with --sql")
    own = (settings.models.resolve(),)
    wanted = Wanted(glob, tuple(exclude or ()), hidden, no_ignore, include_secrets, follow, own)
    run = Run(wanted, collection, prune, verify, retry, settings.max_file_size, settings.read_seconds)
    resolve_roots(paths)  # before an index is made for nothing
    return fill_index(settings, partial(update_index, paths, run=run), as_json=as_json, quiet=quiet)
