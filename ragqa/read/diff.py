"""Differences between files, as `diff -u` and `git diff` print them: each piece is code under the name of its file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ragqa.document import Block
from ragqa.read.reading import Reading
from ragqa.read.text import decode, text_blocks

_NAMES = r"--- (?P<old>[^\n\t]*+)[^\n]*+\n\+\+\+ (?P<new>[^\n\t]*+)[^\n]*+\n"  # nothing is taken back: no squares
_HEAD = re.compile(
    r"^(?=diff --git |--- [^\n]*\n\+\+\+ )"
    rf"(?:diff --git (?P<both>[^\n]*)\n(?:(?!diff )[A-Za-z][^\n]*\n)*)?(?:{_NAMES})?",
    re.M,
)
_PIECE = re.compile(r"^@@ -\d+(?:,(?P<old>\d+))? \+\d+(?:,(?P<new>\d+))? @@[^\n]*\n", re.M)
_PLAIN_NAMES = re.compile(rf"^{_NAMES}", re.M)
_NOWHERE = "/dev/null"


def read(content: bytes, name: str) -> Reading:
    """A difference as it stands, by its pieces; raises BadInput where it is no text."""
    text, repaired, notes = decode(name, content)
    return Reading(text, diff_blocks(text), repaired=repaired, notes=notes)


def is_diff(text: str) -> bool:
    """Whether the names of two files stand in it right above a piece."""
    return any(_PIECE.match(text, found.end()) for found in _PLAIN_NAMES.finditer(text))


def diff_blocks(text: str) -> tuple[Block, ...]:
    """Blocks that cover the text: what names a file, the pieces of it, and between them what is told in plain text."""
    blocks: list[Block] = []
    for part in _parts(text):
        if blocks and not text[part.start : part.end].strip():
            blocks[-1] = replace(blocks[-1], end=part.end)
        elif part.kind == "code":
            blocks.append(part)
        else:
            told = text_blocks(text[part.start : part.end])
            blocks += [Block("paragraph", part.start + one.start, part.start + one.end) for one in told]
    return tuple(blocks)


def _parts(text: str) -> Iterator[Block]:
    at, name = 0, ""
    heads, pieces = _Ahead(_HEAD, text), _Ahead(_PIECE, text)
    while found := min(filter(None, (heads.next(at), pieces.next(at))), key=lambda match: match.start(), default=None):
        if found.start() > at:
            yield Block("paragraph", at, found.start())
        if found.re is _PIECE:
            end = _end_of_piece(text, found)
        else:
            # What breaks off looks like a head and is none: its line is gone past, or it would be found for ever.
            end, name = found.end(), _name(found)
            if end <= found.start():
                end = text.find("\n", found.start()) + 1 or len(text)
        yield Block("code", found.start(), end, (name,))
        at = end
    if at < len(text):
        yield Block("paragraph", at, len(text))


class _Ahead:
    """What is found next of one kind; searched for again only when it lies behind, or every search is to the end."""

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self._pattern = pattern
        self._text = text
        self._found = pattern.search(text)

    def next(self, at: int) -> re.Match[str] | None:
        if self._found and self._found.start() < at:
            self._found = self._pattern.search(self._text, at)
        return self._found


def _end_of_piece(text: str, head: re.Match[str]) -> int:
    """Its head says how many lines it has: one that is removed may itself look like a head."""
    left = {"-": int(head["old"] or 1), "+": int(head["new"] or 1)}
    at = head.end()
    while at < len(text) and (left["-"] > 0 or left["+"] > 0 or text[at] == "\\"):
        for sign in ("-", "+"):
            left[sign] -= text[at] in (sign, " ", "\n", "\r")
        end = text.find("\n", at)
        at = end + 1 if end >= 0 else len(text)
    return at


def _name(head: re.Match[str]) -> str:
    """The file's path, without the `a/` and `b/` that git puts before it."""
    names = head.groupdict()
    old, new = names["old"], names["new"]
    if not new:
        return (names.get("both") or "").rpartition(" b/")[2]
    name = old if new == _NOWHERE else new
    return name[2:] if name[:2] in ("a/", "b/") else name
