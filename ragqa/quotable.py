"""A text and its blocks → all that can stand as a quotation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ragqa.document import Block
from ragqa.sentences import sentence_spans

WHOLE_LINES = 24  # code and tables of so many lines are quoted whole: a screenful
PART_LINES = 12  # longer code is quoted in parts of so many, longer tables row by row
ANNOUNCED_LINES = 28  # a sentence with a colon takes no more along, whatever it announces

_FENCE = re.compile(r"(?:[ \t>]|(?:[-*+]|\d{1,4}[.)])[ \t])*(?:(`{3,})[^`\n]*|(~{3,})[^\n]*)\n?")
_BARE_FENCE = re.compile(r"[ \t>]*(?:`+|~+)[ \t]*\n?")
_CLOSING = re.compile(r"\n[ \t>]*(?:`{3,}|~{3,})[ \t]*(?=\n|\Z)")
_ROW = re.compile(r"[ \t>]*\|")
_ITEM = re.compile(r"([ \t]*)(?:[-*+]|\d{1,4}[.)])\s")
_TABLE_RULE = re.compile(r"[\s>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*\n?")
_RULE = re.compile(r"[\s|:=*_>+-]+")
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s[^()\n]*)?\)")  # or an image; what is shown, and its address

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Found:
    """What could be quoted.

    Attributes:
        whole: Its lines mean something.
        announced: A sentence with a colon before it announces it: a list item, code, a table, what somebody says.
    """

    start: int
    end: int
    whole: bool = False
    announced: bool = False


def quotable_spans(text: str, blocks: Sequence[Block]) -> Iterator[tuple[int, int, bool]]:
    """Start and end of all that can stand as a quotation: sentences, list items, tables, pieces of code.

    The flag says that its lines mean something, as those of code and of tables do. White space around a quotation is
    left out, and so are front matter, headings, rules and the fences around code, and of a table that is too long to be
    quoted whole its head. A sentence that ends in a colon takes along what it announces: code, a table, a list, what
    somebody says.

    Args:
        blocks: What the text is made of; none is one paragraph.
    """
    held: _Found | None = None  # a sentence with a colon, and what it announces as far as it came
    for found in _plain(text, blocks or [Block("paragraph", 0, len(text))]):
        if held and _announces(text, held, found):
            end = found.end
            if found.whole and (closing := _CLOSING.match(text, end)):
                end = closing.end()  # the fence that opens it is taken along, so the one that closes it is too
            held = _Found(held.start, end, True)
            if not found.whole:
                continue
            found, held = held, None
        if held:
            yield held.start, held.end, held.whole
            held = None
        if text[found.end - 1] in ":：" and not found.whole:
            held = found
        else:
            yield found.start, found.end, found.whole
    if held:
        yield held.start, held.end, held.whole


def _announces(text: str, held: _Found, found: _Found) -> bool:
    """Whether it belongs to the sentence before it; an item of a list announces only what is set in under it."""
    if not found.announced or text.count("\n", held.start, found.end) > ANNOUNCED_LINES:
        return False
    above, own = (_ITEM.match(text, _line_start(text, at)) for at in (held.start, found.start))
    return not above or not own or len(own[1]) > len(above[1])


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _plain(text: str, blocks: Sequence[Block]) -> Iterator[_Found]:
    for block in blocks:
        if block.kind == "code":
            yield from _code(text, _without_fences(text, block))
        elif block.kind == "table":
            yield from _table(text, (block.start, block.end))
        elif block.kind not in ("front", "heading"):
            yield from _prose(text, block)


def _without_fences(text: str, block: Block) -> Span:
    """What stands between the fences; of a block that was divided, either may be in another passage."""
    start, end = block.start, block.start + len(text[block.start : block.end].rstrip())
    opening = _FENCE.match(text, start, end)
    last = text.rfind("\n", start, end)
    closing = _CLOSING.match(text, last, end) if last >= 0 else None
    return (opening.end() if opening else start), (closing.start() if closing else end)


def _code(text: str, span: Span) -> Iterator[_Found]:
    lines = _lines(text, span)
    step = len(lines) if len(lines) <= WHOLE_LINES else PART_LINES
    for n in range(0, len(lines), max(step, 1)):
        yield from _stripped(text, (lines[n][0], lines[n : n + step][-1][1]), whole=True)


def _table(text: str, span: Span) -> Iterator[_Found]:
    """A table whole; a long one without head and rule, or lines with bars that are none, by rows."""
    lines = [line for line in _lines(text, span) if text[slice(*line)].strip()]
    rules = [n for n, line in enumerate(lines) if _TABLE_RULE.fullmatch(text, *line)]
    if rules == [1] and 2 < len(lines) <= WHOLE_LINES:
        yield from _stripped(text, (lines[0][0], lines[-1][1]), whole=True)
        return
    for n, line in enumerate(lines):
        if n not in rules and n + 1 not in rules:
            yield from _stripped(text, line, announced=True)


def _prose(text: str, block: Block) -> Iterator[_Found]:
    """Sentences, and the code and tables that stand in a list or in a quotation."""
    for kind, group in groupby(_nested(text, (block.start, block.end)), key=lambda one: one[0]):
        lines = [line for _kind, line in group]
        span = lines[0][0], lines[-1][1]
        if kind.startswith("code"):
            yield from _code(text, span)
        elif kind == "table":
            yield from _table(text, span)
        elif kind.startswith("prose"):
            announced = block.kind == "quotation" or bool(_ITEM.match(text, span[0]))
            for sentence in _sentences(text, span):
                yield from _stripped(text, sentence, announced=announced)


def _sentences(text: str, span: Span) -> Iterator[Span]:
    """Sentences, none of which ends inside a link or an image, or after the number of a list's item."""
    item = _ITEM.match(text, *span)
    links = [link.span() for link in LINK.finditer(text, *span)]
    begun, least = span[0], item.end() if item else span[0]
    for _start, end in sentence_spans(text[slice(*span)]):
        end += span[0]
        if end > least and not any(first < end < last for first, last in links):
            yield begun, end
            begun = end


def _nested(text: str, span: Span) -> Iterator[tuple[str, Span]]:
    """Each line with the stretch it belongs to: its kind and, where two of a kind can follow each other, a number."""
    fence, number, kind = "", 0, "prose"
    for start, end in _lines(text, span):
        before, mark = kind, _FENCE.fullmatch(text, start, end)
        marks = (mark[1] or mark[2]) if mark else ""
        if fence:
            closes = marks.startswith(fence) and _BARE_FENCE.fullmatch(text, start, end)
            kind, fence = ("fence", "") if closes else ("code", fence)
        elif marks:
            kind, fence = "fence", marks
        else:
            kind = "table" if _ROW.match(text, start) else "prose"
        number += kind != before or (kind == "prose" and bool(_ITEM.match(text, start)))
        yield (f"{kind} {number}" if kind in ("prose", "code") else kind), (start, end)


def _stripped(text: str, span: Span, *, whole: bool = False, announced: bool = False) -> Iterator[_Found]:
    """Without the white space around it, if it says anything; code keeps the indentation of its first line."""
    quote = text[slice(*span)]
    if not _RULE.fullmatch(quote):
        lead = _BLANK_LINES.match(quote).end() if whole else len(quote) - len(quote.lstrip())  # type: ignore[union-attr]
        yield _Found(span[0] + lead, span[0] + len(quote.rstrip()), whole, announced or whole)


def _lines(text: str, span: Span) -> list[Span]:
    return [line.span() for line in _LINE.finditer(text, *span)]
