"""Source code as it stands: functions and classes by themselves, under their qualified names.

The grammars forgive: what does not parse is still cut into blocks. Blocks begin where lines begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING

from ragqa.document import Block
from ragqa.errors import BadInput
from ragqa.read.definitions import Mark, marks
from ragqa.read.languages import BY_SUFFIX
from ragqa.read.reading import Reading
from ragqa.read.text import decode, text_blocks

if TYPE_CHECKING:
    from tree_sitter import Parser

PARSED = 4 * 2**20  # characters; a tree takes a hundred times the room of its text
LONG_LINE = 1000  # characters; a file that is mostly such lines was not written by hand
WORTH_ASKING = 5000  # characters; a smaller file is read whatever its lines are
_WORD = re.compile(r"\w")


def read(content: bytes, name: str) -> Reading:
    """Code by its definitions; by what blank lines part, where there is no grammar for it.

    Raises:
        BadInput: It is no text, or was not written to be read.
    """
    text, repaired, notes = decode(name, content)
    long = sum(len(line) for line in text.splitlines() if len(line) > LONG_LINE)
    if len(text) > WORTH_ASKING and long > len(text) / 2:
        raise BadInput(f"{name}: minified or generated", "minified or generated")
    return Reading(text, code_blocks(text, PurePath(name).suffix.lower()), repaired=repaired, notes=notes)


def code_blocks(text: str, suffix: str) -> tuple[Block, ...]:
    """Blocks that cover the text; the heading of each is the name it stands under, outermost part first."""
    begun = list(_starts(text, suffix))
    ends = [*(start for _mark, start in begun[1:]), len(text)]
    parts: list[Block] = []
    for (mark, start), end in zip(begun, ends, strict=True):
        parts += [Block("code", start, end, mark.path)] if mark.whole else _parted(text, start, end, mark.path)
    return tuple(_joined(text, parts))


def _starts(text: str, suffix: str) -> Iterator[tuple[Mark, int]]:
    """Marks, with the offsets of their lines."""
    language = BY_SUFFIX.get(suffix)
    if not language or len(text) > PARSED:
        yield Mark(0, ()), 0
        return
    lines = [0, *(match.end() for match in re.finditer("\n", text))]
    tree = _parser(*language.grammar_of(suffix)).parse(text.encode(errors="replace"))
    for mark in marks(tree.root_node, language):
        if mark.row == 0 or (mark.row < len(lines) and lines[mark.row] < len(text)):
            yield mark, lines[mark.row]


@cache
def _parser(package: str, function: str) -> Parser:
    from tree_sitter import Language, Parser

    return Parser(Language(getattr(import_module(package), function)()))


def _parted(text: str, start: int, end: int, path: tuple[str, ...]) -> Iterator[Block]:
    for block in text_blocks(text[start:end]):
        yield Block("code", start + block.start, start + block.end, path)


def _joined(text: str, parts: list[Block]) -> list[Block]:
    """What has no word in it, such as a closing brace, goes with what is before it."""
    blocks = parts[:1]
    for part in parts[1:]:
        before = blocks[-1]
        if not _WORD.search(text, part.start, part.end):
            blocks[-1] = replace(before, end=part.end)
        elif not _WORD.search(text, before.start, before.end) or _announces(text, blocks, part):
            blocks[-1] = replace(part, start=before.start)
        else:
            blocks.append(part)
    return blocks


def _announces(text: str, blocks: list[Block], part: Block) -> bool:
    """Whether the last block is the one line with which a class begins, and this is the first thing in it."""
    head = blocks[-1]
    within = len(part.heading) > len(head.heading) > 0 and _under(part, head)
    first = len(blocks) < 2 or not _under(blocks[-2], head)
    return within and first and "\n" not in text[head.start : head.end].strip()


def _under(block: Block, head: Block) -> bool:
    return block.heading[: len(head.heading)] == head.heading
