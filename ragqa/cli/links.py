"""Places that a terminal can open: what a click goes to is made here, from an absolute path, and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ragqa.cli.render import in_line
from ragqa.document import Place

if TYPE_CHECKING:
    from rich.text import Text

LONGEST = 2000  # bytes of an address; some terminals take no more than 2083
OLD_VTE = 5000  # before this version, 0.50, such terminals show the address as text
UNABLE = ("", "dumb", "linux", "screen", "vt100", "vt220")  # TERM of those that show it, too


def place_text(label: str, path: Path, line: int = 1, place: Place | None = None, *, style: str = "cyan") -> Text:
    """A place as it is printed, safe to show; a click opens it where the terminal can.

    Args:
        path: What a click opens. One that is not absolute, such as standard input's, opens nothing.
        line: Where in it, from 1; most terminals open the file alone.
        place: Where in it, other than on lines.
    """
    from rich.style import Style
    from rich.text import Text

    text = Text(in_line(label), style=style)
    address = address_of(path, line, os.environ, place)
    if address and is_terminal() and can_link(os.environ):
        text.stylize(Style(link=address))
    return text


def is_terminal() -> bool:
    """In a pipe there is nothing to click, whatever FORCE_COLOR says."""
    return sys.stdout.isatty()


def can_link(environ: Mapping[str, str]) -> bool:
    """Whether a terminal understands links, or its user says so: RAGQA_HYPERLINKS=1 or 0."""
    wish, vte = environ.get("RAGQA_HYPERLINKS", ""), environ.get("VTE_VERSION", "")
    if wish in ("0", "1"):
        return wish == "1"
    return environ.get("TERM", "") not in UNABLE and not (vte.isdigit() and int(vte) < OLD_VTE)


def address_of(path: Path, line: int, environ: Mapping[str, str], place: Place | None = None) -> str:
    """A file's address in printable ASCII without spaces, whatever is in its name; empty where it can have none.

    Only what the terminal is known to understand says the line: GNOME's opens nothing if there is a `#`. A page is
    said to all others: browsers and most viewers turn to it, and what does not know it opens the file.
    """
    if not path.is_absolute():
        return ""
    name = quote(os.fsencode(path), safe="/")
    has_lines = place is None or bool(place.line)
    address = f"file://{quote(os.uname().nodename)}{name}"
    if has_lines and environ.get("TERM_PROGRAM") == "vscode":
        address = f"vscode://file{name}:{line}"
    elif has_lines and environ.get("TERM") == "xterm-kitty":
        address += f"#{line}"
    elif place and place.kind == "page" and not environ.get("VTE_VERSION"):
        address += f"#page={place.number}"
    return address if len(address) <= LONGEST else ""
