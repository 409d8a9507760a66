"""Open a quote's file where it stands, or a text, in the user's editor; no shell has a hand in it."""

from __future__ import annotations

import shlex
import shutil
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from ragqa.cli.render import in_line
from ragqa.cli.viewing import view, wait_for
from ragqa.document import Place
from ragqa.errors import UsageError

CHOSEN = ("RAGQA_EDITOR", "VISUAL", "EDITOR")
USUAL = ("sensible-editor", "editor", "nano", "vim", "vi")  # where none is chosen, the first that is installed
HOW_TO_CHOOSE = "name one with `export RAGQA_EDITOR=nano`"
LOOKED_AT = 8192  # bytes; a NUL among them is in no text
# How an editor is told the line; one that is not here is given the file alone.
PLUS = "vi vim nvim gvim nano emacs emacsclient micro kak joe ne mg jed pico sensible-editor editor".split()
GOTO = "code code-insiders codium vscodium cursor".split()
COLON = "subl sublime_text zed hx helix".split()


def open_source(path: Path, line: int, environ: Mapping[str, str], place: Place | None = None) -> None:
    """Run the editor and wait until it ends; what an editor cannot show is shown by another program, on its page.

    The editor is RAGQA_EDITOR, VISUAL or EDITOR, with its options if it has any, and else one that is installed,
    which is said.

    Args:
        path: Absolute, and checked: what was indexed may be something else by now.
        line: From 1.
        place: Where in the file the quote stands, other than on lines.

    Raises:
        RagqaError: There is no file or no such program, or it failed.
    """
    require_file(path)
    if (place and not place.line) or _is_binary(path):
        view(path, place.number if place and place.kind == "page" else 0, environ)
        return
    words = editor(environ)
    wait_for([*words, *_place(words[0], path, line)], environ, HOW_TO_CHOOSE)


def edited(text: str, environ: Mapping[str, str]) -> str:
    """What a text was made in the editor; the text itself if it was left without saving.

    Raises:
        RagqaError: There is no editor, or it failed.
    """
    words = editor(environ)
    with TemporaryDirectory(prefix="ragqa-") as folder:  # nobody else can look into it
        path = Path(folder) / "question.md"
        path.write_text(text, encoding="utf-8", errors="replace")
        wait_for([*words, str(path)], environ, HOW_TO_CHOOSE)
        return path.read_text(encoding="utf-8", errors="replace")


def _is_binary(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"\0" in file.read(LOOKED_AT)
    except OSError:
        return False  # the editor says it better


def require_terminal(command: str, hint: str) -> None:
    """Refuse an editor where it would read the questions of a pipe, or draw into one.

    Raises:
        UsageError: Input or output is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(f"{command} opens an editor, which wants a terminal", hint)


def require_file(path: Path) -> None:
    """Refuse what no editor should be given.

    Raises:
        UsageError: It is no regular file that is there now.
    """
    if not path.is_absolute():  # an editor could take its name for an option
        raise UsageError(f"{in_line(str(path))}: not a file that can be opened")
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "it has been moved or deleted since it was indexed") from error
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path}: not a regular file")


def editor(environ: Mapping[str, str]) -> list[str]:
    """The words that the editor is run with.

    Raises:
        UsageError: None is chosen and none is installed, or what is chosen cannot be read.
    """
    variable = next((name for name in CHOSEN if environ.get(name, "").strip()), None)
    if variable is None:
        return [_installed(environ)]
    try:
        return shlex.split(environ[variable])
    except ValueError as error:
        raise UsageError(f"{variable}={environ[variable]}: {error}", HOW_TO_CHOOSE) from error


def _installed(environ: Mapping[str, str]) -> str:
    found = next((name for name in USUAL if shutil.which(name, path=environ.get("PATH"))), None)
    if found is None:
        raise UsageError("no editor is chosen and none is installed", HOW_TO_CHOOSE)
    if sys.stderr.isatty():
        sys.stderr.write(f"{', '.join(CHOSEN[:-1])} and {CHOSEN[-1]} are not set; this is {found}\n")
    return found


def _place(program: str, path: Path, line: int) -> list[str]:
    name = Path(program).name
    if name in PLUS:
        return [f"+{line}", str(path)]
    if name in GOTO:
        return ["--goto", f"{path}:{line}"]
    return [f"{path}:{line}" if name in COLON else str(path)]
