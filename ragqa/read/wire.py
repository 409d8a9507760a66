"""A reading as bytes, and back: text and numbers, nothing that could run. Both sides of `apart` use it."""

from __future__ import annotations

import json
from typing import Any, get_args

from ragqa.document import Block, Kind, Place, PlaceKind
from ragqa.errors import BadInput
from ragqa.read.reading import Reading

LENGTH = 8  # bytes, big-endian, before each message
HELD = ""  # in place of a format: what is asked for is what the system keeps the process from
TOO_MUCH = "takes too much memory"  # the reason after which the process ends
_KINDS, _PLACE_KINDS = frozenset(get_args(Kind)), frozenset(get_args(PlaceKind))


class Garbled(Exception):
    """What came is no reading."""


def framed(message: bytes) -> bytes:
    """A message with its length before it."""
    return len(message).to_bytes(LENGTH, "big") + message


def packed(reading: Reading) -> bytes:
    """A reading as JSON. A block is `[kind, end, number of its heading]`; it begins where the one before it ends."""
    headings = {heading: n for n, heading in enumerate(dict.fromkeys(block.heading for block in reading.blocks))}
    return json.dumps(
        {
            "text": reading.text,
            "headings": list(headings),
            "blocks": [(block.kind, block.end, headings[block.heading]) for block in reading.blocks],
            "places": [(one.start, one.kind, one.number, one.name, one.line) for one in reading.places],
            "about": [reading.title, reading.date],
            "tags": reading.tags,
            "notes": reading.notes,
            "repaired": reading.repaired,
        },
        ensure_ascii=False,
    ).encode()


def refused(error: BadInput) -> bytes:
    """Why there is no reading."""
    return json.dumps({"message": error.message, "reason": error.reason}).encode()


def unpacked(message: bytes | bytearray | memoryview) -> Reading:
    """The reading that was packed.

    Raises:
        BadInput: There was none, and why.
        Garbled: It is neither.
    """
    try:
        found = json.loads(bytes(message))
        if "reason" in found:
            raise BadInput(_text(found["message"]), _text(found["reason"]))
        title, date = found["about"]
        return Reading(
            text=_text(found["text"]),
            blocks=tuple(_blocks(found)),
            places=tuple(_place(*one) for one in found["places"]),
            title=_text(title),
            tags=tuple(map(_text, found["tags"])),
            date=_text(date),
            notes=tuple(map(_text, found["notes"])),
            repaired=_whole(found["repaired"]),
        )
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise Garbled("no reading") from error


def words(message: bytes | bytearray | memoryview) -> frozenset[str]:
    """Some words that came as JSON.

    Raises:
        Garbled: It is something else.
    """
    try:
        return frozenset(map(_text, json.loads(bytes(message))))
    except (ValueError, TypeError, RecursionError) as error:
        raise Garbled("no words") from error


def _blocks(found: Any) -> list[Block]:
    headings = [tuple(map(_text, heading)) for heading in found["headings"]]
    blocks, at = [], 0
    for kind, end, heading in found["blocks"]:
        blocks.append(Block(_one_of(_KINDS, kind), at, _whole(end), headings[heading]))
        at = end
    return blocks


def _place(start: int, kind: PlaceKind, number: int, name: str, line: int) -> Place:
    return Place(_whole(start), _one_of(_PLACE_KINDS, kind), _whole(number), _text(name), _whole(line))


def _one_of(known: frozenset[str], kind: Any) -> Any:
    if kind not in known:
        raise ValueError("unknown kind")
    return kind


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("not a whole number")
    return value
