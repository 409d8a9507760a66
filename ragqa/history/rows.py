"""Turns as rows and back."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import apsw
from ulid import ULID

from ragqa.document import Place
from ragqa.store.rows import read_path, stored_path
from ragqa.turn import Source, Turn

SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A turn as the history has it.

    Attributes:
        conversation: Its id; that of the first turn, where nobody said otherwise.
        asked_at: UTC, ISO 8601 with milliseconds.
        models: By what they do: `embed`, `generate`.
        collections: Those that were searched; all of them where none is named.
        conditions: What the documents had to fulfil, as `--where` takes it.
    """

    turn: Turn
    conversation: str
    asked_at: str
    models: Mapping[str, str | None]
    collections: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()


def when(id: str) -> str:
    """What an answer's id says of its time; now, where it says nothing."""
    try:
        return utc(ULID.from_str(id).datetime)
    except ValueError:
        return utc(datetime.now(UTC))


def utc(moment: datetime) -> str:
    """As the history writes it; a moment without a time zone is one of the local clock."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def insert_turn(db: apsw.Connection, recorded: Recorded, key: int | None) -> None:
    """Add a turn without its sources, and its conversation if that is new; `key` is its place, None the last."""
    turn = recorded.turn
    db.execute(
        "INSERT INTO conversations (id, name, started_at) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (recorded.conversation, stored_text(turn.question), recorded.asked_at),
    )
    db.execute(
        "INSERT INTO turns (key, id, conversation, asked_at, question, query, status, answer, support, models,"
        " collections, conditions, duration_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key,
            turn.id,
            recorded.conversation,
            recorded.asked_at,
            stored_text(turn.question),
            stored_text(turn.query),
            turn.status,
            stored_text(turn.answer),
            turn.support,
            _json(dict(recorded.models)),
            _json(recorded.collections),
            _json(recorded.conditions),
            turn.duration_ms,
        ),
    )


def insert_sources(db: apsw.Connection, turn: Turn) -> None:
    """Add the places of a turn's quotes, and those quotes that no other turn has shown."""
    for rank, source in enumerate(turn.sources, start=1):
        quote = stored_text(source.quote)
        sha256 = hashlib.sha256(quote.encode()).hexdigest()
        db.execute("INSERT INTO sources VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING", (sha256, quote))
        where = (stored_path(source.path), source.line_start, source.line_end, _json(source.heading), _place(source))
        db.execute(
            "INSERT INTO turns_sources (turn, rank, n, source, passage, path, line_start, line_end, heading, place)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (turn.id, rank, source.n, sha256, stored_text(source.id), *where),
        )


def _place(source: Source) -> str:
    """JSON with what the place is made of and its label, for people and other programs; null where lines say it all."""
    place = source.place
    if not place:
        return "null"
    label = source.place_label
    return _json({"kind": place.kind, "number": place.number, "name": place.name, "line": place.line, "label": label})


def _read_place(stored: str) -> tuple[Place | None, str]:
    """The place, and what it is called."""
    place = json.loads(stored)
    if not place:
        return None, ""
    return Place(0, place["kind"], place["number"], place["name"], place["line"]), place["label"]


def read_rows(db: apsw.Connection, condition: str, values: Sequence[Any], k: int) -> list[Recorded]:
    """The last `k` turns (0: all) that fulfil a condition on `t`, the newest first."""
    rows: list[Any] = db.execute(
        "SELECT t.id, t.conversation, t.asked_at, t.question, t.query, t.status, t.answer, t.support, t.models,"
        f" t.collections, t.conditions, t.duration_ms FROM turns t WHERE {condition} ORDER BY t.key DESC LIMIT ?",
        (*values, k or -1),
    ).fetchall()
    sources = _sources(db, [row[0] for row in rows])
    return [_recorded(row, sources[row[0]]) for row in rows]


def _sources(db: apsw.Connection, turns: Sequence[str]) -> defaultdict[str, list[Source]]:
    """By the id of their turn."""
    found: defaultdict[str, list[Source]] = defaultdict(list)
    rows = db.execute(
        "SELECT p.turn, p.n, p.passage, p.path, p.line_start, p.line_end, s.quote, p.heading, p.place"
        " FROM turns_sources p JOIN sources s ON s.sha256 = p.source"
        " WHERE p.turn IN (SELECT value FROM json_each(?)) ORDER BY p.turn, p.rank",
        (json.dumps(turns),),
    )
    for turn, n, passage, path, first, last, quote, heading, place in rows:
        under = tuple(json.loads(heading))
        found[turn].append(Source(n, passage, read_path(path), first, last, quote, under, *_read_place(place)))
    return found


def _recorded(row: tuple[Any, ...], sources: Sequence[Source]) -> Recorded:
    id, conversation, asked_at, question, query, status, answer, support, models, *searched, duration = row
    turn = Turn(id, question, query, status, answer, tuple(sources), support, duration)
    collections, conditions = (tuple(json.loads(names)) for names in searched)
    return Recorded(turn, conversation, asked_at, json.loads(models), collections, conditions)


def stored_text(text: str) -> str:
    """As SQLite takes it: half of a pair of UTF-16, which no text should hold, becomes U+FFFD."""
    return SURROGATE.sub("\ufffd", text)


def _json(value: Any) -> str:
    return stored_text(json.dumps(value, ensure_ascii=False))
