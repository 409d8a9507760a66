"""Markdown: headings, paragraphs, lists, tables and code, each with its exact place in the source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ragqa.document import Block, Kind
from ragqa.read.reading import Reading
from ragqa.read.text import decode

_MARKUP = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)|[*`]+")

FRONT_MATTER = re.compile(r"\A---[^\S\n]*\n(?:.*\n)*?---[^\S\n]*(?:\n|\Z)")
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


def read(content: bytes, name: str) -> Reading:
    """Markdown as it stands, by its blocks; raises BadInput where it is no text."""
    text, repaired, notes = decode(name, content)
    return Reading(text, markdown_blocks(text), repaired=repaired, notes=notes)


def markdown_blocks(text: str) -> tuple[Block, ...]:
    """Blocks that cover the text without gaps; whatever the parser keeps silent about joins the block before."""
    lines = _line_starts(text)
    marks = list(_marks(text))
    if not marks:
        return (Block("paragraph", 0, len(text)),)
    starts = [0, *(lines[line] for line, _kind, _heading in marks[1:]), len(text)]
    return tuple(
        Block(kind, start, end, heading)
        for (start, end), (_line, kind, heading) in zip(pairwise(starts), marks, strict=True)
    )


def _marks(text: str) -> Iterator[tuple[int, Kind, tuple[str, ...]]]:
    """Line on which each block begins, its kind, and its path of headings."""
    front = FRONT_MATTER.match(text)
    skipped = front.group().count("\n") if front else 0
    if front:
        yield 0, "front", ()
    # CommonMark takes a lone carriage return for a line's end; editors, grep and citations do not.
    body = re.sub(r"\r(?!\n)", " ", text[front.end() :] if front else text)
    path: list[tuple[int, str]] = []
    tokens = _parser().parse(body)
    for at, token in enumerate(tokens):
        if token.level or not token.map or token.nesting < 0:
            continue
        if token.type == "heading_open":
            level = int(token.tag[1])
            path = [*((n, title) for n, title in path if n < level), (level, _title(tokens[at + 1]))]
        yield token.map[0] + skipped, _KINDS.get(token.type, "paragraph"), tuple(title for _n, title in path)


def _title(token: Token) -> str:
    return " ".join(_MARKUP.sub(r"\1", token.content).split())


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]
