"""Where the blocks of a text begin that is kept as it stands, line by line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from ragqa.document import Block, Kind
from ragqa.read.about import title_of


class Mark(NamedTuple):
    """The beginning of a block.

    Attributes:
        line: From 0.
        level: Of a heading, from 1; otherwise 0.
        heading: The path of headings it stands under.
    """

    line: int
    kind: Kind
    level: int
    heading: tuple[str, ...]


def blocks_of(text: str, marks: Sequence[Mark]) -> tuple[Block, ...]:
    """Blocks that cover the text without gaps: what stands before the first mark belongs to it."""
    if not marks:
        return (Block("paragraph", 0, len(text)),)
    lines = [0, *(match.end() for match in re.finditer("\n", text))]
    starts = [0, *(lines[mark.line] for mark in marks[1:]), len(text)]
    return tuple(
        Block(mark.kind, start, end, mark.heading) for (start, end), mark in zip(pairwise(starts), marks, strict=True)
    )


def title_in(marks: Sequence[Mark]) -> str:
    """The first heading of level 1, in the shape of a title; empty where there is none."""
    return title_of(next((mark.heading[-1] for mark in marks if mark.level == 1), ""))
