"""Which block of reStructuredText begins on a line, and where it ends: by the lines alone."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple

from ragqa.document import Kind

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*\Z")
SHORTEST = 4  # characters of an adornment that is shorter than its title

_BULLET = re.compile(r"[*+\-•‣⁃](?:\s|\Z)")
_NUMBER = re.compile(r"\(?(?:\d{1,4}|#|[A-Za-z]|[ivxlcdm]{1,8}|[IVXLCDM]{1,8})[.)](?:\s|\Z)")
_FIELD = re.compile(r":(?![: ])(?:[^:\\]|\\.|:(?!\s|\Z)){1,100}:(?:\s|\Z)")
_OPTION = re.compile(r"(?:--?[A-Za-z]|/[A-Z])[\w-]{0,40}(?:[ =,]\S{1,40}){0,6}(?:  |\Z)")
_DIRECTIVE = re.compile(r"\.\.\s+(?:\|[^|]{1,100}\|\s+)?([\w+.:-]{1,60}?)\s?::(?:\s|\Z)")
_FOOTNOTE = re.compile(r"\.\.\s+\[[^\]]{1,100}\](?:\s|\Z)")
_GRID = re.compile(r"\+[-=]+(?:\+[-=]+)*\+\Z")
_SIMPLE = re.compile(r"=+(?: +=+)+\Z")
_TABLES = ("table", "csv-table", "list-table", "flat-table")
_TEXTS = frozenset(  # directives whose content is text that somebody reads
    """attention caution danger error hint important note tip warning admonition seealso todo topic sidebar rubric
    epigraph highlights pull-quote compound container glossary centered hlist figure deprecated versionadded
    versionchanged versionremoved function class method attribute data exception module option envvar describe object
    confval cmdoption program describe tab tab-item dropdown card""".split()
)


class Lines(list[str]):
    """The lines of a text, without the white space at their ends."""

    @cached_property
    def closings(self) -> list[int]:
        """Those that may end a table, as borders with nothing below."""
        return [n for n, line in enumerate(self) if _SIMPLE.match(line) and is_blank(self.at(n + 1))]

    def at(self, n: int) -> str:
        return self[n] if n < len(self) else ""

    def blank_from(self, n: int) -> int:
        """The first line from `n` on that is blank."""
        return next((at for at in range(n, len(self)) if is_blank(self[at])), len(self))

    def set_in_from(self, n: int) -> int:
        """The first line from `n` on that is neither blank nor set in."""
        return next((at for at in range(n, len(self)) if not is_blank(self[at]) and not is_set_in(self[at])), len(self))


class Heading(NamedTuple):
    """A title with what is drawn around it.

    Attributes:
        style: The character of its adornment, and whether there is one above it too.
        end: The line after it.
    """

    title: str
    style: tuple[str, bool]
    end: int


class Found(NamedTuple):
    """A block.

    Attributes:
        end: The line after it.
        literal: Whether what is set in after it is code.
    """

    kind: Kind
    end: int
    literal: bool = False


def is_blank(line: str) -> bool:
    return not line.strip()


def is_set_in(line: str) -> bool:
    return line[:1].isspace()


def heading_at(lines: Lines, n: int) -> Heading | None:
    """The section title that begins on a line."""
    first, second, third = lines[n], lines.at(n + 1), lines.at(n + 2)
    over, under = _ADORNMENT.match(first), _ADORNMENT.match(second)
    if over:
        drawn = third == first and not is_blank(second) and len(first) >= min(len(second.strip()), SHORTEST)
        return Heading(second.strip(), (over[1], True), n + 3) if drawn else None
    if not under or is_set_in(first) or _BULLET.match(first) or first.startswith(".. "):
        return None
    return Heading(first, (under[1], False), n + 2) if len(second) >= min(len(first), SHORTEST) else None


def block_at(lines: Lines, n: int, *, literal: bool) -> Found:
    """The block that begins on a line that is neither blank nor a section's title.

    Args:
        literal: Whether the block before says that code follows.
    """
    line = lines[n]
    if is_set_in(line):
        return Found("code" if literal else "quotation", lines.set_in_from(n))
    if line == ".." or line.startswith(".. "):
        return _explicit(lines, n)
    if _GRID.match(line):
        return Found("table", lines.blank_from(n))
    if _SIMPLE.match(line):
        closing = bisect_right(lines.closings, n)
        return Found("table", lines.closings[closing] + 1 if closing < len(lines.closings) else lines.blank_from(n))
    if line.startswith(">>> "):
        return Found("code", lines.blank_from(n))
    end = n
    while end < len(lines) and _begins_an_item(lines, end):
        end = lines.set_in_from(end + 1)
    if end > n:
        return Found("list", end)
    end = lines.blank_from(n)
    return Found("paragraph", end, lines[end - 1].endswith("::"))


def _explicit(lines: Lines, n: int) -> Found:
    """A directive, a footnote, a target or a remark."""
    if lines[n] == ".." and is_blank(lines.at(n + 1)):
        return Found("code", n + 1)
    end, directive = lines.set_in_from(n + 1), _DIRECTIVE.match(lines[n])
    if directive:
        name = directive[1].rpartition(":")[2].lower()
        return Found("table" if name in _TABLES else "quotation" if name in _TEXTS else "code", end)
    return Found("paragraph" if _FOOTNOTE.match(lines[n]) else "code", end)


def _begins_an_item(lines: Lines, n: int) -> bool:
    """Whether it is the first line of an item: of bullets, numbers, fields, options, or a term with what it means."""
    line, after = lines[n], lines.at(n + 1)
    if _BULLET.match(line) or _FIELD.match(line) or _OPTION.match(line):
        return True
    if line.startswith((".. ", "| ", ">>> ")) or _GRID.match(line) or _SIMPLE.match(line):
        return False
    if is_set_in(after) and not is_blank(after):
        return not heading_at(lines, n)
    return bool(_NUMBER.match(line)) and (is_blank(after) or bool(_NUMBER.match(after)))
