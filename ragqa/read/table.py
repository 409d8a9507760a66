"""Rows of cells → lines that can be searched, quoted and understood."""

from __future__ import annotations

import re
from collections.abc import Sequence

_YEAR = re.compile(r"(?:19|20)\d\d")  # may name a column
_NUMBER = re.compile(r"[\s+\-(]*[\d.,:/'\s-]+[\s%€$£)]*")
_YEAR = re.compile(r"(?:19|20)\d\d")


def column_names(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether a table's first row names its columns: words in nearly all of them, each once, and rows to follow.

    Numbers and dates are no names, but for years beside a word; neither is one cell over a table of many, which is its
    title.
    """
    names = [cell for cell in first if cell.strip()]
    wide = max(len(first), sum(bool(cell.strip()) for cell in second))
    return (
        bool(names)
        and any(cell.strip() for cell in second)
        and 2 * len(names) > wide
        and len(set(names)) == len(names)
        and all(len(cell) <= 100 and not _NUMBER.fullmatch(cell) for cell in names if not _YEAR.fullmatch(cell))
        and not all(_YEAR.fullmatch(cell) for cell in names)
    )


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
