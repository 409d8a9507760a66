"""Which documents a search may see, as a condition of SQL: it holds while searching, not of what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ragqa.types import Filter

_DATE = "coalesce(nullif(d.date, ''), date(d.mtime_ns / 1000000000, 'unixepoch', 'localtime'))"  # as `ls -l` has it
_NAMES = "SELECT key, composed(id) AS id, composed(path) AS path FROM documents LIMIT -1"  # once for all patterns
_TOGETHER = 100  # alternatives that stand side by side; SQLite takes a thousand, and as many groups


def condition_of(where: Filter | None) -> tuple[str, tuple[str, ...]]:
    """A condition that only documents `d` that `where` allows fulfil, to stand behind another, and its values."""
    parts = list(_parts(where)) if where else []
    return "".join(f" AND {sql}" for sql, _values in parts), tuple(value for _sql, some in parts for value in some)


def in_collections(where: Filter | None) -> tuple[str, tuple[str, ...]]:
    """The same of rows that know their collection alone, in a column of that name."""
    if not where or not where.collections:
        return "", ()
    return f" AND collection IN ({_marks(where.collections)})", where.collections


def _parts(where: Filter) -> Iterator[tuple[str, Sequence[str]]]:
    if where.collections:
        yield f"d.collection IN ({_marks(where.collections)})", where.collections
    if where.types:
        yield f"d.type IN ({_marks(where.types)})", where.types
    if where.tags:
        tagged = f"SELECT document FROM tags WHERE tag IN ({_marks(where.tags)})"
        yield f"d.key IN ({tagged})", where.tags
    if where.paths:
        patterns = [pattern for path in where.paths for pattern in _patterns(path)]
        fits = _any_of(["id GLOB ? OR path GLOB ?"] * len(patterns))
        named = f"SELECT key FROM ({_NAMES}) WHERE {fits}"
        yield f"d.key IN ({named})", [value for pattern in patterns for value in (pattern, pattern)]
    if where.after:
        yield f"{_DATE} >= ?", [where.after]
    if where.before:
        yield f"{_DATE} <= ?", [where.before]


def _patterns(path: str) -> list[str]:
    """A folder means what is in it; `**/` also stands for no folder at all."""
    bare = path.rstrip("/")
    return [*dict.fromkeys([bare or path, bare.removeprefix("**/") or path, f"{bare}/*"])]


def _any_of(conditions: Sequence[str]) -> str:
    groups = [conditions[at : at + _TOGETHER] for at in range(0, len(conditions), _TOGETHER)]
    return " OR ".join(f"({' OR '.join(group)})" for group in groups)


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
