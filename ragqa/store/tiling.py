"""Whether passages make up a document: in order, without gaps, each with blocks and places that lie within it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ragqa.document import Passage


def tiling_faults(passages: Iterable[Passage]) -> Iterator[tuple[int, str]]:
    """The ordinal of each passage that does not fit, and why; nothing when all of a document's are given and fit."""
    ordinal, end = 0, 0
    for passage in passages:
        ordinal += 1
        if passage.ordinal != ordinal:
            yield ordinal, "missing"
            ordinal = passage.ordinal
        elif passage.start != end:
            yield ordinal, "does not begin where the passage before ends"
        end = passage.end
        for reason in _own_faults(passage):
            yield ordinal, reason


def _own_faults(passage: Passage) -> Iterator[str]:
    length = len(passage.text)
    if passage.end - passage.start != length:
        yield "its place in the document is not as long as its text"
    if not 1 <= passage.line_start <= passage.line_end:
        yield "its lines are in no order"
    edges = [0, *(block.end for block in passage.blocks)]
    if passage.blocks and (edges[-1] != length or edges != sorted(set(edges))):
        yield "its blocks do not cover its text"
    starts = [place.start for place in passage.places]
    if starts and (starts != sorted(set(starts)) or starts[0] != 0 or starts[-1] >= length):
        yield "its places are in no order"
