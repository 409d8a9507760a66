"""`ragqa index`: files and folders → the index."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragqa.cli import complete
from ragqa.cli.alone import alone
from ragqa.cli.as_json import summary_json
from ragqa.cli.calibrate import calibrate_if_due
from ragqa.cli.open import open_for_indexing
from ragqa.cli.options import Db, EmbedModel, Options, Quiet, settle, speaker, warn_if_exposed
from ragqa.cli.progress import indexing_progress
from ragqa.cli.render import path_from_here, print_json, shown, summary_line
from ragqa.cli.stopping import Stopped, stoppable

if TYPE_CHECKING:
    from ragqa.index.summary import Summary

SKIPPED = 3
NAMED = 5  # skipped files that are named one by one


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ragqa index ~/notes -c notes --glob '*.md'")(index)


def index(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.", metavar="PATH...")],
    collection: Annotated[
        str | None,
        typer.Option(
            "-c",
            "--collection",
            help="Put the documents into this collection.",
            autocompletion=complete.collections,
        ),
    ] = None,
    glob: Annotated[str | None, typer.Option(help="Only files whose name or path matches.")] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Also empty the index of a folder that is now empty.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    db: Db = None,
    embed_model: EmbedModel = None,
    option: Options = None,
    quiet: Quiet = False,
) -> int:
    """Bring the index up to date: new, changed, moved and deleted documents."""
    from ragqa.index import update_index
    from ragqa.index.summary import HARMLESS, Summary
    from ragqa.read.find import resolve_roots

    settings = settle(db=db, embed_model=embed_model, options=option)
    roots = resolve_roots(paths)  # before an index is made for nothing
    summary = Summary()
    with _interruptible(summary), alone(settings, quiet):
        store, embedder = open_for_indexing(settings, speaker(quiet))
        warn_if_exposed(settings.db, quiet)
        with indexing_progress(quiet) as progress:
            update_index(
                roots,
                store=store,
                embedder=embedder,
                summary=summary,
                collection=collection,
                glob=glob,
                prune=prune,
                max_file_size=settings.max_file_size,
                progress=progress,
            )
        summary.notes += calibrate_if_due(store, embedder, settings.passages, quiet)
    store.close()
    if as_json:
        print_json(summary_json(summary))
    else:
        print(summary_line(summary))
    if not quiet and sys.stderr.isatty():
        _print_notes(summary)
    return SKIPPED if set(summary.reasons) - HARMLESS else 0


@contextmanager
def _interruptible(summary: Summary) -> Iterator[None]:
    """When a signal asks it to end, say what is kept."""
    try:
        with stoppable():
            yield
    except (KeyboardInterrupt, Stopped):
        with suppress(OSError):  # the terminal may be gone
            print(f"stopped; {summary.indexed} documents kept; run again to continue", file=sys.stderr)
        raise


def _print_notes(summary: Summary) -> None:
    for path, reason in summary.skipped[:NAMED]:
        print(f"skipped {shown(path_from_here(path))}: {reason}", file=sys.stderr)
    if len(summary.skipped) > NAMED:
        print(f"… and {len(summary.skipped) - NAMED} more; --json names them all", file=sys.stderr)
    if summary.repaired:
        print(f"{summary.repaired} documents hold bytes that are not UTF-8; U+FFFD stands for them", file=sys.stderr)
    for note in summary.notes:
        print(shown(note), file=sys.stderr)
