"""Bars on stderr, for people who wait; in a pipe there are none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ragqa.cli.render import console

if TYPE_CHECKING:
    from ragqa.index import Progress, Summary


@contextmanager
def indexing_progress(quiet: bool) -> Iterator[Progress]:
    """A bar of the files with the rate of passages."""
    with counting_progress("indexing", quiet) as count:

        def show(done: int, total: int, summary: Summary) -> None:
            count(done, total, summary.passages, "passages")

        yield show


Counting = Callable[..., None]
"""Called with (done, total), and optionally a count and its unit, whose rate is shown."""


@contextmanager
def counting_progress(what: str, quiet: bool) -> Iterator[Counting]:
    """A bar with rate and time left."""
    if quiet or not sys.stderr.isatty():
        yield lambda *counts: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, rate="")

        def show(done: int, total: int, count: int = 0, unit: str = "") -> None:
            elapsed = bar.tasks[task].elapsed or 0
            rate = f"{count / elapsed:.0f} {unit}/s" if unit and elapsed > 1 else ""
            bar.update(task, completed=done, total=total, rate=rate)

        yield show
