"""Records: an id and a text each, from lines, tables and queries, as `llm embed-multi` takes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, BinaryIO

from ragqa.errors import BadInput, UsageError
from ragqa.files import MAX_FILE_SIZE
from ragqa.foreign import ForeignFile
from ragqa.read import over
from ragqa.read.encoding import wide
from ragqa.read.nested import Scan, decoder, text_of
from ragqa.read.reading import clean
from ragqa.read.recoded import recoded
from ragqa.read.separated import Row, delimiter_ahead, rows_of
from ragqa.read.text import is_binary

TELLING = 32  # characters; of fewer, one that was lost says nothing of the others
WHOLE = 8  # times as large as a line may be what is read whole
COLUMNS = "an id and at least one column of text are wanted"
CONVERT = "convert it, for example with `iconv -f cp1252 -t utf-8`"
NOT_UTF8 = "not UTF-8, convert it with iconv"
_STRAY = re.compile("[\udc80-\udcff]|\x1b\\$")  # bytes that are not UTF-8, and where ISO-2022-JP leaves ASCII


@dataclass(frozen=True, slots=True)
class Record:
    """A text with the name that its source gives it.

    Attributes:
        about: What else is known of it, to be told before it.
    """

    id: str
    text: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """What is no record.

    Attributes:
        where: Such as `line 500`.
        reason: In a few words, so that equal reasons can be counted.
    """

    where: str
    reason: str


Records = Iterator[Record | Unread]
Pairs = Sequence[tuple[str, str]]
"""The names and values of a record, in order."""


def read_records(stream: BinaryIO, format: str, limit: int = MAX_FILE_SIZE) -> Records:
    """Records as they come; what is none is told in its place.

    Args:
        format: One of RECORD_FORMATS.
        limit: Bytes of a line; JSON that is no lines may have WHOLE times as many.

    Raises:
        UsageError: There is no column but the id, or what all depends on is in an unknown encoding.
        BadInput: The stream breaks off, or is JSON that is too large.
    """
    try:
        yield from RECORD_FORMATS[format](stream, limit)
    except OSError as error:
        raise BadInput(f"standard input: {error.strerror}", "cannot be read") from error


def read_query(file: ForeignFile, query: str) -> Records:
    """A record for each row of a query; raises UsageError where it cannot be asked, or gives only an id."""
    for number, row in enumerate(file.rows(query), start=1):
        if any(isinstance(value, bytes) for _name, value in row):
            yield Unread(f"row {number}", "bytes, not text")
        else:
            yield _record(f"row {number}", [(name, "" if value is None else str(value)) for name, value in row])


def prefixed(records: Records, prefix: str) -> Records:
    """The records with a prefix before each id."""
    return (replace(one, id=prefix + one.id) if isinstance(one, Record) else one for one in records)


def _record(where: str, pairs: Pairs) -> Record | Unread:
    """The column `id`, or else the first one, names it; the others, joined by a space, are its text."""
    if len(pairs) < 2:
        raise UsageError(f"{where}: only one column", COLUMNS)
    at = next((n for n, (name, _value) in enumerate(pairs) if name == "id"), 0)
    id = clean(pairs[at][1]).strip()
    text = clean(" ".join(value for n, (_name, value) in enumerate(pairs) if n != at and value))
    if not id:
        return Unread(where, "no id")
    if len(text) >= TELLING and is_binary(text):
        return Unread(where, "binary")
    return Record(id, text)


def _by_lines(stream: BinaryIO, limit: int) -> Records:
    for number, line in _lines(stream, limit):
        where = f"line {number}"
        if line is None:
            yield Unread(where, over(limit))
        elif _STRAY.search(line):
            yield Unread(where, NOT_UTF8)
        elif line.strip():
            try:
                yield _object(where, decoder.decode(line))
            except ValueError:
                yield Unread(where, "no JSON")
            except RecursionError:
                yield Unread(where, "nested too deeply")


def _object(where: str, value: Any) -> Record | Unread:
    if not isinstance(value, tuple) or len(value) < 2:
        return Unread(where, "no object with an id and a text")
    try:
        return _record(where, [(name, text_of(inner)) for name, inner in value])
    except RecursionError:
        return Unread(where, "nested too deeply")


def _whole(stream: BinaryIO, limit: int) -> Records:
    """JSON: an array of objects, or one object. Up to where it is damaged, all are there."""
    content = stream.read(WHOLE * limit + 1)
    if len(content) > WHOLE * limit:
        raise BadInput(f"standard input: {over(WHOLE * limit)}; NDJSON may be of any size", over(WHOLE * limit))
    text = _characters(content)
    try:
        if text.lstrip().startswith("{"):
            yield _object("row 1", decoder.decode(text))
            return
        for part in Scan(text).parts():
            yield _object(f"row {part.row}", part.value)
    except json.JSONDecodeError as error:
        yield Unread(f"line {error.lineno}", "no JSON from here on")
    except RecursionError:
        yield Unread("a row", "nested too deeply, and so all that follows")


def _characters(content: bytes) -> str:
    encoding, rest = wide(content)
    if encoding:
        return rest.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"line {line}: not UTF-8", CONVERT) from error


def _table(usual: str = "") -> Callable[[BinaryIO, int], Records]:
    """A reader of rows whose first one names the columns; where no delimiter is usual, the first lines tell it."""

    def read(stream: BinaryIO, limit: int) -> Records:
        names: Sequence[str] = ()
        too_long: list[int] = []  # a blank line stands for each
        delimiter, lines = delimiter_ahead(_shortened(_lines(stream, limit), too_long), usual)
        for row in rows_of(lines, delimiter):
            yield from (Unread(f"line {number}", over(limit)) for number in too_long)
            too_long.clear()
            if not any(row.cells):
                continue
            if names:
                yield _of_row(names, row)
            else:
                names = _names(row)

    return read


def _names(row: Row) -> Sequence[str]:
    where = f"line {row.line}"
    if len(row.cells) < 2:
        raise UsageError(f"{where}: only one column", COLUMNS)
    if any(map(_STRAY.search, row.cells)):
        raise UsageError(f"{where}: not UTF-8", CONVERT)
    return row.cells


def _of_row(names: Sequence[str], row: Row) -> Record | Unread:
    where = f"line {row.line}"
    if not row.closed:
        return Unread(where, "a quote is not closed")
    if any(map(_STRAY.search, row.cells)):
        return Unread(where, NOT_UTF8)
    if any("\0" in cell for cell in row.cells):
        return Unread(where, "binary")
    return _record(where, list(zip_longest(names, row.cells, fillvalue="")))


def _shortened(lines: Iterator[tuple[int, str | None]], too_long: list[int]) -> Iterator[str]:
    for number, line in lines:
        if line is None:
            too_long.append(number)
        yield (line or "").replace("\r", " ")


def _lines(stream: BinaryIO, limit: int) -> Iterator[tuple[int, str | None]]:
    """Lines with their numbers, without their ends; None for one that is too long.

    UTF-16 and UTF-32 are known by the first line. Bytes that are not UTF-8 are lone surrogates.
    """
    line, number = stream.readline(limit + 1), 0
    encoding, rest = wide(line)
    if encoding:
        stream = recoded(rest, stream, encoding)
        line = stream.readline(limit + 1)
    while line:
        number += 1
        if len(line) <= limit:
            usual = "utf-8-sig" if number == 1 else "utf-8"
            yield number, line.decode(usual, errors="surrogateescape").rstrip("\r\n")
        else:
            while line and not line.endswith(b"\n"):
                line = stream.readline(limit)
            yield number, None
        line = stream.readline(limit + 1)


RECORD_FORMATS: dict[str, Callable[[BinaryIO, int], Records]] = {
    "ndjson": _by_lines,
    "nl": _by_lines,  # as llm calls it
    "json": _whole,
    "csv": _table(),
    "tsv": _table("\t"),
}
