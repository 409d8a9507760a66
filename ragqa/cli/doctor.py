"""`ragqa doctor`: whether ragqa can work here, and what mends it where it cannot."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from ragqa.cli.options import Db, settle
from ragqa.cli.render import console, in_line, print_json
from ragqa.errors import UsageError
from ragqa.settings import settings_without_files, unknown_settings

if TYPE_CHECKING:
    from ragqa.doctor import Finding, Subject

FAULT = 1
COLOURS = {"ok": "green", "note": "yellow", "fault": "bold red"}


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ragqa doctor --offline")(doctor)


def doctor(
    offline: Annotated[
        bool, typer.Option("--offline", help="Also ask a question under watch, to see that it opens no connection.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    db: Db = None,
) -> int:
    """Look over machine, models, index and settings; say what is wrong and what mends it. Exit 1 on a fault."""
    findings = []
    with _progress() as (progress, clear):
        for finding in _findings(db, offline, progress):
            findings.append(finding)
            if not as_json:
                clear()
                _print(finding)
    faults = sum(finding.level == "fault" for finding in findings)
    if as_json:
        print_json({"ok": not faults, "findings": [asdict(finding) for finding in findings]})
    elif faults:
        print(f"{faults} fault{'s' * (faults != 1)}")
    return FAULT if faults else 0


def _findings(db: Db, offline: bool, progress: Callable[[str, float], None]) -> Iterator[Finding]:
    """Of every check in turn."""
    from ragqa.doctor import kept, machine, surroundings, weights
    from ragqa.doctor.offline import offline as asked_offline

    config, subject = _subject(db, progress)
    yield config
    for check in (
        machine.program,
        machine.processor,
        machine.memory,
        machine.disk,
        machine.libraries,
        machine.confinement,
        weights.models,
        kept.index,
        kept.history,
        kept.privacy,
        surroundings.terminal,
        surroundings.warm,
        *([asked_offline] if offline else []),
    ):
        yield from check(subject)


def _subject(db: Db, progress: Callable[[str, float], None]) -> tuple[Finding, Subject]:
    """The settings, or the defaults where those cannot be read, and which of both."""
    from ragqa.doctor import Finding, Subject

    try:
        settings = settle(db=db)
        there = f"{settings.config} read" if settings.config.exists() else f"{settings.config}: none, so the defaults"
        config = Finding("ok", "settings", there)
    except UsageError as error:
        settings = settings_without_files(os.environ)
        config = Finding("fault", "settings", *_wrong(settings.config, error))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    return config, Subject(settings, os.environ, width, sys.stdout.encoding or "", progress)


def _wrong(config: Path, error: UsageError) -> tuple[str, str]:
    """What is wrong with the settings, and what mends it."""
    with suppress(UsageError):
        for name in unknown_settings(config):
            if error.message == f"{config}: unknown setting {name!r}":
                said = "; ".join(filter(None, (error.message, error.hint)))
                return said, f"ragqa config unset {quote(name)}"
    return error.message, error.hint or "correct it in that file"


def _print(finding: Finding) -> None:
    from rich.text import Text

    line = Text.assemble((f"{finding.level:<6}", COLOURS[finding.level]), in_line(f"{finding.about}: {finding.said}"))
    if finding.mend:
        line.append(f"\n       mend: {in_line(finding.mend)}")
    console().print(line, soft_wrap=True)


@contextmanager
def _progress() -> Iterator[tuple[Callable[[str, float], None], Callable[[], None]]]:
    """A line on the terminal of what is being done; the second function takes it away until there is more to say."""
    if not sys.stderr.isatty():
        yield lambda what, share: None, lambda: None
        return
    shown = console(stderr=True).status("looking")

    def show(what: str, share: float) -> None:
        shown.update(f"{what} ({share:.0%})")
        shown.start()

    try:
        yield show, shown.stop
    finally:
        shown.stop()
