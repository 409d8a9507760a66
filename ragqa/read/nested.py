"""JSON, and JSON by lines: values as `path.to.it: value`, each record a block with its row and the file's line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ragqa.errors import BadInput
from ragqa.read.reading import Draft, Reading
from ragqa.read.text import Decoded, decode, text_blocks

PATH = 200  # characters of a path that are shown: its end tells more than its beginning
NAMED = 5  # bad lines that are named one by one

# Numbers stay as they were written, however long; of names that stand twice in an object, both stay.
decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=tuple)
_BLANK = re.compile(r"[ \t\n\r]*")
_RECORDS = re.compile(r"\[[ \t\n\r]*\{")


@dataclass(frozen=True, slots=True)
class Part:
    """A value that is told by itself.

    Attributes:
        at: Where it begins in the file's text; a member, where its name does.
        path: Of the names that lead to it; empty for an element of the outermost array.
        row: From 1, of an element of an array; the line, in JSON by lines; 0 otherwise.
        value: An object is a tuple of its names and values, an array a list.
    """

    at: int
    path: str
    row: int
    value: Any


def read(content: bytes, name: str) -> Reading:
    """JSON by its records. What is no JSON after all is plain text; of JSON by lines a bad line is left out and named.

    Raises:
        BadInput: It is no text, or nested too deeply.
    """
    decoded = decode(name, content)
    named = not name.lower().endswith(".json")  # as JSON by lines
    by_lines, bad = parts_by_lines(decoded.text) if named else ([], [])
    if by_lines and len(by_lines) >= len(bad):
        return _told(decoded, by_lines, bad)
    try:
        return _told(decoded, Scan(decoded.text).parts())
    except (RecursionError, json.JSONDecodeError) as error:
        return _told(decoded, by_lines, bad) if by_lines else _otherwise(decoded, name, error)


def _otherwise(decoded: Decoded, name: str, error: RecursionError | json.JSONDecodeError) -> Reading:
    """What is not JSON as a whole: JSON by lines all the same, or plain text."""
    if isinstance(error, RecursionError):
        raise BadInput(f"{name}: nested too deeply", "nested too deeply") from error
    by_lines, bad = parts_by_lines(decoded.text)
    if by_lines and not bad:
        return _told(decoded, by_lines)
    text, repaired, notes = decoded
    note = f"no JSON at line {error.lineno}: read as plain text"
    return Reading(text, text_blocks(text), notes=(*notes, note), repaired=repaired)


def parts_by_lines(text: str) -> tuple[list[Part], list[int]]:
    """A part for every line that is JSON, and the numbers of the others, blank ones left out."""
    parts: list[Part] = []
    bad: list[int] = []
    at = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                parts.append(Part(at, "", number, decoder.decode(line)))
            except (ValueError, RecursionError):
                bad.append(number)
        at += len(line) + 1
    return parts, bad


class Scan:
    """One JSON value, taken apart where its text says what is a record.

    Its methods raise JSONDecodeError where it is no JSON, and RecursionError where it is nested too deeply.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def parts(self) -> Iterator[Part]:
        """The elements of an array, the members of an object, or the value as it is."""
        self._skip()
        if self._found("["):
            yield from self._elements("")
        elif self._found("{"):
            yield from self._members()
        else:
            yield Part(self._at, "", 0, self._value())
        self._skip()
        if self._at < len(self._text):
            raise self._wrong("the end")

    def _members(self) -> Iterator[Part]:
        """Each member; of one that is an array of objects, each of these."""
        more = not self._found("}")
        while more:
            at = self._at
            if self._text[at : at + 1] != '"':
                raise self._wrong("a name")
            name = str(self._value())
            self._skip()
            if not self._found(":"):
                raise self._wrong("':'")
            if _RECORDS.match(self._text, self._at):
                self._found("[")
                yield from self._elements(name)
            else:
                yield Part(at, name, 0, self._value())
            more = self._more("}")

    def _elements(self, path: str) -> Iterator[Part]:
        row, more = 0, not self._found("]")
        while more:
            row += 1
            yield Part(self._at, path, row, self._value())
            more = self._more("]")

    def _more(self, end: str) -> bool:
        self._skip()
        if self._found(","):
            return True
        if self._found(end):
            return False
        raise self._wrong("','")

    def _value(self) -> Any:
        value, self._at = decoder.raw_decode(self._text, self._at)
        return value

    def _found(self, mark: str) -> bool:
        """Step over a mark and the white space behind it, if it stands here."""
        if not self._text.startswith(mark, self._at):
            return False
        self._at += 1
        self._skip()
        return True

    def _skip(self) -> None:
        self._at = _BLANK.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches nothing, too

    def _wrong(self, wanted: str) -> json.JSONDecodeError:
        return json.JSONDecodeError(f"expected {wanted}", self._text, self._at)


def _told(decoded: Decoded, parts: Iterable[Part], bad: list[int] | None = None) -> Reading:
    draft, line, counted = Draft(), 1, 0
    for part in parts:
        line += decoded.text.count("\n", counted, part.at)
        counted = part.at
        if part.row:
            draft.section(1, part.path)
            draft.at("row", part.row, part.path, line)
        else:
            draft.section(1, "")
            draft.at("line", line, line=line)
        draft.add("list", "\n".join(lines_of("" if part.row else part.path, part.value)))
    return draft.reading(notes=[*decoded.notes, *_note(bad or [])], repaired=decoded.repaired)


def _note(bad: list[int]) -> list[str]:
    named = ", ".join(map(str, bad[:NAMED])) + (", …" if len(bad) > NAMED else "")
    return [f"lines that are no JSON: {len(bad)} ({named})"] if bad else []


def lines_of(path: str, value: Any) -> Iterator[str]:
    """`path.to.it: value` for all that is in a value; nothing for what is empty or null."""
    if isinstance(value, tuple):
        for name, inner in value:
            yield from lines_of(f"{path}.{name}"[-PATH:] if path else name[-PATH:], inner)
    elif isinstance(value, list) and any(isinstance(inner, tuple | list) for inner in value):
        for n, inner in enumerate(value):
            yield from lines_of(f"{path}[{n}]"[-PATH:], inner)
    else:
        told = ", ".join(filter(str.strip, map(_scalar, value if isinstance(value, list) else [value])))
        if told:
            yield f"{path}: {told}" if path else told


def text_of(value: Any) -> str:
    """A value as text: one that is nested by its paths."""
    return "\n".join(lines_of("", value)) if isinstance(value, tuple | list) else _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
