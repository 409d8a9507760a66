"""Document → passages: what is embedded, retrieved and cited.

A passage is a paragraph with what belongs to it. Headings go with what they announce, code, lists and tables with
the paragraph before them; tiny paragraphs join their neighbours, and one that is too long for the embedder is
split at sentences, or at lines inside code and tables. Together the passages are the document, byte for byte.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ragqa.document import Block, Document, DocumentRecord, Kind, Passage, Place, place_at, places_within
from ragqa.read.languages import LANGUAGES
from ragqa.sentences import sentence_spans
from ragqa.types import Count

VERSION = "2"  # part of the fingerprint: passages cut otherwise are not comparable
TINY = 64  # tokens; a passage shorter than this takes its neighbour in
LARGE = 320  # tokens; code or a list is not attached to a paragraph beyond this
CROWDED = 1024  # units; only those that say nothing to the tokenizer come to so many, and they could go on for ever
HEADING_SHARE = 4  # headings are given a quarter of a passage's tokens at most
PROSE = ("paragraph", "quotation")
NAMED = frozenset(language.name for language in LANGUAGES)  # headings are the names of functions: one passage, one name
_BLANK_END = re.compile(r"\n[^\S\n]*\n[^\S\n]*\Z")
PIECE = 1600  # characters; nothing longer is ever given to the tokenizer at once


@dataclass(frozen=True, slots=True)
class _Unit:
    """The smallest stretch that is not divided: a block, or a part of one that was too long.

    Attributes:
        room: Tokens that a passage under the unit's headings may have.
    """

    kind: Kind
    start: int
    end: int
    heading: tuple[str, ...]
    tokens: int
    room: int


def split(document: Document, count: Count, limit: int) -> list[Passage]:
    """Cut a document into passages of at most `limit` tokens, its headings' path included.

    Args:
        count: The embedder's tokenizer, prefix and end marks included.
        limit: The embedder's longest input, tokens.
    """
    marks = count("")  # prefix and end marks come once a passage, not once a sentence

    def bare(text: str) -> int:
        return count(text) - marks

    units = [unit for block in document.blocks for unit in _units(document.text, block, bare, limit - marks)]
    lines = [match.start() for match in re.finditer("\n", document.text)]
    passages = []
    named = document.type in NAMED
    for ordinal, group in enumerate(_groups(units, named), start=1):
        heading = next((u.heading for u in group if u.kind != "heading"), group[0].heading)
        passages.append(_passage(document, ordinal, group, heading, lines))
    return passages


def embedded_text(passage: Passage, count: Count, limit: int) -> str:
    """What the embedder reads: the passage under those of its headings that it does not contain, if they fit."""
    body = passage.text.strip()
    missing = [title for title in passage.heading if title and title not in body[:PIECE]]
    for first in range(len(missing)):
        text = "\n".join([*missing[first:], body])
        if len(text) <= PIECE * 4 and count(text) <= limit:
            return text
    return body


def _units(text: str, block: Block, count: Count, limit: int) -> Iterator[_Unit]:
    room = limit - min(_heading_tokens(block.heading, count), limit // HEADING_SHARE)
    pending = [(block.start, block.end)]  # a stack: what comes first in the text lies on top
    while pending:
        start, end = pending.pop()
        tokens = count(text[start:end]) if end - start <= PIECE * 4 else limit + 1
        if tokens <= room:
            yield _Unit(block.kind, start, end, block.heading, tokens, room)
        else:
            pending.extend(reversed(_parts(text, start, end, block.kind, count, room)))


def _heading_tokens(heading: Sequence[str], count: Count) -> int:
    return count("\n".join(heading)[:PIECE]) if heading else 0


def _parts(text: str, start: int, end: int, kind: str, count: Count, room: int) -> list[tuple[int, int]]:
    """Divide a stretch that is too long, at the best place there is; every part is shorter than the whole."""
    stretch = text[start:end]
    for cut in (_at_sentences, _at_spaces) if kind in PROSE else (_at_lines, _at_sentences, _at_spaces):
        spans = list(_packed(stretch, cut(stretch), count, room))
        if len(spans) > 1:
            return [(start + a, start + b) for a, b in spans]
    middle = min(PIECE, (end - start) // 2) or 1
    return [(at, min(at + middle, end)) for at in range(start, end, middle)]


def _at_lines(text: str) -> Iterator[tuple[int, int]]:
    return ((m.start(), m.end()) for m in re.finditer(r"[^\n]*\n|[^\n]+\Z", text))


def _at_sentences(text: str) -> Iterator[tuple[int, int]]:
    return sentence_spans(text)


def _at_spaces(text: str) -> Iterator[tuple[int, int]]:
    return ((m.start(), m.end()) for m in re.finditer(rf"\s*\S{{1,{PIECE}}}\s*", text))


def _packed(text: str, spans: Iterator[tuple[int, int]], count: Count, room: int) -> Iterator[tuple[int, int]]:
    """Join neighbouring spans while they fit; one that does not fit alone is passed on as it is."""
    start, size = 0, 0
    for a, b in spans:
        tokens = count(text[a:b]) if b - a <= PIECE else room + 1
        if a > start and size + tokens > room:
            yield start, a
            start, size = a, 0
        size += tokens
    if start < len(text):
        yield start, len(text)


def _groups(units: Sequence[_Unit], named: bool) -> Iterator[list[_Unit]]:
    """Gather units into passages, in order."""
    group: list[_Unit] = []
    for unit in units:
        if group and ((named and unit.heading != group[-1].heading) or not _joins(group, unit)):
            yield group
            group = []
        group.append(unit)
    if group:
        yield group


def _joins(group: Sequence[_Unit], unit: _Unit) -> bool:
    """Whether a unit belongs to the passage that is being gathered."""
    tokens = sum(u.tokens for u in group)
    if len(group) == CROWDED:
        return False
    if tokens + unit.tokens > min(unit.room, group[0].room):
        return False
    if all(u.kind == "heading" for u in group):
        return True
    if unit.kind == "heading" or unit.heading != group[-1].heading:
        return tokens < TINY
    attached = unit.kind in ("code", "list", "table", "quotation") and group[-1].kind in PROSE
    return tokens < TINY or unit.tokens < TINY // 2 or (attached and tokens + unit.tokens <= LARGE)


def _passage(
    document: Document, ordinal: int, group: Sequence[_Unit], heading: tuple[str, ...], lines: Sequence[int]
) -> Passage:
    start, end = group[0].start, group[-1].end
    text = document.text[start:end]
    first = min(start + len(text) - len(text.lstrip()), end - 1)
    last = max(start + len(text.rstrip()) - 1, first)
    return Passage(
        document_id=document.id,
        ordinal=ordinal,
        text=text,
        start=start,
        end=end,
        line_start=_line(document, first, lines),
        line_end=_line(document, last, lines),
        heading=heading,
        blocks=tuple(Block(unit.kind, unit.start - start, unit.end - start, unit.heading) for unit in group),
        places=places_within(document.places, start, end),
    )


def _line(document: Document, offset: int, lines: Sequence[int]) -> int:
    """The line that the character at `offset` stands on, from 1: of the file, where it is known."""
    place = place_at(document.places, offset)
    return place.line if place and place.line else bisect_left(lines, offset) + 1


def join(record: DocumentRecord, passages: Sequence[Passage]) -> Document:
    """The document that passages were cut from, as the index remembers it.

    A block that was divided between two passages is one again; where two blocks of one kind under the same headings
    meet there without a blank line or a fence between them, they become one too.
    """
    blocks: list[Block] = []
    places: list[Place] = []
    before = ""
    for passage in passages:
        own = passage.blocks or (Block("paragraph", 0, len(passage.text), passage.heading),)
        for n, block in enumerate(own):
            block = replace(block, start=passage.start + block.start, end=passage.start + block.end)
            if n or not blocks or not _goes_on(blocks[-1], block, before, passage.text):
                blocks.append(block)
            else:
                blocks[-1] = replace(blocks[-1], end=block.end)
        before = passage.text
        for place in passage.places:
            if not places or replace(place, start=0) != replace(places[-1], start=0):
                places.append(replace(place, start=passage.start + place.start))
    return Document(
        id=record.id,
        path=record.path,
        text="".join(passage.text for passage in passages),
        sha256=record.sha256,
        size=record.size,
        mtime_ns=record.mtime_ns,
        blocks=tuple(blocks),
        collection=record.collection,
        places=tuple(places),
        type=record.type,
        title=record.title,
        tags=record.tags,
        date=record.date,
        inode=record.inode,
        readers=record.readers,
    )


def _goes_on(last: Block, block: Block, before: str, after: str) -> bool:
    """Whether a block is the rest of the one that ended the text before."""
    parted = _BLANK_END.search(before) or after.startswith(("```", "~~~"))
    return (last.kind, last.heading) == (block.kind, block.heading) and not parted
