"""CSV and TSV: every row a block of `column: value` lines, with its row and the file's line."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

from ragqa.files import MAX_FILE_SIZE
from ragqa.read.reading import Draft, Reading
from ragqa.read.table import HEAD_ROWS, head_of
from ragqa.read.text import decode, plain_line_ends

DELIMITERS = ",;\t|"
SAMPLE = 65_536  # characters that the delimiter is told by
SAMPLE_ROWS = 50
UNCLOSED = 20  # so many quotes may be left open before all that follows is read without any
_STATED = re.compile(r'"?sep=([^"\n])"?(?:\n|$)', re.I)  # Excel's way to tell the delimiter
_DECIMAL = re.compile(r"""(?:^|[;\t|])[ "]*[-+]?\d[\d.]*,\d+[^\w\n;\t|]*(?:EUR|[;\t|]|$)""", re.M)
_END = "the end"  # a line behind the last one


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row.

    Attributes:
        number: From 1, the row of names and blank ones included, as a spreadsheet counts.
        line: Of the file, on which it begins.
        closed: Whether each quote in it that opens also closes; else it was read as if it had none.
    """

    number: int
    line: int
    cells: tuple[str, ...]
    closed: bool = True


def read(content: bytes, name: str) -> Reading:
    """A table by its rows; raises BadInput where it is no text."""
    text, repaired, notes = decode(name, content)
    text = plain_line_ends(text)
    stated = _STATED.match(text)  # in a line of its own, which no spreadsheet counts as a row
    delimiter = stated[1] if stated else "\t" if name.lower().endswith(".tsv") else delimiter_of(text)
    counted = islice(rows_of(text.split("\n"), delimiter), 1 if stated else 0, None)
    rows = (row for row in counted if any(cell.strip() for cell in row.cells))
    first = list(islice(rows, HEAD_ROWS))
    head = head_of([row.cells for row in first])
    names = [] if head is None else [" ".join(cell.split()) for cell in first[head].cells]
    draft, unclosed = Draft(), 0
    for n, row in enumerate(chain(first, rows)):
        unclosed += not row.closed
        if n != head:
            draft.at("row", row.number - bool(stated), line=row.line)
            draft.add("list", row_text(names if head is not None and n > head else [], row.cells))
    if unclosed:
        notes += (f"rows with a quote that is not closed: {unclosed}",)
    return draft.reading(notes=notes, repaired=repaired)


def row_text(names: Sequence[str], cells: Sequence[str]) -> str:
    """`name: value` on a line each, without the empty ones; a column without a name is called by its number."""
    named = zip_longest(names, cells, fillvalue="")
    return "\n".join(
        f"{name or f'column {n}'}: {cell.strip()}" for n, (name, cell) in enumerate(named, start=1) if cell.strip()
    )


def delimiter_of(text: str) -> str:
    """The one of DELIMITERS that gives most rows of the sample the same number of cells; a comma where none does.

    Of two that do so alike, a comma is none if it would cut decimal numbers that the other leaves whole.
    """
    sample = text[:SAMPLE]
    if len(text) > SAMPLE:
        sample = sample[: sample.rfind("\n") + 1] or sample
    decimal = bool(_DECIMAL.search(sample))
    return max(DELIMITERS, key=lambda delimiter: _agreement(sample, delimiter, decimal and delimiter == ","))


def delimiter_ahead(lines: Iterator[str], usual: str = "") -> tuple[str, Iterator[str]]:
    """The delimiter of lines that come one by one, and all of them; a blank one stands for one that only states it.

    The first line tells it. Only where that holds more than one of DELIMITERS are more of them looked at.

    Args:
        usual: What it is where it is not stated.
    """
    taken = [""]
    while not taken[-1].strip() and (line := next(lines, None)) is not None:
        taken.append(line)
    del taken[0]
    if taken and (stated := _STATED.match(taken[-1])):
        return stated[1], chain(taken[:-1], [""], lines)
    if not usual and taken and sum(delimiter in taken[-1] for delimiter in DELIMITERS) > 1:
        taken += _up_to(SAMPLE - len(taken[-1]), islice(lines, SAMPLE_ROWS))
    return usual or delimiter_of("\n".join(taken)), chain(taken, lines)


def _up_to(length: int, lines: Iterable[str]) -> Iterator[str]:
    """Lines, until they have so many characters."""
    for line in lines:
        yield line
        length -= len(line)
        if length < 0:
            return


def _agreement(sample: str, delimiter: str, decimal: bool) -> tuple[float, bool, int]:
    """The share of rows with the usual number of cells, and that number; nothing where it is one."""
    widths: Counter[int] = Counter()
    for row in rows_of(sample.split("\n"), delimiter):
        widths[len(row.cells)] += bool(row.cells)
        if row.number == SAMPLE_ROWS:
            break
    ((width, count),) = widths.most_common(1) or [(0, 0)]
    return (count / widths.total(), not decimal, width) if width > 1 else (0.0, False, 0)


def rows_of(lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    """Every row, blank ones included. A quote that is never closed takes its own line only, and not all that follow.

    Args:
        lines: Of the file, without their ends. No more of them are kept than a row has.
    """
    csv.field_size_limit(MAX_FILE_SIZE)  # of the whole process, and 131,072 characters at first
    feed, number, left = _Feed(lines), 0, UNCLOSED
    while True:
        usual = csv.reader(feed, delimiter=delimiter)
        reader = usual if left else csv.reader(feed, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        for cells in _tolerant(reader):
            number += 1
            if cells is not None and not feed.over:
                yield Row(number, feed.first, tuple(cells))
                feed.taken.clear()
                continue
            if feed.over and len(feed.taken) == 1:
                return
            yield Row(number, feed.first, tuple(feed.taken[0].split(delimiter)), closed=False)
            feed.give_back()
            left -= 1
            break


def _tolerant(reader: Iterator[list[str]]) -> Iterator[list[str] | None]:
    """The rows, and None for one that goes on past all limits, after which there is nothing more."""
    try:
        yield from reader
    except csv.Error:
        yield None


class _Feed:
    """Lines as `csv` takes them, and behind the last of them _END, which only a row takes that is not closed.

    Attributes:
        taken: By the present row.
        over: Whether _END is among them.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = chain(lines, [_END])
        self._number = 0
        self.taken: list[str] = []
        self.over = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._number += 1
        self.taken.append(line)
        self.over = line is _END  # and not the same characters in a file
        return f"{line}\n"

    @property
    def first(self) -> int:
        """The line, from 1, on which the present row begins."""
        return self._number - len(self.taken) + 1

    def give_back(self) -> None:
        """All but the first line of the present row are read again."""
        again, self.taken = self.taken[1:], []
        self._number -= len(again)
        self.over = False
        self._lines = chain(again, self._lines)
