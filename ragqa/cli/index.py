"""`ragqa index`: files and folders → the index."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
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
    from ragqa.index.run import Run
    from ragqa.index.summary import Summary
    from ragqa.settings import Settings

SKIPPED = 3
NAMED = 5  # skipped files that are named one by one


Paths = Annotated[list[Path], typer.Argument(help="Files and folders.", metavar="PATH...")]
Into = Annotated[
    str | None,
    typer.Option(
        "-c",
        "--collection",
        help="Put the documents into this collection.",
        autocompletion=complete.collections,
    ),
]
Glob = Annotated[str | None, typer.Option(help="Only files whose name or path matches.")]
Exclude = Annotated[
    list[str] | None, typer.Option(help="No files and folders whose name or path matches; may be given again.")
]
Hidden = Annotated[bool, typer.Option("--hidden", help="Also files and folders that begin with a dot.")]
NoIgnore = Annotated[bool, typer.Option("--no-ignore", help="Also what .gitignore and .ragqaignore leave out.")]
Secrets = Annotated[bool, typer.Option("--include-secrets", help="Also files that hold keys, passwords or tokens.")]
Follow = Annotated[bool, typer.Option("--follow", help="Follow links that stay inside the folder.")]


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ragqa index ~/notes -c notes --glob '*.md'")(index)


def index(
    paths: Paths,
    collection: Into = None,
    glob: Glob = None,
    exclude: Exclude = None,
    hidden: Hidden = False,
    no_ignore: NoIgnore = False,
    include_secrets: Secrets = False,
    follow: Follow = False,
    prune: Annotated[bool, typer.Option("--prune", help="Also empty the index of a folder that is now empty.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Tell changes by content, not by size and time.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try files again that could not be read.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    db: Db = None,
    embed_model: EmbedModel = None,
    option: Options = None,
    quiet: Quiet = False,
) -> int:
    """Bring the index up to date: new, changed, moved and deleted documents."""
    from ragqa.index.run import Run
    from ragqa.index.summary import Summary
    from ragqa.walk import Wanted
    from ragqa.walk.roots import resolve_roots

    settings = settle(db=db, embed_model=embed_model, options=option)
    wanted = Wanted(glob, tuple(exclude or ()), hidden, no_ignore, include_secrets, follow)
    run = Run(wanted, collection, prune, verify, retry, settings.max_file_size)
    roots = resolve_roots(paths)  # before an index is made for nothing
    summary = Summary()
    with _interruptible(summary), alone(settings, quiet):
        _update(settings, roots, run, summary, quiet)
    if as_json:
        print_json(summary_json(summary))
    else:
        print(summary_line(summary))
    if not quiet and sys.stderr.isatty():
        _print_notes(summary)
    return SKIPPED if summary.warnings else 0


def _update(settings: Settings, roots: Sequence[Path], run: Run, summary: Summary, quiet: bool) -> None:
    from ragqa.index import update_index

    store, embedder = open_for_indexing(settings, speaker(quiet))
    warn_if_exposed(settings.db, quiet)
    with indexing_progress(quiet) as progress:
        update_index(roots, store=store, embedder=embedder, summary=summary, run=run, progress=progress)
    summary.notes += calibrate_if_due(store, embedder, settings.passages, quiet)
    store.close()


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
    from ragqa.walk import SECRET

    for path, reason in summary.warnings[:NAMED]:
        print(f"skipped {shown(path_from_here(path))}: {reason}", file=sys.stderr)
    if len(summary.warnings) > NAMED:
        print(f"… and {len(summary.warnings) - NAMED} more; --json names them all", file=sys.stderr)
    if SECRET in summary.reasons:
        print("keys, passwords and tokens stay out of an index; --include-secrets takes them", file=sys.stderr)
    if summary.stale:
        print(f"{summary.stale} documents cannot be read now and stay as they were; see `ragqa ls`", file=sys.stderr)
    if summary.repaired:
        print(f"{summary.repaired} documents hold bytes that are not UTF-8; U+FFFD stands for them", file=sys.stderr)
    for remark, count in sorted(summary.remarks.items()):
        print(shown(f"{count} documents: {remark}"), file=sys.stderr)
    for note in summary.notes:
        print(shown(note), file=sys.stderr)
