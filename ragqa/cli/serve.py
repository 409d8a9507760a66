"""`ragqa serve`: a warm process that keeps the models in memory for the commands to come."""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragqa.cli.options import Db, EmbedModel, Model, Options, Quiet, settle
from ragqa.cli.render import print_json, print_table
from ragqa.errors import RagqaError, UsageError
from ragqa.settings import Settings

if TYPE_CHECKING:
    from ragqa.types import JSON

NOT_RUNNING = 4
NEW, OLD = "new", "old"  # a warm process that was started now, or that ran before
ANSWERED = (0, 4, 5)  # exit codes of a question that was asked

Command = Callable[[], int]


def register(app: typer.Typer, command: Command) -> None:
    """Add the command; `command` is what a warm process runs for others."""

    @app.command(epilog="Example: ragqa serve --background --idle 60")
    def serve(
        background: Annotated[bool, typer.Option("--background", help="Go on without the terminal.")] = False,
        stop: Annotated[bool, typer.Option("--stop", help="End the one that runs; running commands finish.")] = False,
        status: Annotated[bool, typer.Option("--status", help="Say whether one runs, and what it holds.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="With --status: one JSON document.")] = False,
        idle: Annotated[
            float | None, typer.Option(min=0, help="End after so many minutes without a command; 0: never.")
        ] = None,
        quotes: Annotated[bool, typer.Option("--quotes", help="Hold no Llama.")] = False,
        model: Model = None,
        db: Db = None,
        embed_model: EmbedModel = None,
        option: Options = None,
        quiet: Quiet = False,
    ) -> int:
        """Keep the models in memory, so that questions are answered at once.

        `ask`, `search`, `similar`, `ls`, `get`, `status` and `path` use it when it is there and print the same.
        RAGQA_WARM=1 starts one after the first question or search; RAGQA_WARM=0 uses none.
        """
        if sum((background, stop, status)) > 1 or (as_json and not status):
            raise UsageError("--background, --stop and --status exclude each other, and --json goes with --status")
        if status:
            return _print_status(as_json)
        if stop:
            return _stop(quiet)
        options = [*(option or []), *([] if idle is None else [f"idle={idle}"])]
        settings = settle(db=db, model=model, embed_model=embed_model, options=options)
        return _start(settings, background=background, quotes=quotes, quiet=quiet, command=command)


def start_if_wanted(arguments: Sequence[str], code: int, environ: Mapping[str, str]) -> None:
    """After a question was answered here, have a warm process for the next one, where RAGQA_WARM=1 asks for it."""
    from ragqa.warm.client import is_asking

    if environ.get("RAGQA_WARM") == "1" and code in ANSWERED and is_asking(arguments):
        from ragqa.warm.start import start_beside

        start_beside(environ)


def _start(settings: Settings, *, background: bool, quotes: bool, quiet: bool, command: Command) -> int:
    from ragqa.warm.place import socket_path
    from ragqa.warm.start import ANSWERING, in_background, status, tries

    environ = dict(os.environ)
    path = socket_path(environ)

    def run(announce: Callable[[JSON, str], None]) -> None:
        _claim_and_keep(settings, Path(path), environ, quotes, command, announce)

    if background:
        word = in_background(lambda tell: run(lambda _held, word: tell(word)))
        found = next(filter(None, (status(environ) for _try in tries(ANSWERING))), None)
        if not found:
            raise RagqaError("the warm process ended as soon as it had started", "without --background it says why")
        _say_what_is_held(quiet, found, word)
    else:
        run(partial(_say_what_is_held, quiet))
    return 0


def _claim_and_keep(
    settings: Settings,
    path: Path,
    environ: Mapping[str, str],
    quotes: bool,
    command: Command,
    announce: Callable[[JSON, str], None],
) -> None:
    """Load what a question needs and serve; where another process does so already, wait until it answers."""
    from ragqa.cli.keep import hold
    from ragqa.warm.meeting import Meeting
    from ragqa.warm.server import Keeping, serve
    from ragqa.warm.start import STARTING, status, tries

    for _try in tries(STARTING):
        meeting = Meeting.claim(path)
        if meeting:
            held = hold(settings, quotes=quotes)
            keeping = Keeping(command, environ, held.rehearsal, held.is_current, held.describe, _seconds(settings.idle))
            serve(keeping, meeting, partial(announce, {"pid": os.getpid()} | held.describe(), NEW))
            return
        if found := status(environ):  # None while it starts, and when it ends because it is out of date
            announce(found, OLD)
            return
    raise RagqaError("another warm process is starting and does not get on", "end it, and try again")


def _seconds(minutes: float) -> float:
    """Of idleness; 0, which is for ever, where there is no number for them."""
    return minutes * 60 if math.isfinite(minutes * 60) else 0.0


def _say_what_is_held(quiet: bool, held: JSON, word: str) -> None:
    """On one line; of a process that ran before, that it is not as this command line wants it."""
    if not quiet:
        names = ", ".join(held.get("models", ()))
        how, kept = ("warm already", "; it keeps its own settings") if word == OLD else ("warm", "")
        sys.stderr.write(f"ragqa: {how}, process {held.get('pid')}, with {names}{kept}\n")
        sys.stderr.flush()


def _print_status(as_json: bool) -> int:
    from ragqa.warm.start import status

    found = status(os.environ)
    if as_json:
        print_json({"running": bool(found)} | (found or {}))
    elif found:
        since = datetime.fromtimestamp(found["since"], UTC).isoformat(timespec="seconds")
        rows = found | {"since": since, "models": ", ".join(found["models"])}
        print_table(("", ""), list(rows.items()))
    else:
        print("no warm process is running")
    return 0 if found else NOT_RUNNING


def _stop(quiet: bool) -> int:
    """Ask it to end, and wait until it takes no more commands."""
    from ragqa.warm.start import STOPPING, status, tries

    found = status(os.environ)
    if found:
        os.kill(found["pid"], signal.SIGTERM)
        if all(status(os.environ) for _try in tries(STOPPING)):
            raise RagqaError(f"the warm process does not end; it is process {found['pid']}", "end it with `kill`")
    if not quiet:
        sys.stderr.write("ragqa: the warm process has ended\n" if found else "ragqa: no warm process is running\n")
    return 0
