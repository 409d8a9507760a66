"""Excel: every row with the names of its columns, so that a value is found by what it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import chain, islice

from ragqa.read.office import properties
from ragqa.read.reading import Draft, Reading
from ragqa.read.table import HEAD_ROWS, head_of, record
from ragqa.read.workbook import Sheet, Value, Workbook
from ragqa.read.zipped import open_zip, refused

CELLS = 1_000_000  # of all sheets together, empty ones between others included
COLUMNS = 256

Row = tuple[int, list[str]]
"""Its number from 1, and its cells as text."""


def read(content: bytes, name: str) -> Reading:
    """A block for each row, under the name of its sheet; formulas by the values that were stored with them.

    Hidden sheets, rows and columns are left out, as what cannot be seen is in every format; a note says so.

    Raises:
        BadInput: It is no such file, encrypted, or expands too far.
    """
    archive = open_zip(content, name)
    try:
        book = Workbook(archive)
    except KeyError as error:
        raise refused(name, "no workbook") from error
    about = properties(archive)
    draft, budget = Draft(), _Budget(CELLS)
    book.left_out["hidden sheet"] += sum(sheet.hidden for sheet in book.sheets)
    for sheet in book.sheets:
        if not sheet.hidden:
            draft.section(1, sheet.title)
            _add(draft, sheet.title, _rows(book, sheet, budget))
    notes = [f"{n} {what}{'s' * (n > 1)} left out" for what, n in book.left_out.items() if n]
    return draft.reading(title=about.title, tags=about.tags, date=about.date, notes=[*notes, *budget.notes])


class _Budget:
    """How many cells may still be read, and what had to be left out."""

    def __init__(self, cells: int) -> None:
        self._left = cells
        self.notes: list[str] = []

    def allows(self, cells: int) -> bool:
        """Whether a row of so many may be read."""
        self._left -= max(cells, 1)
        return self._left >= 0


def _rows(book: Workbook, sheet: Sheet, budget: _Budget) -> Iterator[Row]:
    """Rows that hold something."""
    widest = 0
    for number, values in book.rows(sheet):
        if not budget.allows(len(values)):
            budget.notes.append(f"{sheet.title}: rows from {number} on left out")
            break
        widest = max(widest, len(values))
        cells = [shown(value) for value in values[:COLUMNS]]
        if any(cells):
            yield number, cells
    if widest > COLUMNS:
        budget.notes.append(f"{sheet.title}: columns after the first {COLUMNS} left out")


def _add(draft: Draft, sheet: str, rows: Iterator[Row]) -> None:
    """A block a row; one of the first rows of several cells may name the columns, and what stands over it does not."""
    first = list(islice(rows, HEAD_ROWS))
    head = head_of([cells for _number, cells in first], least=2)
    names = [] if head is None else first[head][1]
    for n, (number, cells) in enumerate(chain(first, rows)):
        if n != head:
            draft.at("row", number, sheet)
            draft.add("table", record(names if head is not None and n > head else [], cells))


def shown(value: Value | date) -> str:
    """A value on one line: days as ISO 8601, numbers without what binary fractions add to them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return " ".join(str(value).split())
