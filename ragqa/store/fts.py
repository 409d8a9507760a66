"""FTS5: which passages hold which words, how well, and where."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import apsw

from ragqa.store.filter import condition_of
from ragqa.types import Filter


def best(db: apsw.Connection, words: Sequence[str], k: int, where: Filter | None) -> dict[int, float]:
    """Key of each of the `k` passages with any of the words → its BM25 as FTS5 has it, the lowest and best first."""
    condition, values = condition_of(where)
    join = " JOIN passages p ON p.key = f.rowid JOIN documents d ON d.key = p.document" if condition else ""
    found = f"SELECT f.rowid, bm25(passages_fts) FROM passages_fts f{join} WHERE passages_fts MATCH ?{condition}"
    return dict(db.execute(f"{found} ORDER BY 2 LIMIT ?", (any_of(words), *values, k)))


def frequencies(db: apsw.Connection, words: Sequence[str], where: Filter | None) -> tuple[list[int], int]:
    """How many passages hold each word, and how many passages there are."""
    condition, values = condition_of(where)
    documents = " JOIN documents d ON d.key = p.document" if condition else ""
    matching = f"SELECT count(*) FROM passages_fts f JOIN passages p ON p.key = f.rowid{documents}"
    counts = [
        int(db.execute(f"{matching} WHERE passages_fts MATCH ?{condition}", (any_of([word]), *values)).get)
        for word in words
    ]
    every = db.execute(f"SELECT count(*) FROM passages p{documents} WHERE 1{condition}", tuple(values))
    return counts, int(every.get)


def any_of(words: Sequence[str]) -> str:
    """An FTS5 query for any of the words; quoted, so that nothing in them is an operator."""
    return " OR ".join(map(_quoted, words))


def all_of(words: Sequence[str]) -> str:
    """An FTS5 query for passages whose own text, headings above it left out, holds all of the words."""
    return f"text : ({' AND '.join(map(_quoted, words))})"


def new_mark() -> str:
    """What `highlight` puts around the words it found: no text can hold it on purpose."""
    return f"\x02{secrets.token_hex(8)}\x03"


def marked_spans(text: str, mark: str) -> tuple[tuple[int, int], ...]:
    """Start and end of what stands between marks, as offsets into the text without them."""
    spans, at = [], 0
    for n, part in enumerate(text.split(mark)):
        if n % 2:
            spans.append((at, at + len(part)))
        at += len(part)
    return tuple(spans)


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'
