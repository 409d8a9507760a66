"""reStructuredText as it stands: sections by their adornments, and blocks by how their first lines begin.

Nothing is run or fetched: directives, `include` and `raw` among them, are text like any other. What blocks there are
is known from lines alone, so every place is exact and no text takes long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ragqa.read.about import About, date_of, tags_of, title_of
from ragqa.read.marks import Mark, blocks_of, title_in
from ragqa.read.reading import Reading
from ragqa.read.rst_lines import Lines, block_at, heading_at, is_blank
from ragqa.read.text import decode

_ROLE = re.compile(r"(?::[\w+.:-]{1,40}:)?`([^`<]{1,300}?)\s*(?:<[^`>]{0,300}>)?`_{0,2}")
_LITERAL = re.compile(r"``([^`]{1,300})``")
_MARKUP = re.compile(r"\*{1,2}")
_FIELD = re.compile(r"\s*:([\w -]{1,40}):\s+(\S.*)")
_META = re.compile(r"\.\. meta::\s*$")
_TAGS = ("tags", "keywords", "category", "categories")
_DATES = ("date", "published", "created", "updated", "modified")


def read(content: bytes, name: str) -> Reading:
    """reStructuredText by its blocks; raises BadInput where it is no text."""
    text, repaired, notes = decode(name, content)
    lines = Lines(line.rstrip() for line in text.split("\n"))
    marks = list(_marks(lines))
    about = _about(lines, marks)
    return Reading(
        text,
        blocks_of(text, marks),
        title=about.title or title_in(marks),
        tags=about.tags,
        date=about.date,
        repaired=repaired,
        notes=notes,
    )


def _marks(lines: Lines) -> Iterator[Mark]:
    styles: list[tuple[str, bool]] = []  # of titles, in the order of their levels
    path: list[tuple[int, str]] = []
    at, literal, at_head = 0, False, True
    while at < len(lines):
        if is_blank(lines[at]):
            at += 1
        elif heading := heading_at(lines, at):
            styles += [] if heading.style in styles else [heading.style]
            level = styles.index(heading.style) + 1
            path = [*((n, title) for n, title in path if n < level), (level, _plain(heading.title))]
            yield Mark(at, "heading", level, tuple(title for _level, title in path))
            at, literal = heading.end, False
        else:
            kind, end, literal = block_at(lines, at, literal=literal)
            at_head = at_head and (kind == "code" or lines[at].startswith(":"))
            yield Mark(at, "front" if at_head and kind == "list" else kind, 0, tuple(title for _level, title in path))
            at = end


def _plain(title: str) -> str:
    return " ".join(_MARKUP.sub("", _ROLE.sub(r"\1", _LITERAL.sub(r"\1", title))).split())


def _about(lines: Lines, marks: list[Mark]) -> About:
    """What the fields before the text and those of the directive `meta` say."""
    told: dict[str, str] = {}
    for n, mark in enumerate(marks):
        if mark.kind == "front" or _META.match(lines[mark.line]):
            end = marks[n + 1].line if n + 1 < len(marks) else len(lines)
            for field in filter(None, map(_FIELD.match, lines[mark.line : end])):
                told.setdefault(field[1].lower(), field[2])
    dates = (date_of(told.get(key, "")) for key in _DATES)
    tags = (tag for key in _TAGS for tag in told.get(key, "").split(","))
    return About(title_of(told.get("title", "")), tags_of(tags), next(filter(None, dates), ""))
