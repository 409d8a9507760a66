"""Show a file that no text editor can, such as a PDF on its page; no shell has a hand in it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ragqa.errors import RagqaError, UsageError

CHOSEN = "RAGQA_OPENER"
HOW_TO_CHOOSE = "name a program with `export RAGQA_OPENER=evince`"
SOON = 1.0  # seconds in which a program that cannot show a file has said so
# How a viewer of PDFs is told the page; the first that is installed is taken.
VIEWERS: Mapping[str, Sequence[str]] = {
    "evince": ("--page-index={page}", "{file}"),
    "papers": ("--page-index={page}", "{file}"),
    "okular": ("-p", "{page}", "{file}"),
    "atril": ("--page-index={page}", "{file}"),
    "xreader": ("--page-index={page}", "{file}"),
    "zathura": ("-P", "{page}", "{file}"),
    "mupdf": ("{file}", "{page}"),
}
DESKTOP = "open" if sys.platform == "darwin" else "xdg-open"  # asks the desktop which program it is; it knows no page
_running: list[subprocess.Popen[bytes]] = []  # programs that may outlive the conversation


def view(path: Path, page: int, environ: Mapping[str, str]) -> None:
    """Have a program show the file: RAGQA_OPENER, for a PDF a known viewer, else the desktop's choice.

    A program with a window of its own is not waited for; one that is chosen and not known here may need the terminal,
    so it has it until it ends.

    Args:
        path: Absolute, and checked.
        page: Of a PDF, from 1; 0 where there is none.

    Raises:
        RagqaError: There is no such program, or it failed.
    """
    words = _chosen(environ)
    program = Path(words[0]).name if words else ""
    if words and program not in (*VIEWERS, DESKTOP):
        wait_for([*words, str(path)], environ, HOW_TO_CHOOSE)
        return
    if not words:
        program = _installed(page, environ)
        words = [program]
    form = VIEWERS.get(program, ()) if page else ()
    _start([*words, *(word.format(page=page, file=path) for word in form or ("{file}",))], environ)


def _chosen(environ: Mapping[str, str]) -> list[str]:
    try:
        return shlex.split(environ.get(CHOSEN, ""))
    except ValueError as error:
        raise UsageError(f"{CHOSEN}={environ[CHOSEN]}: {error}", HOW_TO_CHOOSE) from error


def _installed(page: int, environ: Mapping[str, str]) -> str:
    if sys.platform != "darwin" and not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        raise UsageError("there is no desktop to show the file on", HOW_TO_CHOOSE)
    wanted: list[str] = [*(VIEWERS if page else ()), DESKTOP]
    for name in wanted:
        if shutil.which(name, path=environ.get("PATH")):
            return name
    raise UsageError("no program is chosen to show the file, and none is known here", HOW_TO_CHOOSE)


def _start(command: Sequence[str], environ: Mapping[str, str]) -> None:
    """In a session of its own, so that neither Ctrl-C nor the end of the terminal ends it."""
    nothing = subprocess.DEVNULL
    try:
        running = subprocess.Popen(
            command, env=dict(environ), stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
        )
    except OSError as error:
        raise RagqaError(f"{command[0]}: {error.strerror}", HOW_TO_CHOOSE) from error
    _running.append(running)
    try:
        code = running.wait(SOON)
    except subprocess.TimeoutExpired:
        return
    if code:
        raise RagqaError(f"{command[0]} ended with exit code {code}", HOW_TO_CHOOSE)


def wait_for(command: Sequence[str], environ: Mapping[str, str], hint: str) -> None:
    """Run a program in the terminal until it ends; raises RagqaError where it cannot be run, or fails."""
    try:
        code = subprocess.run(command, env=dict(environ), check=False).returncode
    except OSError as error:
        raise RagqaError(f"{command[0]}: {error.strerror}", hint) from error
    if code:
        raise RagqaError(f"{command[0]} ended with exit code {code}", hint)
