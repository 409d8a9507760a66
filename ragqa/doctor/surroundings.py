"""The terminal, and the warm process."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from ragqa.cli.links import can_link
from ragqa.doctor import Finding, Subject

NARROW = 40  # columns


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
    links = "links" if can_link(environ) else "no links"
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


def warm(subject: Subject) -> Iterator[Finding]:
    """Whether a warm process answers."""
    from ragqa.warm.start import status

    found = status(subject.environ)
    if found is None:
        yield Finding("ok", "warm process", "none runs; `ragqa serve --background` starts one")
    else:
        yield Finding("ok", "warm process", f"{found.get('pid')} answers, it has served {found.get('served')} commands")
