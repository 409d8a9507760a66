"""What is printed on page after page, numbers the pages or lists them: no part of what a document says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from statistics import median

from ragqa.read.layout import Line, Row, rows_of

MARGIN = 0.12  # of a page's height, at its top and at its bottom
LARGER = 1.2  # times the type of the page's lines: no running head is so large
ROWS = 2  # outermost ones that can be running heads
PAGES = 2  # that have the same words at the same height
ENTRIES = 3  # of a table of contents on a page
COUNTED = 3  # that have the same words but for a number, which grows with them
_LONGEST = 200  # characters that are compared
_NUMBERS = 4  # in a head that may count the pages
_STEP = 3.0  # points; what differs by less is at the same height

_DIGITS = re.compile(r"\d{1,6}")
# Of four digits it may be a year; page numbers that are so large are told by their counting.
_NUMBER = re.compile(
    r"\W*(?:page|seite|pagina|página|sida|side|strona|p\.|s\.)?\s*(?:\d{1,3}|[ivxlc]{1,7})"
    r"(?:\s*(?:of|von|de|di|av|z|/|-)\s*\d{1,4})?\W*",
    re.I,
)
_LEADERS = re.compile(r"(?:[.·…]\s?){5,}\s*(\d{1,6}|[ivxlc]{1,7})\s*$", re.I)

_Key = tuple[bool, int, str]


@dataclass(frozen=True, slots=True)
class _Edge:
    """A line in a margin of a page, which may be the outermost one there."""

    line: Line
    page: int
    upper: bool
    outermost: bool


def without_running(pages: Sequence[tuple[float, Sequence[Line]]]) -> list[list[Line]]:
    """Pages without heads and feet that come again, bare page numbers, and the lines of tables of contents.

    Args:
        pages: The height of each, and its lines.
    """
    rows = [rows_of(lines) for _height, lines in pages]
    edges = [edge for n, (height, _) in enumerate(pages) for edge in _edges(n, height, rows[n])]
    seen = Counter(key for edge in edges for key in _keys(edge))
    left_out = {(edge.page, edge.line) for edge in edges if _runs(seen, edge)}
    return [
        [line for row in page for line in row if (n, line) not in left_out]
        for n, page in enumerate(_without_contents(rows))
    ]


def _edges(page: int, height: float, rows: Sequence[Row]) -> Iterator[_Edge]:
    usual = median([line.height for row in rows for line in row] or [0.0])
    for upper, ordered in ((True, rows), (False, rows[::-1])):
        for n, line in ((n, line) for n, row in enumerate(ordered[:ROWS]) for line in row):
            inside = line.bottom <= MARGIN * height if upper else line.top >= (1 - MARGIN) * height
            if inside and line.height <= LARGER * usual:
                yield _Edge(line, page, upper, n == 0)


def _keys(edge: _Edge) -> Iterator[_Key]:
    """What a running head has in common on all its pages: its words at their height, but for a number that counts."""
    text, at = edge.line.text.casefold()[:_LONGEST], round(edge.line.top / _STEP)
    yield edge.upper, at, text
    for number in islice(_DIGITS.finditer(text), _NUMBERS):
        yield edge.upper, at, f"{text[: number.start()]}#{int(number[0]) - edge.page}{text[number.end() :]}"


def _runs(seen: Counter[_Key], edge: _Edge) -> bool:
    if edge.outermost and _NUMBER.fullmatch(edge.line.text):
        return True
    same, *counted = (seen[key] for key in _keys(edge))
    return same >= PAGES or any(times >= COUNTED for times in counted)


def _without_contents(pages: Sequence[Sequence[Row]]) -> Iterator[list[Row]]:
    """Pages without entries that dots lead to rising numbers, if most of their titles stand elsewhere too.

    So nothing is lost: dots that lead to a price, or to a blank in a form, are none.
    """
    entries = [_entries(page) for page in pages]
    titles = _titles(pages) if any(entries) else set()
    for page, found in zip(pages, entries, strict=True):
        contents = 2 * sum(title in titles for title in found.values()) > len(found)
        yield [row for n, row in enumerate(page) if not (contents and n in found)]


def _entries(page: Sequence[Row]) -> dict[int, str]:
    """The titles that dots lead from, by their rows, if they may be a table of contents."""
    found = {n: entry for n, row in enumerate(page) if (entry := _LEADERS.search(_joined(row)))}
    numbers = [int(entry[1]) for entry in found.values() if entry[1].isdecimal()]
    if len(found) < ENTRIES or numbers != sorted(numbers):
        return {}
    return {n: _letters(entry.string[: entry.start()]) for n, entry in found.items()}


def _titles(pages: Sequence[Sequence[Row]]) -> set[str]:
    """What stands in a row, or in two that follow each other, as a long title does."""
    found: set[str] = set()
    for page in pages:
        rows = [_letters(text) for text in map(_joined, page) if not _LEADERS.search(text)]
        found.update(rows, map("".join, pairwise(rows)))
    return found


def _joined(row: Row) -> str:
    return " ".join(line.text for line in row)


def _letters(text: str) -> str:
    """Its letters and digits alone, as titles are printed in many ways."""
    return "".join(filter(str.isalnum, text.casefold()))
