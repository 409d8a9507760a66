"""Words on a page → lines in the order in which they are read, and the paragraphs that they form.

A page says where its words stand, not what belongs together. Lengths are the page's own, in any unit; y grows
downwards. Heights are those of a line in the word's font, so that they measure type size.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median_low

from ragqa.document import Kind

COLUMN_GAP = 1.5  # heights between two words that are not of one line of text
SAME_LINE = 1.0  # heights between two stretches that are one line although they were drawn apart
GUTTER = 1.0  # heights that stay empty between two columns
COLUMN_WORDS = 20  # characters of a line in the middle of a column, by length; cells of tables are shorter
COLUMN_LINES = 2
PARAGRAPH_GAP = 1.3  # times the distance of most lines
CODE_GAP = 2.5
INDENT = 0.8  # heights
SIZE = 0.15  # share by which the type differs
SHORT = 0.25  # share of the width that a paragraph's last line leaves free

_BULLET = re.compile(r"[•▪◦‣●○■□➢➤✓·∙][^\S\n]*|[-–—*][^\S\n]+")
_NUMBERED = re.compile(r"(?:\d{1,3}|[a-zA-Z])[.)]\s+\S")
_ENDED = re.compile(r"[.!?:;。！？][\"'”’»)\]]*$")


@dataclass(frozen=True, slots=True)
class Line:
    """A word, or words that stand next to each other; `fixed` is type of one width, as code is set."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    fixed: bool = False

    @property
    def height(self) -> float:
        return self.bottom - self.top


Row = list[Line]
"""Lines that stand side by side, from left to right."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that belong together; of a table, its rows with bars between the cells."""

    kind: Kind
    lines: tuple[str, ...]
    height: float


def lines_of(words: Iterable[Line]) -> list[Line]:
    """Words, in the order in which they were drawn, as lines; what stands far away in a line is another one."""
    found: list[Line] = []
    for word in words:
        if found and _distance(found[-1], word) <= COLUMN_GAP * _lower(found[-1], word) and _beside(found[-1], word):
            found[-1] = _joined(found[-1], word)
        else:
            found.append(word)
    return found


def paragraphs_of(lines: Sequence[Line]) -> list[Paragraph]:
    """A page's paragraphs in the order in which they are read."""
    return [paragraph for region in _regions(rows_of(lines)) for paragraph in _paragraphs(region)]


