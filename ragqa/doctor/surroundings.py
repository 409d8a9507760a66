"""The terminal, and the warm process."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping

from ragqa.doctor import Finding, Subject

NARROW = 40  # columns
# Terminals that are known to follow links (OSC 8), by a variable that they set; others may, too.
LINKING = ("KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "VTE_VERSION", "WEZTERM_PANE", "ALACRITTY_WINDOW_ID")
LINKING_PROGRAMS = ("iTerm.app", "WezTerm", "vscode", "ghostty")


def terminal(subject: Subject) -> Iterator[Finding]:
    """What can be shown."""
    environ = subject.environ
    if not _is_utf8(subject.encoding):
        said = f"standard output is {subject.encoding}: what it cannot spell becomes `?`"
        yield Finding("note", "terminal", said, "export LANG=C.UTF-8")
    if not subject.width:
        yield Finding("ok", "terminal", "standard output is none, so it is plain text")
        return
    colours = "no colours" if environ.get("NO_COLOR") or environ.get("TERM") == "dumb" else "colours"
    links = "links" if follows_links(environ) else "perhaps no links"
    said = f"{environ.get('TERM') or 'TERM is not set'}, {subject.width} columns, {colours}, {links}"
    if subject.width < NARROW:
        yield Finding("note", "terminal", said, f"make it at least {NARROW} columns wide")
    else:
        yield Finding("ok", "terminal", said)


def _is_utf8(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        return False


def follows_links(environ: Mapping[str, str]) -> bool:
    """A guess, since no terminal says so itself."""
    known = any(environ.get(name) for name in LINKING)
    return known or environ.get("TERM_PROGRAM") in LINKING_PROGRAMS or environ.get("TERM", "").startswith("foot")


def warm(subject: Subject) -> Iterator[Finding]:
    """Whether a warm process answers."""
    from ragqa.warm.start import status

    found = status(subject.environ)
    if found is None:
        yield Finding("ok", "warm process", "none runs; `ragqa serve --background` starts one")
    else:
        yield Finding("ok", "warm process", f"{found.get('pid')} answers, it has served {found.get('served')} commands")
