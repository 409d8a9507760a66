"""`ragqa watch`: the index keeps up with files and folders while they change."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from ragqa.cli.filling import fill_once
from ragqa.cli.index import Exclude, Follow, Glob, Hidden, Into, NoIgnore, Secrets
from ragqa.cli.options import Db, EmbedModel, Options, Quiet, advise, settle
from ragqa.cli.render import path_from_here, shown, summary_line
from ragqa.cli.stopping import stoppable
from ragqa.errors import IndexLocked, NotWritable, UsageError
from ragqa.settings import Settings

if TYPE_CHECKING:
    from ragqa.index.run import Run
    from ragqa.index.summary import Summary

PAUSE = 10.0  # seconds until an index that could not be written is tried again


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ragqa watch ~/notes -c notes")(watch)


def watch(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.", metavar="PATH...", readable=False)],
    collection: Into = None,
    glob: Glob = None,
    exclude: Exclude = None,
    hidden: Hidden = False,
    no_ignore: NoIgnore = False,
    include_secrets: Secrets = False,
    follow: Follow = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="A line for every update, in a pipe too.")] = False,
    db: Db = None,
    embed_model: EmbedModel = None,
    option: Options = None,
    quiet: Quiet = False,
) -> None:
    """Bring the index up to date, and keep it so while files change, until Ctrl-C ends it."""
    from ragqa.index.run import Run
    from ragqa.walk import Wanted

    settings = settle(db=db, embed_model=embed_model, options=option)
    own = (settings.models.resolve(),)
    wanted = Wanted(glob, tuple(exclude or ()), hidden, no_ignore, include_secrets, follow, own)
    run = Run(wanted, collection, max_file_size=settings.max_file_size, read_seconds=settings.read_seconds)
    Watcher(settings, run, verbose, quiet).run(paths)


class Watcher:
    """One command that waits and works in turn; between two updates it holds no lock and no index."""

    def __init__(self, settings: Settings, asked: Run, verbose: bool, quiet: bool) -> None:
        self.settings = settings
        self.asked = asked
        self.says = not quiet and (verbose or sys.stdout.isatty())
        self.quiet = quiet
        self.stop = Event()
        self.heard: list[BaseException] = []
        self.told: set[tuple[Path, str]] = set()
        self.away: set[Path] = set()

    def run(self, paths: Sequence[Path]) -> None:
        """Keep up until a signal ends it, which is raised."""
        from ragqa.walk.roots import resolve_roots
        from ragqa.walk.watch import turns

        roots = resolve_roots(paths).real
        coming = turns(roots, self.asked.wanted, self.settings.db, self.stop)
        first = True
        with stoppable():
            while there := self._next(roots, coming):
                self._update(paths if first else there, first)
                if first:
                    names = ", ".join(path_from_here(root) for root in roots)
                    advise(f"watching {names}; Ctrl-C ends it", self.quiet)
                first = False

    def _next(self, roots: Sequence[Path], coming: Iterator[list[Path]]) -> list[Path]:
        """Wait for a change. A signal is only noted meanwhile: what listens to the system would swallow it."""
        there: list[Path] = []
        with stoppable(then=self._hear):
            while not there and not self.stop.is_set():  # none of the roots is there
                there = next(coming, [])
                self._tell_of_roots(roots, there)
        self._raise_heard()
        return there

    def _hear(self, stop: BaseException) -> None:
        self.heard.append(stop)
        self.stop.set()

    def _raise_heard(self) -> None:
        if self.heard:
            raise self.heard[0]

    def _update(self, roots: Sequence[Path], first: bool) -> None:
        from ragqa.index import update_index
        from ragqa.index.summary import Summary

        said = False
        while True:
            summary = Summary()
            try:
                fill = partial(update_index, roots, run=self.asked)
                fill_once(self.settings, fill, summary, self.quiet or not first)
            except UsageError:  # a root has vanished in this moment; it will be seen
                if first:
                    raise
                return
            except (IndexLocked, NotWritable) as error:
                if first:
                    raise
                if not said:
                    self._say(f"{error.message}; trying again")
                said = True
                self._pause()
            else:
                self._tell(summary, first)
                return

    def _pause(self) -> None:
        with stoppable(then=self._hear):
            self.stop.wait(PAUSE)
        self._raise_heard()

    def _tell_of_roots(self, roots: Sequence[Path], there: Sequence[Path]) -> None:
        """A line for each root that has vanished or come back."""
        away = set() if self.stop.is_set() else set(roots) - set(there)
        for root in roots:
            if root in away - self.away:
                self._say(f"{path_from_here(root)} is not there; its documents stay as they are")
            elif root in self.away - away:
                self._say(f"{path_from_here(root)} is there again")
        self.away = away

    def _tell(self, summary: Summary, first: bool) -> None:
        """One line an update, unless nothing has changed; files that were passed over are named once."""
        new = [one for one in summary.warnings if one not in self.told]
        self.told = set(summary.warnings)
        if first or summary.indexed or summary.moved or summary.removed or new:
            named = "".join(f"; {path_from_here(path)}: {reason}" for path, reason in new[:1])
            self._say(f"{summary_line(summary)}{named}")

    def _say(self, line: str) -> None:
        if self.says:
            print(f"{time.strftime('%H:%M:%S')} {shown(line)}", flush=True)
