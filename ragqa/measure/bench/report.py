"""Measurements → what is printed: the machine, then a row a measurement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ragqa.measure.bench import Measurement

COLUMNS = ("", "measure", "median", "unit", "lowest to highest", "n", "beside", "its median", "times as good")


@dataclass(slots=True)
class Report:
    """What was measured so far; it grows while a run goes on, so an interrupted one can still be shown.

    Attributes:
        facts: The machine, the programs and what was measured on, by name.
        rooms: Rows by what they belong to, such as `cold` or `embed`.
        notes: What the figures have to be read with.
    """

    facts: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, Sequence[Measurement]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def cells(report: Report) -> Iterator[tuple[str, ...]]:
    """The table, row by row, in the order of `COLUMNS`."""
    for room, rows in report.rooms.items():
        for row in rows:
            yield (
                room,
                row.title,
                figure(row.value),
                row.unit,
                f"{figure(min(row.samples))} to {figure(max(row.samples))}" if len(row.samples) > 1 else "",
                str(len(row.samples)),
                row.beside,
                "" if row.reference is None else figure(row.reference),
                "" if row.ratio is None else figure(row.ratio),
            )


def figure(value: float) -> str:
    """Three digits, or all before the point: more is noise."""
    digits = next((digits for digits, least in enumerate((100, 10, 1)) if abs(value) >= least), 3)
    return f"{value:,.{digits}f}"
