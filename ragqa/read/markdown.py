"""Markdown: headings, paragraphs, lists, tables and code, each with its exact place in the source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ragqa.document import Block, Kind
from ragqa.read.front_matter import front_matter
from ragqa.read.reading import Draft, Reading
from ragqa.read.text import decode

_MARKUP = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)|[*`]+")

_TELLING = re.compile(r"^(?:```\w*|#{2,6} \S.*|\|(?: *:?-{3,}:? *\|)+) *$", re.M)
_KINDS: dict[str, Kind] = {
    "heading_open": "heading",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "blockquote_open": "quotation",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
}


def looks_marked_up(text: str) -> bool:
    """Whether there is something in it that plain text hardly has: a fence, a table's rule, a heading below the first.

    A single `#` is none: so begin the remarks in scripts and configuration files.
    """
    return bool(_TELLING.search(text))


@cache
def _parser() -> MarkdownIt:
    """CommonMark's block structure and GitHub's tables; what stands inside a line is left unparsed."""
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


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


def read(content: bytes, name: str) -> Reading:
    """Markdown as it stands, by its blocks; raises BadInput where it is no text.

    Its title is what the front matter says, else its first heading of level 1.
    """
    text, repaired, notes = decode(name, content)
    front, about = front_matter(text)
    marks = list(_marks(text, front))
    blocks, title = _blocks(text, marks), about.title or _title_in(marks)
    return Reading(text, blocks, title=title, tags=about.tags, date=about.date, repaired=repaired, notes=notes)


def markdown_blocks(text: str) -> tuple[Block, ...]:
    """Blocks that cover the text without gaps; whatever the parser keeps silent about joins the block before."""
    return _blocks(text, list(_marks(text, front_matter(text).end)))


def add_markdown(draft: Draft, text: str) -> str:
    """Add Markdown as it stands to a draft, under the sections that have begun there; tells its title."""
    marks = list(_marks(text, 0))
    if not marks:
        draft.add("paragraph", text)
    for mark, block in zip(marks, _blocks(text, marks), strict=False):
        if mark.level:
            draft.section(mark.level, mark.heading[-1])
        draft.add(mark.kind, text[block.start : block.end].strip("\n"))
    return _title_in(marks)


def _title_in(marks: Sequence[Mark]) -> str:
    return next((mark.heading[-1] for mark in marks if mark.level == 1), "")


def _blocks(text: str, marks: Sequence[Mark]) -> tuple[Block, ...]:
    lines = _line_starts(text)
    if not marks:
        return (Block("paragraph", 0, len(text)),)
    starts = [0, *(lines[mark.line] for mark in marks[1:]), len(text)]
    return tuple(
        Block(mark.kind, start, end, mark.heading) for (start, end), mark in zip(pairwise(starts), marks, strict=True)
    )


def _marks(text: str, front: int) -> Iterator[Mark]:
    """Where blocks begin; `front` characters are front matter."""
    skipped = text.count("\n", 0, front)
    if front:
        yield Mark(0, "front", 0, ())
    # CommonMark takes a lone carriage return for a line's end; editors, grep and citations do not.
    body = re.sub(r"\r(?!\n)", " ", text[front:])
    path: list[tuple[int, str]] = []
    tokens = _parser().parse(body)
    for at, token in enumerate(tokens):
        if token.level or not token.map or token.nesting < 0:
            continue
        level = int(token.tag[1]) if token.type == "heading_open" else 0
        if level:
            path = [*((n, title) for n, title in path if n < level), (level, _title(tokens[at + 1]))]
        kind = _KINDS.get(token.type, "paragraph")
        yield Mark(token.map[0] + skipped, kind, level, tuple(title for _n, title in path))


def _title(token: Token) -> str:
    return " ".join(_MARKUP.sub(r"\1", token.content).split())


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]
