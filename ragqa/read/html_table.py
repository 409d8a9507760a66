"""Tables of web pages: which are some, and which cells reach into the rows and columns beside their own."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

_NOT_IN_CELLS = ("table", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6")
_MOST = 1000  # rows and columns that a cell may take, and columns in which it may begin to
_LONGEST = 200  # characters that are said again in each row that a cell reaches into
_AGAIN = 2**20  # characters of a page that may be said again: a small page is not to become a large document
_BETWEEN = 3  # characters between cells


class Columns:
    """Counts the columns of a row, and keeps what reaches into it from above; one for all tables of a page.

    Attributes:
        number: Of columns that the row has so far.
    """

    def __init__(self) -> None:
        self.number = 0
        self._above: dict[int, tuple[int, str]] = {}  # by column: for how many rows more, and what is said there
        self._left = _AGAIN

    def begin_table(self) -> None:
        self.number = 0
        self._above.clear()

    def begin_row(self) -> None:
        self.number = 0

    def add(self, cell: etree._Element, text: str) -> int:
        """Count a cell, with the text that is to be said again in the rows below; returns its width."""
        width, rows = (_span(cell, "colspan"), _span(cell, "rowspan")) if self._left > 0 else (1, 1)
        self._left -= (width - 1) * _BETWEEN
        if rows > 1 and self.number < _MOST:
            said = text if len(text) <= _LONGEST else ""
            self._above |= {self.number + n: (rows - 1, "" if n else said) for n in range(width)}
        self.number += width
        return width

    def from_above(self) -> Iterator[str]:
        """What stands in the next columns because it reaches down; each counts when the one after it is asked for."""
        while self.number in self._above and self._left > 0:
            rows, text = self._above.pop(self.number)
            if rows > 1:
                self._above[self.number] = rows - 1, text
            self._left -= len(text) + _BETWEEN
            yield text
            self.number += 1

    def rest(self) -> Iterator[str]:
        """What stands from above in the columns behind the row's own last cell."""
        last = max(self._above, default=-1)
        while self.number <= last and self._left > 0:
            if self.number in self._above:
                yield from self.from_above()
            else:
                self._left -= _BETWEEN
                yield ""
                self.number += 1


def _span(cell: etree._Element, name: str) -> int:
    """How many rows or columns it takes."""
    number = cell.get(name, "1").strip()
    return max(1, min(int(number), _MOST)) if number.isascii() and number.isdigit() and len(number) < 6 else 1


def has_columns(table: etree._Element) -> bool:
    """Whether it is a table of cells, not one that only lays out a page."""
    if table.get("role", "").strip().lower() in ("presentation", "none"):
        return False
    if any(one is not table for one in table.iter(*_NOT_IN_CELLS)):
        return False
    return any(sum(cell.tag in ("td", "th") for cell in row) > 1 for row in table.iter("tr"))


def is_head(row: etree._Element) -> bool:
    parent = row.getparent()
    return (parent is not None and parent.tag == "thead") or all(cell.tag == "th" for cell in row.iter("td", "th"))
