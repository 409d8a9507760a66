"""How costs grow, drawn: one PNG file a picture, from the rows of a report. Needs matplotlib."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragqa.errors import NotWritable, UsageError
from ragqa.measure.bench import Measurement
from ragqa.measure.bench.report import Report

STAGE = "stage "


@dataclass(frozen=True, slots=True)
class Line:
    """A measure as its cost grows: at which sizes, and what it came to there."""

    name: str
    sizes: Sequence[int]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Picture:
    """A row of the table of pictures: file, what it is drawn from, and how."""

    file: str
    room: str
    title: str
    unit: str
    draw: Callable[[Any, Sequence[Measurement], str], None]


def require_drawing(folder: Path) -> None:
    """Say early that nothing can be drawn; makes the folder.

    Raises:
        UsageError: matplotlib is not installed.
        NotWritable: No file can be written into the folder.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError("--plots needs matplotlib, which is not installed", "pip install 'ragqa[plots]'")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise NotWritable(f"--plots {folder}: {error.strerror}", "name a folder that can be written to") from error


def draw(report: Report, folder: Path) -> list[Path]:
    """Draw each picture for which something was measured into a folder that is there; returns the files."""
    import matplotlib as mpl

    mpl.use("agg")  # files only: no screen is needed
    from matplotlib import pyplot

    drawn = []
    for picture in PICTURES:
        if rows := report.rooms.get(picture.room):
            figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
            axes.set_title(picture.title)
            picture.draw(axes, rows, picture.unit)
            drawn.append(folder / picture.file)
            figure.savefig(drawn[-1], dpi=150)
            pyplot.close(figure)
    return drawn


def lines(rows: Sequence[Measurement], unit: str) -> list[Line]:
    """What grows with a size, and what stands beside it: a line a name, in ascending sizes."""
    points: dict[str, dict[int, float]] = {}
    for row in rows:
        if row.at and row.unit == unit:
            points.setdefault(row.name, {})[row.at[0]] = row.value
            if row.reference is not None:
                points.setdefault(row.beside, {}).setdefault(row.at[0], row.reference)
    return [Line(name, sorted(line), [line[size] for size in sorted(line)]) for name, line in points.items()]


def stage_values(rows: Sequence[Measurement]) -> Mapping[str, float]:
    """Milliseconds by stage, in their order; stages that took nothing are left out."""
    stages = {row.name.removeprefix(STAGE): row.value for row in rows if row.name.startswith(STAGE)}
    return {name: ms for name, ms in stages.items() if ms > 0}


def _draw_growth(axes: Any, rows: Sequence[Measurement], unit: str) -> None:
    """Both axes logarithmic: what grows in proportion is a straight line."""
    for line in lines(rows, unit):
        axes.plot(line.sizes, line.values, marker="o", label=line.name)
    varied = next((row.at[1] for row in rows if row.at), "")
    axes.set(xscale="log", yscale="log", xlabel=varied, ylabel=unit)
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()


def _draw_stages(axes: Any, rows: Sequence[Measurement], unit: str) -> None:
    """Bars one below the other, each beginning where the one before ends."""
    start = 0.0
    for name, ms in stage_values(rows).items():
        axes.barh(name, ms, left=start)
        axes.text(start + ms, name, f" {ms:.0f}", va="center")
        start += ms
    axes.invert_yaxis()
    axes.set(xlabel=unit, xlim=(0, start * 1.1))  # room for the last number


PICTURES = (
    Picture("nearest.png", "nearest", "Finding the ten nearest vectors", "ms", _draw_growth),
    Picture("embed.png", "embed", "Embedding texts of one length", "tokens/s", _draw_growth),
    Picture("cold.png", "cold", "One question from a cold start, by stage", "ms", _draw_stages),
)
