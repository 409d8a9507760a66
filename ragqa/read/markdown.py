"""Markdown: headings, paragraphs, lists, tables and code, each with its exact place in the source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ragqa.document import Block, Kind
from ragqa.read.front_matter import front_matter
from ragqa.read.marks import Mark, blocks_of, title_in
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


def read(content: bytes, name: str) -> Reading:
    """Markdown as it stands, by its blocks; raises BadInput where it is no text.

    Its title is what the front matter says, else its first heading of level 1.
    """
    text, repaired, notes = decode(name, content)
    front, about = front_matter(text)
    marks = list(_marks(text, front))
    blocks, title = blocks_of(text, marks), about.title or title_in(marks)
    return Reading(text, blocks, title=title, tags=about.tags, date=about.date, repaired=repaired, notes=notes)


def markdown_blocks(text: str) -> tuple[Block, ...]:
    """Blocks that cover the text without gaps; whatever the parser keeps silent about joins the block before."""
    return blocks_of(text, list(_marks(text, front_matter(text).end)))


def add_markdown(draft: Draft, text: str) -> str:
    """Add Markdown as it stands to a draft, under the sections that have begun there; tells its title."""
    marks = list(_marks(text, 0))
    if not marks:
        draft.add("paragraph", text)
    for mark, block in zip(marks, blocks_of(text, marks), strict=False):
        if mark.level:
            draft.section(mark.level, mark.heading[-1])
        draft.add(mark.kind, text[block.start : block.end].strip("\n"))
    return title_in(marks)


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