def rows_of(lines: Sequence[Line]) -> list[Row]:
    """Lines by what stands side by side, from top to bottom."""
    rows: list[Row] = []
    for line in sorted(lines, key=lambda line: line.top):
        if rows and any(_beside(other, line) for other in rows[-1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_mended(sorted(row, key=lambda line: line.left)) for row in rows]


def _mended(row: Row) -> Row:
    """The row with stretches joined that were drawn apart but stand next to each other."""
    mended = row[:1]
    for line in row[1:]:
        if _distance(mended[-1], line) <= SAME_LINE * _lower(mended[-1], line):
            mended[-1] = _joined(mended[-1], line)
        else:
            mended.append(line)
    return mended


def _beside(one: Line, other: Line) -> bool:
    return min(one.bottom, other.bottom) - max(one.top, other.top) > _lower(one, other) / 2


def _lower(one: Line, other: Line) -> float:
    return min(one.height, other.height)


def _distance(one: Line, other: Line) -> float:
    """What is free between them, whichever comes first; some scripts run to the left."""
    return max(one.left, other.left) - min(one.right, other.right)


def _joined(one: Line, other: Line) -> Line:
    return Line(
        f"{one.text} {other.text}",
        min(one.left, other.left),
        min(one.top, other.top),
        max(one.right, other.right),
        max(one.bottom, other.bottom),
        one.fixed and other.fixed,
    )


def _regions(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Stretches of a page that are read one after the other: columns are, from left to right."""
    plain = at = 0
    while at < len(rows):
        end, gutter = max((_band(rows, at, gap) for gap in _gaps(rows[at])), default=(at, 0.0))
        sides = [
            [line for row in rows[at:end] for line in row if (line.left > gutter) is right] for right in (False, True)
        ]
        if all(map(_columnar, sides)):
            if plain < at:
                yield rows[plain:at]
            for side in sides:
                yield from _regions(rows_of(side))
            plain = at = end
        else:
            at += 1
    if plain < len(rows):
        yield rows[plain:]


def _gaps(row: Row) -> Iterator[tuple[float, float]]:
    for left, right in pairwise(row):
        yield left.right, right.left


def _band(rows: Sequence[Row], at: int, gap: tuple[float, float]) -> tuple[int, float]:
    """How far down a gap goes on, as the row that first stands in it, and the middle of what stays empty."""
    left, right = gap
    least = GUTTER * rows[at][0].height
    for n, row in enumerate(rows[at:], start=at):
        free_left, free_right = left, right
        for line in row:
            if line.right <= (left + right) / 2:
                free_left = max(free_left, line.right)
            elif line.left >= (left + right) / 2:
                free_right = min(free_right, line.left)
            else:
                return n, (left + right) / 2
        if free_right - free_left < least:
            return n, (left + right) / 2
        left, right = free_left, free_right
    return len(rows), (left + right) / 2


def _columnar(side: Sequence[Line]) -> bool:
    """Whether lines are text rather than the cells of a table."""
    return len(side) >= COLUMN_LINES and median_low(len(line.text) for line in side) >= COLUMN_WORDS


def _paragraphs(rows: Sequence[Row]) -> Iterator[Paragraph]:
    lines: list[Line] = []
    table: list[Row] = []
    for row in map(_aligned, rows):
        if len(row) > 1:
            yield from _text(lines)
            lines = []
            table.append(row)
        else:
            yield from _tabular(table)
            table = []
            lines += row
    yield from _text(lines)
    yield from _tabular(table)


def _aligned(row: Row) -> Row:
    """The row, or of code its only line, with spaces where it leaves room."""
    if len(row) == 1 or not all(line.fixed for line in row):
        return row
    whole = row[0]
    for line in row[1:]:
        room = " " * round(max(_distance(whole, line) / _width(line), 1.0))
        whole = replace(_joined(whole, line), text=f"{whole.text}{room}{line.text}")
    return [whole]


def _width(line: Line) -> float:
    """Of a character."""
    return max((line.right - line.left) / len(line.text), 0.1)


def _tabular(rows: Sequence[Row]) -> Iterator[Paragraph]:
    """Rows of several cells; one alone is a line with something at its right."""
    if rows:
        kind: Kind = "table" if len(rows) > 1 else "paragraph"
        yield Paragraph(kind, tuple(" | ".join(cell.text for cell in row) for row in rows), rows[0][0].height)


def _text(lines: Sequence[Line]) -> Iterator[Paragraph]:
    if not lines:
        return
    pitch = median_low([b.top - a.top for a, b in pairwise(lines)] or [0.0])
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    held = [lines[0]]
    for line in lines[1:]:
        if _parted(held, line, pitch, left, right):
            yield _paragraph(held)
            held = []
        held.append(line)
    yield _paragraph(held)


def _parted(held: Sequence[Line], line: Line, pitch: float, left: float, right: float) -> bool:
    """Whether a line begins a new paragraph after the lines that are held."""
    last, step = held[-1], line.top - held[-1].top
    return (
        line.fixed != last.fixed
        or step > (CODE_GAP if line.fixed else PARAGRAPH_GAP) * pitch
        or (not line.fixed and _text_parted(held, line, left, right))
    )


def _text_parted(held: Sequence[Line], line: Line, left: float, right: float) -> bool:
    last = held[-1]
    inward, indent = line.left - last.left, INDENT * _lower(last, line)
    listed = bool(_bulleted(held[0].text))
    return (
        abs(line.height - last.height) > SIZE * max(line.height, last.height)
        or _bulleted(line.text)
        or (inward > indent and not (listed and len(held) == 1))
        or (inward < -indent and (len(held) > 1 or listed))
        or (last.right < right - SHORT * (right - left) and bool(_ENDED.search(last.text)))
    )


def _bulleted(text: str) -> bool:
    return bool(_BULLET.match(text) or _NUMBERED.match(text))


def _paragraph(lines: Sequence[Line]) -> Paragraph:
    if lines[0].fixed:
        edge, width = min(line.left for line in lines), _width(lines[0])
        indented = (" " * round((line.left - edge) / width) + line.text for line in lines)
        return Paragraph("code", tuple(indented), lines[0].height)
    first = lines[0].text
    listed = _bulleted(first)
    texts = [_BULLET.sub("- ", first, count=1) if _BULLET.match(first) else first, *(line.text for line in lines[1:])]
    return Paragraph("list" if listed else "paragraph", tuple(texts), lines[0].height)
