"""The sheets of an Excel file, row by row as they come out of it.

openpyxl reads such files too, but takes three times as long. What it knows of dates is used here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from typing import IO, Literal
from zipfile import ZipFile

from lxml import etree

from ragqa.read.office import attribute, local, related, related_by_id
from ragqa.read.zipped import parse_xml

Value = str | float | bool | datetime | time | timedelta | None
WIDEST = 16_384  # columns that Excel has
_YES = ("1", "true")
_LITERAL = re.compile(r'"[^"]*"?|[\\_*].', re.S)  # of a format: what is printed beside the number, and leaves room

_Shape = Literal["date", "elapsed", "percent", "percent sign"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet by its name; `part` is where in the archive its rows are."""

    title: str
    part: str
    hidden: bool


class Workbook:
    """What the sheets of a file have in common.

    Attributes:
        left_out: What was, by what it is called, in the rows that were asked for.

    Raises:
        KeyError: The archive holds no workbook.
    """

    def __init__(self, archive: ZipFile) -> None:
        main = related(archive)["officeDocument"]
        root, parts = parse_xml(archive.read(main)), related(archive, main)
        self._archive = archive
        self._from_1904 = any(attribute(one, "date1904") in _YES for one in root)
        self._shapes = _shapes(archive, parts.get("styles"))
        self._strings = _strings(archive, parts.get("sharedStrings"))
        self.left_out = Counter[str]()
        self.sheets = list(_sheets(root, related_by_id(archive, main)))

    def rows(self, sheet: Sheet) -> Iterator[tuple[int, list[Value]]]:
        """Rows by their numbers, each as far as its last cell, without what is hidden."""
        number, hidden, known = 0, set[int](), set[int]()
        with self._archive.open(sheet.part) as file:
            for one in _elements(file, "col", "row"):
                if local(one) == "col":
                    hidden.update(_hidden(one))
                    continue
                stated = one.get("r", "")
                number = int(stated) if stated.isdecimal() else number + 1
                cells = self._cells(one)
                if one.get("hidden") in _YES:
                    self.left_out["hidden row"] += any(value is not None for value in cells)
                else:
                    yield number, self._seen(cells, hidden, known)

    def _seen(self, cells: list[Value], hidden: set[int], known: set[int]) -> list[Value]:
        """The cells of columns that are not hidden; those that are and hold something are counted once, and known."""
        if not hidden:
            return cells
        held = {n for n, value in enumerate(cells) if n in hidden and value is not None} - known
        known |= held
        self.left_out["hidden column"] += len(held)
        return [value for n, value in enumerate(cells) if n not in hidden]

    def _cells(self, row: etree._Element) -> list[Value]:
        cells: list[Value] = []
        for cell in row:
            place = _column(cell.get("r", "").rstrip("0123456789"))
            if place > len(cells):
                cells += [None] * (place - len(cells))
            cells.append(self._value(cell))
        return cells

    def _value(self, cell: etree._Element) -> Value:
        """What a cell shows; of a formula, the value that was stored with it."""
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return next((_said(one) for one in cell if local(one) == "is"), None)
        text = next((one.text for one in cell if local(one) == "v"), None)
        if not text:
            if kind != "str" and cell.find("{*}f") is not None:
                self.left_out["uncomputed formula"] += 1
            return None
        if kind == "s":
            return self._strings[int(text)]
        if kind == "b":
            return text == "1"
        return self._number(float(text), self._shapes.get(cell.get("s", ""))) if kind == "n" else _unescaped(text)

    def _number(self, number: float, shape: _Shape | None) -> Value:
        if shape is None:
            return number
        if shape in ("percent", "percent sign"):
            return f"{100 * number if shape == 'percent' else number:.15g}%"
        from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

        epoch = MAC_EPOCH if self._from_1904 else WINDOWS_EPOCH
        try:
            found: Value = from_excel(number, epoch, timedelta=shape == "elapsed")
        except (OverflowError, ValueError):  # further than a calendar goes
            return number
        return found


def _sheets(root: etree._Element, related: dict[str, tuple[str, str]]) -> Iterator[Sheet]:
    for one in (one for sheets in root if local(sheets) == "sheets" for one in sheets):
        kind, part = related.get(attribute(one, "id"), ("", ""))
        if kind == "worksheet":  # and no chart
            yield Sheet(attribute(one, "name"), part, attribute(one, "state") not in ("", "visible"))


@cache
def _column(letters: str) -> int:
    """Its place from 0; -1 where it says none that there is."""
    place = 0
    for letter in letters[:4]:
        place = 26 * place + ord(letter) - ord("A") + 1
    return place - 1 if place <= WIDEST else -1


def _hidden(columns: etree._Element) -> range:
    """The places from 0 of columns that are described together, where they are hidden."""
    first, last = columns.get("min", ""), columns.get("max", "")
    if columns.get("hidden") not in _YES or not (first.isdecimal() and last.isdecimal()):
        return range(0)
    return range(int(first) - 1, min(int(last), WIDEST))


def _elements(file: IO[bytes], *names: str) -> Iterator[etree._Element]:
    """Elements of these names one by one, each of which is gone when the next is asked for."""
    tags = [f"{{*}}{name}" for name in names]
    parsed = etree.iterparse(file, tag=tags, resolve_entities=False, no_network=True, remove_comments=True)
    for _event, element in parsed:
        yield element
        element.clear()
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]


def _strings(archive: ZipFile, part: str | None) -> list[str]:
    """The texts that cells refer to by their numbers."""
    if not part:
        return []
    with archive.open(part) as file:
        return [_said(one) for one in _elements(file, "si")]


def _said(element: etree._Element) -> str:
    """Its text without how it is pronounced, which East Asian writing has beside it."""
    runs = (one for one in element if local(one) != "rPh")
    return "".join(_unescaped(one.text or "") for run in runs for one in run.iter("{*}t"))


def _unescaped(text: str) -> str:
    """A text with the characters that XML has no room for, which stand as `_x000D_` there."""
    from openpyxl.utils.escape import unescape

    return str(unescape(text)) if "_x" in text else text


def _shapes(archive: ZipFile, part: str | None) -> dict[str, _Shape]:
    """What numbers stand for in the styles of cells, by the styles' numbers; those that are numbers are left out."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS

    if not part:
        return {}
    root = parse_xml(archive.read(part))
    own = {attribute(one, "numFmtId"): attribute(one, "formatCode") for one in root.iter("{*}numFmt")}
    formats = {str(id): code for id, code in BUILTIN_FORMATS.items()} | own
    used = [one for cells in root if local(cells) == "cellXfs" for one in cells]
    shapes = ((str(n), _shape(formats.get(attribute(one, "numFmtId"), ""))) for n, one in enumerate(used))
    return {style: shape for style, shape in shapes if shape}


def _shape(code: str) -> _Shape | None:
    from openpyxl.styles.numbers import is_date_format, is_timedelta_format

    code, printed = _LITERAL.sub("", code), "".join(_LITERAL.findall(code))
    if is_timedelta_format(code):
        return "elapsed"
    if is_date_format(code):
        return "date"
    if "%" in code:
        return "percent"
    return "percent sign" if "%" in printed else None  # which does not make a hundredth of one
