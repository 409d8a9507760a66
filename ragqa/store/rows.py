"""Rows of the index ↔ the nouns: which columns each is read from, and how a path is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

from ragqa.document import Block, DocumentRecord, Passage, Place
from ragqa.types import Calibration

RECORD = """d.id, d.path, d.collection, d.sha256, d.size, d.mtime_ns, d.passages, d.indexed_at,
  d.inode, d.type, d.title, d.date, d.stale, d.readers,
  (SELECT json_group_array(tag) FROM tags t WHERE t.document = d.key)
  FROM documents d"""
PASSAGE = """p.key, d.id, p.ordinal, p.text, p.char_start, p.char_end, p.line_start, p.line_end, p.heading, p.blocks,
  p.places, d.path
  FROM passages p JOIN documents d ON d.key = p.document"""


def stored_path(path: Path) -> str | bytes:
    """A path as SQLite can keep it: names that are not UTF-8 stay bytes."""
    name = os.fspath(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name)
    return name


def read_path(stored: str | bytes) -> Path:
    return Path(os.fsdecode(stored))


def document_record(row: tuple[Any, ...]) -> DocumentRecord:
    id, path, *rest, tags = row
    values: tuple[Any, ...] = (id, read_path(path), *rest, tuple(json.loads(tags)))
    return DocumentRecord(*values)


def read_passage(row: tuple[Any, ...]) -> Passage:
    _key, document, ordinal, text, start, end, line_start, line_end, heading, blocks, places, _stored = row
    return Passage(
        document_id=document,
        ordinal=ordinal,
        text=text,
        start=start,
        end=end,
        line_start=line_start,
        line_end=line_end,
        heading=tuple(json.loads(heading)),
        blocks=read_blocks(blocks),
        places=read_places(places),
    )


def stored_blocks(blocks: Sequence[Block]) -> str:
    """JSON: [kind, end, path of headings] of each; a block begins where the one before ends."""
    return json.dumps([[block.kind, block.end, block.heading] for block in blocks], ensure_ascii=False)


def read_blocks(stored: str) -> tuple[Block, ...]:
    rows = json.loads(stored)
    starts = [0, *(end for _kind, end, _heading in rows)]
    return tuple(
        Block(kind, start, end, tuple(heading)) for start, (kind, end, heading) in zip(starts, rows, strict=False)
    )


def stored_places(places: Sequence[Place]) -> str:
    """JSON: [start, kind, number, name, line] of each."""
    return json.dumps([[p.start, p.kind, p.number, p.name, p.line] for p in places], ensure_ascii=False)


def read_places(stored: str) -> tuple[Place, ...]:
    return tuple(Place(*row) for row in json.loads(stored))


def stored_calibration(calibration: Calibration, fingerprint: str) -> str:
    return json.dumps(asdict(calibration) | {"fingerprint": fingerprint})


def read_calibration(stored: Any, fingerprint: str) -> Calibration:
    """A calibration of this very index; one that is of another, or that makes no sense, is none."""
    try:
        values = json.loads(stored or "null")
        if values["fingerprint"] != fingerprint:
            return Calibration()
        found = Calibration(
            slope=float(values["slope"]),
            shift=float(values["shift"]),
            weights=str(values["weights"]),
            passages=int(values["passages"]),
            questions=int(values["questions"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        return Calibration()
    return found if found.slope > 0 and isfinite(found.slope) and isfinite(found.shift) else Calibration()


def batched(rows: Iterator[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
