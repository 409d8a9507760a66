"""What is printed on page after page, and numbers the pages: no part of what a document says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from statistics import median

from ragqa.read.layout import Line, rows_of

MARGIN = 0.12  # of a page's height, at its top and at its bottom
LARGER = 1.2  # times the type of the page's lines
ROWS = 2  # outermost ones that can be running heads
PAGES = 3  # on which a line stands that is one
_LONGEST = 200  # characters that are compared
_NUMBERS = 4  # in a head that may count the pages

_DIGITS = re.compile(r"\d{1,6}")

_NUMBER = re.compile(
    r"\W*(?:page|seite|pagina|página|sida|side|strona|p\.|s\.)?\s*(?:\d{1,4}|[ivxlc]{1,7})"
    r"(?:\s*(?:of|von|de|di|av|z|/|-)\s*\d{1,4})?\W*",
    re.I,
)


def without_running(pages: Sequence[tuple[float, Sequence[Line]]]) -> list[list[Line]]:
    """Pages without heads and feet that come again, and without bare page numbers.

    Args:
        pages: The height of each, and its lines.
    """
    edges = [list(_edges(height, lines)) for height, lines in pages]
    seen = Counter(key for n, page in enumerate(edges) for key in {k for one in page for k in _keys(n, *one)})
    left_out = [
        {line for upper, outermost, line in page if _runs(seen, n, upper, outermost, line)}
        for n, page in enumerate(edges)
    ]
    return [[line for line in lines if line not in out] for (_height, lines), out in zip(pages, left_out, strict=True)]


def _edges(height: float, lines: Sequence[Line]) -> Iterator[tuple[bool, bool, Line]]:
    """Lines in the margins: whether in the upper one, and whether in the outermost row. Large type is a title's."""
    rows = rows_of(lines)
    usual = median(line.height for line in lines) if lines else 0.0
    for upper, ordered in ((True, rows), (False, rows[::-1])):
        for n, row in enumerate(ordered[:ROWS]):
            for line in row:
                inside = line.bottom <= MARGIN * height if upper else line.top >= (1 - MARGIN) * height
                if inside and line.height <= LARGER * usual:
                    yield upper, n == 0, line


def _keys(page: int, upper: bool, _outermost: bool, line: Line) -> Iterator[tuple[bool, str]]:
    """What a running head has in common on all its pages: its words, but for a number that counts the pages.

    Numbers of chapters do not grow with every page, so that `Chapter 3` on top of a page stays a heading.
    """
    text = line.text.casefold()[:_LONGEST]
    yield upper, text
    for number in islice(_DIGITS.finditer(text), _NUMBERS):
        yield upper, f"{text[: number.start()]}#{int(number[0]) - page}{text[number.end() :]}"


def _runs(seen: Counter[tuple[bool, str]], page: int, upper: bool, outermost: bool, line: Line) -> bool:
    if outermost and _NUMBER.fullmatch(line.text):
        return True
    return any(seen[key] >= PAGES for key in _keys(page, upper, outermost, line))
