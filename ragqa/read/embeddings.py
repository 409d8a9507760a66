"""The embeddings that the program `llm` keeps: collections of texts with their vectors, in an SQLite file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ragqa.errors import UsageError
from ragqa.foreign import ForeignFile
from ragqa.read.nested import decoder, text_of
from ragqa.read.reading import clean
from ragqa.read.records import Record, Unread

PREFIX = "passage: "  # which scripts put before a text; ragqa does so itself, and keeps the text without it


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection as llm keeps it.

    Attributes:
        key: Its own id in the file.
        model: Its vectors' model, as llm calls it.
        count: Of texts.
    """

    key: int
    name: str
    model: str
    count: int


@dataclass(frozen=True, slots=True)
class Embedded:
    """A text with its vector.

    Attributes:
        vector: Little-endian float32, one after the other, if it is one at all.
        prefixed: Whether the text was embedded with PREFIX, which `record` has not.
    """

    record: Record
    vector: bytes
    prefixed: bool


def collections_in(file: ForeignFile) -> list[Collection]:
    """All collections, by name; raises UsageError where the file is none of llm's."""
    query = (
        "SELECT c.id, c.name, c.model, (SELECT count(*) FROM embeddings e WHERE e.collection_id = c.id)"
        " FROM collections c ORDER BY c.name"
    )
    try:
        rows = [[value for _name, value in row] for row in file.rows(query)]
    except UsageError as error:
        hint = "an embeddings database is wanted; `llm collections path` says where llm has it"
        raise UsageError(f"{error.message}: not llm's embeddings", hint) from error
    return [Collection(int(key), clean(str(name)), str(model), int(count)) for key, name, model, count in rows]


def texts_of(file: ForeignFile, collection: Collection) -> Iterator[Embedded | Unread]:
    """Every text of a collection; those that llm did not keep are told in their place."""
    query = "SELECT id, content, metadata, embedding FROM embeddings WHERE collection_id = ? ORDER BY rowid"
    return (_embedded(row) for row in file.rows(query, (collection.key,)))


def sample_of(file: ForeignFile, collection: Collection, *, prefixed: bool, size: int) -> list[Embedded]:
    """Texts from all over a collection, with PREFIX or without; those with metadata, which is told too, left out.

    Args:
        size: How many at most.
    """
    condition = (
        "collection_id = ? AND typeof(content) = 'text' AND coalesce(metadata, '') = ''"
        f" AND (substr(content, 1, {len(PREFIX)}) = ?) = ?"
    )
    values = (collection.key, PREFIX, prefixed)
    (((_name, count),),) = file.rows(f"SELECT count(*) FROM embeddings WHERE {condition}", values)
    query = f"SELECT id, content, metadata, embedding FROM embeddings WHERE {condition} ORDER BY rowid LIMIT 1 OFFSET ?"
    places = sorted({count * n // size for n in range(size)}) if count else []
    rows = (_embedded(row) for at in places for row in file.rows(query, (*values, at)))
    return [row for row in rows if isinstance(row, Embedded)]


def _embedded(row: tuple[tuple[str, Any], ...]) -> Embedded | Unread:
    id, content, metadata, vector = (value for _name, value in row)
    where = clean(str(id)).strip()
    if not where:
        return Unread("a row", "no id")
    if not isinstance(content, str):
        return Unread(where, "its text was not stored")
    prefixed = content.startswith(PREFIX)
    record = Record(where, clean(content.removeprefix(PREFIX)), _about(metadata))
    return Embedded(record, vector if isinstance(vector, bytes) else b"", prefixed)


def _about(metadata: object) -> str:
    """What llm keeps beside a text, `name: value` on a line each."""
    if not isinstance(metadata, str):
        return ""
    try:
        return clean(text_of(decoder.decode(metadata)))
    except (json.JSONDecodeError, RecursionError):
        return clean(metadata)
