"""What `--where` says → which documents a search may see.

A term begins with what it is about: `path:notes/2024/*`, `tag:python`, `type:pdf`, `after:2024-01-31`, `before:2024`.
Without that it is the path of a file, a folder or a pattern. A document has to fulfil one term of each kind.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path

from ragqa.document import RECORD_TYPE
from ragqa.errors import UsageError
from ragqa.files import composed
from ragqa.read.about import tag_of
from ragqa.read.formats import BY_NAME, READERS
from ragqa.types import Filter

KINDS = ("path", "tag", "type", "after", "before")
# What people try in place of these; nothing else before a colon is more than a part of a path.
MEANT = {
    "collection": "-c NAME",
    **dict.fromkeys(("since", "from", "date"), "after:2024-01-31"),
    "until": "before:2024-12-31",
    **dict.fromkeys(("format", "suffix", "ext"), "type:pdf"),
    **dict.fromkeys(("file", "folder", "glob"), "path:notes"),
}
THERE_ARE = "path:PATTERN or the pattern alone, such as 'notes/2024/*', tag:NAME, type:FORMAT, after:DATE, before:DATE"
LONGEST = 49_000  # bytes of a pattern; SQLite compares 50,000, and something is put before and behind it
_SURROGATES = re.compile("[\ud800-\udfff]+")
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def parse_where(terms: Sequence[str], *, collections: Sequence[str] = (), here: Path) -> Filter:
    """The filter that some terms make together.

    Args:
        here: The working folder, from which a path may be meant; all ids of documents are tried as well.

    Raises:
        UsageError: A term is no date, or of a kind that there is not.
    """
    said: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for term in terms:
        kind, value = _divided(term)
        said[kind] += _MAKE[kind](value) if kind != "path" else _paths(value, here)
    return Filter(
        collections=tuple(collections),
        paths=tuple(dict.fromkeys(said["path"])),
        types=tuple(dict.fromkeys(said["type"])),
        tags=tuple(dict.fromkeys(said["tag"])),
        after=min(said["after"], default=""),
        before=max(said["before"], default=""),
        terms=tuple(terms),
    )


def _divided(term: str) -> tuple[str, str]:
    """The kind of a term, and what it says of it."""
    before, colon, value = term.partition(":")
    before = before.lower()
    if colon and before in KINDS and value.strip():
        return before, value.strip()
    if not term.strip() or (colon and before in KINDS):
        raise UsageError(f"--where {term!r}: nothing is said", f"there are: {THERE_ARE}")
    near = get_close_matches(before, KINDS, n=1, cutoff=0.7)
    if colon and (near or before in MEANT):
        meant = f"{near[0]}:{value}" if near else MEANT[before]
        raise UsageError(f"--where {term}: no `{before}:`; did you mean {meant}?", f"there are: {THERE_ARE}")
    return "path", term


def _type(name: str) -> list[str]:
    """A format by its name, or by a suffix of its files."""
    name = name.lower().removeprefix(".")
    if name in (*BY_NAME, RECORD_TYPE):
        return [name]
    if f".{name}" in READERS:
        return [READERS[f".{name}"].name]
    near = get_close_matches(f".{name}", READERS, n=1)
    meant = f"; did you mean type:{near[0][1:]}?" if near else ""
    raise UsageError(f"--where type:{name}: no such format{meant}", f"there are: {', '.join([*BY_NAME, RECORD_TYPE])}")


def _first_day(value: str) -> list[str]:
    year, month, day = _parts("after", value)
    return [_checked("after", value, lambda: date(year, month or 1, day or 1))]


def _last_day(value: str) -> list[str]:
    year, month, day = _parts("before", value)
    month = month or 12

    def last() -> date:
        if day:
            return date(year, month, day)
        return date(year, 12, 31) if month == 12 else date(year, month + 1, 1) - timedelta(days=1)

    return [_checked("before", value, last)]


def _parts(kind: str, value: str) -> tuple[int, int, int]:
    """Year, month and day; 0 for what is not said."""
    found = _DATE.fullmatch(value)
    if not found:
        raise _no_date(kind, value)
    year, month, day = (int(part) if part is not None else 0 for part in found.groups())
    if (found[2] and not month) or (found[3] and not day):
        raise _no_date(kind, value)
    return year, month, day


def _checked(kind: str, value: str, made: Callable[[], date]) -> str:
    try:
        return made().isoformat()
    except ValueError:
        raise _no_date(kind, value) from None


def _no_date(kind: str, value: str) -> UsageError:
    return UsageError(f"--where {kind}:{value}: not a date", "such as 2024, 2024-01 or 2024-01-31")


def _paths(path: str, here: Path) -> list[str]:
    """Patterns for a path as a document's id has it, as it is from here, and, for a name alone, in any folder."""
    bare = path.rstrip("/") or path
    patterns = [bare, *([] if "/" in bare else [f"**/{bare}"])]
    if not bare.startswith("*"):
        patterns += _absolute(bare, here)
    literal = [_escaped(one) for one in patterns if "[" in one]  # a bracket may well be a part of a name
    made = [composed(_SURROGATES.sub("*", one)) for one in (*patterns, *literal)]
    if any(len(one.encode()) > LONGEST for one in made):
        raise UsageError(f"--where {path[:20]}…: too long", f"at most {LONGEST:,} bytes of a path are compared")
    return made


def _absolute(path: str, here: Path) -> list[str]:
    """As it is written and with links resolved."""
    try:
        place = here / Path(path).expanduser()
        return [os.path.normpath(place), str(place.resolve())]
    except (OSError, RuntimeError, ValueError):  # nobody of that name has a home; a circle of links; a NUL
        return []


def _escaped(pattern: str) -> str:
    return pattern.replace("[", "[[]")


_MAKE: dict[str, Callable[[str], list[str]]] = {
    "tag": lambda value: [tag_of(value)],
    "type": _type,
    "after": _first_day,
    "before": _last_day,
}
