"""Text with marks of Markdown → all that can stand as a quotation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from ragqa.sentences import sentence_spans

WHOLE_LINES = 24  # code and tables of so many lines are quoted whole: a screenful
PART_LINES = 12  # longer code is quoted in parts of so many, longer tables row by row
ANNOUNCED_LINES = 28  # a sentence with a colon takes no more along, whatever it announces

FRONT_MATTER = re.compile(r"\A---[^\S\n]*\n(?:.*\n)*?---[^\S\n]*(?:\n|\Z)")
FENCE = re.compile(r"[ \t>]*(```|~~~)")
_HEADING = re.compile(r"#{1,6}\s")
_ROW = re.compile(r"[ \t]*\|")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,4}[.)])\s")
_ANNOUNCED = re.compile(r"[ \t]*(?:[-*+]|\d{1,4}[.)]|>)\s")
_INDENTED = re.compile(r"(?: {4}|\t)[ \t]*\S")
_TABLE_RULE = re.compile(r"\s*\|?(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*(?::?-+:?[ \t]*)?(?:\n|\Z)")
_RULE = re.compile(r"[\s|:=*_-]+")
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")

Line = tuple[int, int]  # where it starts and ends, its line break included


def quotable_spans(text: str, *, first: bool = True) -> Iterator[tuple[int, int, bool]]:
    """Start and end of all that can stand as a quotation: sentences, list items, tables, pieces of code.

    The flag says that its lines mean something, as those of code and of tables do. White space around a quotation is
    left out, and so are front matter (of a document's `first` passage), headings, rules and the fences around code, and
    of a table that is too long to be quoted whole its head. A sentence that ends in a colon takes along what it
    announces: code, a table, a list, what somebody says.
    """
    held: tuple[int, int, bool] | None = None  # a sentence with a colon, and what of its list came so far
    for start, end, whole in _plain_spans(text, first):
        if held and (whole or _ANNOUNCED.match(text, start)) and text.count("\n", held[0], end) <= ANNOUNCED_LINES:
            held = held[0], end, True
            start, end, whole = held if whole else (end, end, False)
            held = None if whole else held
        elif held:
            yield held
            held = None
        if start < end and text[end - 1] == ":" and not whole:
            held = start, end, False
        elif start < end:
            yield start, end, whole
    if held:
        yield held


def _plain_spans(text: str, first: bool) -> Iterator[tuple[int, int, bool]]:
    front = FRONT_MATTER.match(text) if first else None
    for start, end, whole in _stretches(text, front.end() if front else 0):
        spans = [(start, end)] if whole else [(start + a, start + b) for a, b in sentence_spans(text[start:end])]
        for a, b in spans:
            quote = text[a:b]
            if not _RULE.fullmatch(quote) and (whole or not _TABLE_RULE.match(text, b)):
                # The first line of code keeps its indentation: the others are read beside it.
                lead = _BLANK_LINES.match(quote).end() if whole else len(quote) - len(quote.lstrip())  # type: ignore[union-attr]
                yield a + lead, b - len(quote) + len(quote.rstrip()), whole


def _stretches(text: str, at: int) -> Iterator[tuple[int, int, bool]]:
    """Runs of lines that belong together, from `at` on; the flag says that a run has no sentences."""
    for kind, group in groupby(_lines(text, at), key=lambda one: one[0]):
        lines = [line for _kind, line in group]
        if kind.startswith("code"):
            step = len(lines) if len(lines) <= WHOLE_LINES else PART_LINES
            for n in range(0, len(lines), step):
                yield lines[n][0], lines[n : n + step][-1][1], True
        elif kind == "table" and len(lines) <= WHOLE_LINES and _is_table(text, lines):
            yield lines[0][0], lines[-1][1], True
        elif kind == "table":
            yield from ((start, end, False) for start, end in lines)
        elif kind.startswith("prose"):
            yield lines[0][0], lines[-1][1], False


def _is_table(text: str, lines: list[Line]) -> bool:
    """Whether it has a rule under its head, and a row."""
    return len(lines) > 2 and bool(_TABLE_RULE.fullmatch(text, *lines[1]))


def _lines(text: str, at: int) -> Iterator[tuple[str, Line]]:
    """Each line with the stretch it belongs to: its kind and, where two of a kind can follow each other, a number."""
    fenced = listed = False
    number, kind, blank = 0, "prose", True
    for match in _LINE.finditer(text, at):
        line, before = match.group(), kind
        item = bool(_ITEM.match(line))
        kind = _kind(line, before, fenced, may_indent=blank and not listed)
        fenced ^= kind == "fence"
        blank = not line.strip()
        listed = (listed and (blank or line[0].isspace())) or (item and kind == "prose")
        number += kind != before or (kind == "prose" and item)
        yield (f"{kind} {number}" if kind in ("prose", "code") else kind), match.span()


def _kind(line: str, before: str, fenced: bool, may_indent: bool) -> str:
    if FENCE.match(line):
        return "fence"
    if fenced:
        return "code"
    if not line.strip():
        return "code" if before == "code" else "prose"
    if _HEADING.match(line):
        return "heading"
    if _INDENTED.match(line) and (before == "code" or may_indent):
        return "code"
    return "table" if _ROW.match(line) else "prose"
