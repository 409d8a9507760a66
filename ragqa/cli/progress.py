"""What is shown on stderr to people who wait; in a pipe there is nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ragqa.cli.render import console
from ragqa.cli.stopping import stoppable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from ragqa.index.summary import Progress, Summary
    from ragqa.types import Evidence


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
    """A bar with rate and time left; a total of 0 is not known yet."""
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
            bar.update(task, completed=done, total=total or None, rate=rate)

        yield show


class Waiting:
    """What an answer is waiting for, under the quotes that are found by then; gone when the answer is there."""

    def __init__(self, live: Live | None) -> None:
        self._live = live
        self._found: list[RenderableType] = []
        self._drawing = False
        self._stopped: BaseException | None = None

    def stop(self, stop: BaseException) -> None:
        """Raise it, but not in the midst of drawing, or a line that was half drawn would be left on the screen."""
        if not self._drawing:
            raise stop
        self._stopped = stop

    @contextmanager
    def _whole(self) -> Iterator[None]:
        self._drawing = True
        try:
            yield
        finally:
            self._drawing = False
        stop, self._stopped = self._stopped, None
        if stop:
            raise stop

    def stage(self, name: str) -> None:
        """Say what is being done."""
        if self._live:
            from rich.console import Group
            from rich.spinner import Spinner

            with self._whole():
                self._live.update(Group(*self._found, Spinner("dots", name)), refresh=True)

    def quotes(self, evidence: Sequence[Evidence]) -> None:
        """Show what is found already; the Llama may take a while over it."""
        if self._live:
            from rich.text import Text

            from ragqa.cli.answers import quote_text

            numbered = (Text(f"[{n}] ").append(quote_text(one)) for n, one in enumerate(evidence, start=1))
            self._found = [Text(style="dim").append(line) for line in numbered]

    def end(self) -> None:
        if self._live:
            # What is taller than the terminal is shown in part; stopping would print it whole and leave half of it.
            with self._whole():
                self._live.update("")
                self._live.refresh()
                self._live.stop()


@contextmanager
def waiting(quiet: bool) -> Iterator[Waiting]:
    """A spinner until the answer is there."""
    if quiet or not sys.stderr.isatty():
        yield Waiting(None)
        return
    from rich.live import Live

    live = Live(console=console(stderr=True), transient=True, refresh_per_second=12)
    shown = Waiting(live)
    with stoppable(then=shown.stop), live:
        shown.stage("searching")
        try:
            yield shown
        finally:
            shown.end()
