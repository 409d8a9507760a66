"""A syntax tree → on which lines of the code which name begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragqa.read.languages import Language

if TYPE_CHECKING:
    from tree_sitter import Node

DEEPEST = 12  # names and conditions inside each other; what is deeper belongs to the last of them
LONGEST = 100  # characters of a name
WHOLE = 800  # bytes; a class that is no longer stays in one piece
_FUNCTIONS = frozenset({"arrow_function", "function_expression", "generator_function", "class"})
_VALUES = ("value", "right")
_NAMES = ("name", "property", "left", "declarator", "type")
_RECEIVER = re.compile(r"(\w+)\s*(?:\[[^\]]*\])?\s*\)$")


@dataclass(frozen=True, slots=True)
class Mark:
    """From this line on the code belongs to `path`, until the next mark.

    Attributes:
        row: From 0.
        path: Names, outermost first; none for what stands between definitions.
        whole: It is one definition, not the head of a class or what stands between.
    """

    row: int
    path: tuple[str, ...]
    whole: bool = False


def marks(root: Node, language: Language) -> Iterator[Mark]:
    """The marks of a tree, in order of their lines; no two on one line."""
    last = Mark(0, ())
    for mark in _within(root, (), language, DEEPEST):
        if mark.row > last.row:  # two may end or begin on one line
            yield last
        last = Mark(max(mark.row, last.row), mark.path, mark.whole)
    yield last


def _within(node: Node, path: tuple[str, ...], language: Language, depth: int) -> Iterator[Mark]:
    """The marks of what a node holds, ending with one that goes back to its own path."""
    above: tuple[int, int] | None = None  # the rows of comments that nothing parts from what comes below
    ended = -1
    for child in node.named_children:
        first, last = child.start_point.row, _last_row(child)
        if child.type in language.attached:
            if first > ended:  # it is no remark at the end of another line
                above = (above[0] if above and first <= above[1] + 1 else first, last)
            continue
        start = above[0] if above and first <= above[1] + 1 else first
        above, ended = None, last
        if found := _definition(child, language):
            yield from _defined(found, start, last, path, language, depth)
        elif depth and child.type in language.open | language.wrappers | {"ERROR"}:
            yield from _within(child, path, language, depth - 1)


def _defined(
    node: Node, start: int, last: int, path: tuple[str, ...], language: Language, depth: int
) -> Iterator[Mark]:
    own = (*path, *_name(node))
    body = node.child_by_field_name("body")
    if depth and body and node.type in language.containers and node.end_byte - node.start_byte > WHOLE:
        yield Mark(start, own)
        yield from _within(body, own, language, depth - 1)
    else:
        yield Mark(start, own, whole=True)
    yield Mark(last + 1, path)


def _definition(node: Node, language: Language) -> Node | None:
    """The definition that a node is, or that it wraps as the only one."""
    if node.type in language.wrappers:
        inside = [found for child in node.named_children if (found := _definition(child, language))]
        return inside[0] if len(inside) == 1 else None
    return node if node.type in language.definitions and _defines(node) else None


def _defines(node: Node) -> bool:
    """Whether it says something of its own: a variable holds a function, a structure has its fields with it."""
    if node.type in ("variable_declarator", "assignment_expression") or node.type.endswith("field_definition"):
        values = (node.child_by_field_name(field) for field in _VALUES)
        return any(value and value.type in _FUNCTIONS for value in values)
    if node.type in ("struct_specifier", "union_specifier", "enum_specifier", "class_specifier"):
        return node.child_by_field_name("body") is not None
    return True


def _name(node: Node) -> tuple[str, ...]:
    """What a definition is called; of a method, the type it is for comes first."""
    named = next((found for field in _NAMES if (found := node.child_by_field_name(field))), None)
    while named and (inner := named.child_by_field_name("declarator")):  # C puts a name inside what is done with it
        named = inner
    if not named:
        return ()
    name = _text(named)
    receiver = node.child_by_field_name("receiver")
    of = _RECEIVER.search(_text(receiver)) if receiver else None
    if node.type == "impl_item":
        name = name.partition("<")[0]
    names = (of[1], name) if of else tuple(part.strip() for part in name.split("::"))
    return tuple(part for part in names if part)


def _text(node: Node) -> str:
    return " ".join((node.text or b"")[:LONGEST].decode(errors="ignore").split())


def _last_row(node: Node) -> int:
    """Some comments take the end of their line in."""
    return node.end_point.row - (node.end_point.column == 0 and node.end_point.row > node.start_point.row)
