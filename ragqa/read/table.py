"""Rows of cells → lines that can be searched, quoted and understood."""

from __future__ import annotations

import re
from collections.abc import Sequence

HEAD_ROWS = 50  # that a table is known by

_NUMBER = re.compile(r"[\s+\-(]*[\d.,:/'\s-]+[\s%€$£)]*")
_YEAR = re.compile(r"(?:19|20)\d\d")  # may name a column


def column_names(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether a table's first row names its columns: words in nearly all of them, most once, and rows to follow.

    Numbers and dates are no names, but for years beside a word; neither is one cell over a table of many, which is its
    title, or one with a colon at its end, which names what stands beside it.
    """
    names = [cell for cell in first if cell.strip()]
    wide = max(len(first), sum(bool(cell.strip()) for cell in second))
    return (
        bool(names)
        and any(cell.strip() for cell in second)
        and 2 * len(names) > wide
        and 3 * len(set(names)) >= 2 * len(names)
        and all(map(_may_name, names))
        and not all(_YEAR.fullmatch(cell) for cell in names)
    )


def _may_name(cell: str) -> bool:
    told = len(cell) <= 100 and not cell.rstrip().endswith(":") and not _NUMBER.fullmatch(cell)
    return told or bool(_YEAR.fullmatch(cell))


def head_of(rows: Sequence[Sequence[str]], least: int = 1) -> int | None:
    """The row of a table that names its columns, where one does; what stands over it is far narrower than the table.

    Args:
        rows: Those that it begins with, HEAD_ROWS at most, none of them blank.
        least: Columns of a table whose first row is looked at.
    """
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    for n, width in enumerate(filled[:-1]):
        usual = sorted(filled[n + 1 :])[3 * (len(rows) - n - 1) // 4]  # few rows may follow a long preamble
        if 2 * width > max(usual, least):
            return n if column_names(rows[n], rows[n + 1]) else None
    return None


def record(names: Sequence[str], cells: Sequence[str]) -> str:
    """A row as `Name: value; Name: value`, so that each value is found by what it is, or with bars where none is named.

    Empty cells are left out.
    """
    if not names:
        return " | ".join(cell for cell in cells if cell)
    named = [(names[n] if n < len(names) else "", cell) for n, cell in enumerate(cells) if cell]
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in named)


def table_lines(rows: Sequence[Sequence[str]]) -> str:
    """A row a line, cells parted by bars; a head has a rule under it, by which a quoted table keeps its head."""
    lines = [" | ".join(" ".join(cell.split()) for cell in row).strip() for row in rows]
    if len(rows) > 1 and len(rows[0]) > 1 and column_names(rows[0], rows[1]):
        lines.insert(1, " | ".join("---" for _cell in rows[0]))
    return "\n".join(line for line in lines if line.strip(" |"))
