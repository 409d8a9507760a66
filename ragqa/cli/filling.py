"""What all commands that fill the index share: it is opened, filled, calibrated, and what was done is said."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from ragqa.cli.alone import alone
from ragqa.cli.as_json import summary_json
from ragqa.cli.calibrate import calibrate_if_due
from ragqa.cli.open import open_for_indexing
from ragqa.cli.options import speaker, warn_if_exposed
from ragqa.cli.progress import indexing_progress
from ragqa.cli.render import path_from_here, print_json, shown, summary_line
from ragqa.cli.stopping import going_on

if TYPE_CHECKING:
    from ragqa.embed import Embedder
    from ragqa.index.summary import Progress, Summary
    from ragqa.settings import Settings
    from ragqa.store.sqlite import SQLiteStore

SKIPPED = 3
NAMED = 5  # skipped files that are named one by one


class Fill(Protocol):
    """Puts documents into an index, and into the summary what it did."""

    def __call__(self, *, store: SQLiteStore, embedder: Embedder, summary: Summary, progress: Progress) -> object: ...


def fill_index(settings: Settings, fill: Fill, *, as_json: bool, quiet: bool) -> int:
    """Fill the index, say what was done, and return the exit code."""
    from ragqa.index.summary import Summary

    summary = Summary()
    fill_once(settings, fill, summary, quiet)
    if as_json:
        print_json(summary_json(summary))
    else:
        print(summary_line(summary))
    if not quiet and sys.stderr.isatty():
        _print_notes(summary)
    return SKIPPED if summary.warnings else 0


def fill_once(settings: Settings, fill: Fill, summary: Summary, quiet: bool) -> None:
    """Fill the index while nobody else writes it; it is closed afterwards."""
    with going_on(lambda: f"{summary.indexed} new documents kept"), alone(settings, quiet):
        store, embedder = open_for_indexing(settings, speaker(quiet))
        warn_if_exposed(settings.db, quiet)
        with indexing_progress(quiet) as progress:
            fill(store=store, embedder=embedder, summary=summary, progress=progress)
        summary.notes += calibrate_if_due(store, embedder, settings.passages, quiet)
        store.close()


def _print_notes(summary: Summary) -> None:
    from ragqa.read.apart import TOOK_OVER
    from ragqa.walk import SECRET

    for path, reason in summary.warnings[:NAMED]:
        print(f"skipped {shown(path_from_here(path))}: {reason}", file=sys.stderr)
    if len(summary.warnings) > NAMED:
        print(f"… and {len(summary.warnings) - NAMED} more; --json names them all", file=sys.stderr)
    if SECRET in summary.reasons:
        print("keys, passwords and tokens stay out of an index; --include-secrets takes them", file=sys.stderr)
    if any(reason.startswith("over ") for reason in summary.reasons):
        print("larger files are taken with `-o max_file_size 200000000` (bytes)", file=sys.stderr)
    if any(reason.startswith(TOOK_OVER) for reason in summary.reasons):
        print("what took too long is given more with `-o read_seconds 120 --retry`", file=sys.stderr)
    if summary.stale:
        print(f"{summary.stale} documents cannot be read now and stay as they were; see `ragqa ls`", file=sys.stderr)
    if summary.repaired:
        print(f"{summary.repaired} documents hold bytes that are not UTF-8; U+FFFD stands for them", file=sys.stderr)
    for path, remark in summary.remarks[:NAMED]:
        print(f"{shown(path_from_here(path))}: {shown(remark)}", file=sys.stderr)
    if len(summary.remarks) > NAMED:
        print(f"… and {len(summary.remarks) - NAMED} more remarks; --json has them all", file=sys.stderr)
    for note in summary.notes:
        print(shown(note), file=sys.stderr)
