"""Records: an id and a text each, from lines, tables and queries, as `llm embed-multi` takes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from ragqa.errors import BadInput, UsageError
from ragqa.files import MAX_FILE_SIZE
from ragqa.foreign import ForeignFile
from ragqa.read import over
from ragqa.read.nested import Scan, decoder, text_of
from ragqa.read.reading import clean
from ragqa.read.separated import rows_of
from ragqa.read.text import is_binary

TELLING = 32  # characters; of fewer, one that was lost says nothing of the others
WHOLE = 8  # times as large as a line may be what is read whole


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
        UsageError: There is no column but the id.
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
        raise UsageError(f"{where}: only one column", "an id and at least one column of text are wanted")
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
    text = content.decode("utf-8-sig", errors="replace")
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


def _table(delimiter: str) -> Callable[[BinaryIO, int], Records]:
    """A reader of rows whose first one names the columns."""

    def read(stream: BinaryIO, limit: int) -> Records:
        names: Sequence[str] = ()
        too_long: list[int] = []  # a blank line stands for each
        for row in rows_of(_shortened(_lines(stream, limit), too_long), delimiter):
            yield from (Unread(f"line {number}", over(limit)) for number in too_long)
            too_long.clear()
            if not any(row.cells):
                continue
            if not names:
                names = row.cells
                continue
            extra = [""] * (len(row.cells) - len(names))
            missing = [""] * (len(names) - len(row.cells))
            found = _record(f"line {row.line}", list(zip([*names, *extra], [*row.cells, *missing], strict=True)))
            yield found if row.closed else Unread(f"line {row.line}", "a quote is not closed")

    return read


def _shortened(lines: Iterator[tuple[int, str | None]], too_long: list[int]) -> Iterator[str]:
    for number, line in lines:
        if line is None:
            too_long.append(number)
        yield (line or "").replace("\r", " ")


def _lines(stream: BinaryIO, limit: int) -> Iterator[tuple[int, str | None]]:
    """Lines with their numbers, without their ends; None for one that is too long."""
    number = 0
    while line := stream.readline(limit + 1):
        number += 1
        if len(line) <= limit:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace").rstrip("\r\n")
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(limit)
        yield number, None


RECORD_FORMATS: dict[str, Callable[[BinaryIO, int], Records]] = {
    "ndjson": _by_lines,
    "nl": _by_lines,  # as llm calls it
    "json": _whole,
    "csv": _table(","),
    "tsv": _table("\t"),
}
