"""The elements of a web page → blocks: paragraphs, headings, lists, tables and code, each with its lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from lxml import etree

from ragqa.document import Kind
from ragqa.read.html_parts import LeftOut
from ragqa.read.html_table import Columns, has_columns, is_head
from ragqa.read.reading import Draft
from ragqa.read.stretch import Stretch

COUNTED = 65535  # libxml2 counts lines no farther; from there on they are counted here

_LEVELS = {f"h{n}": n for n in range(1, 7)}
_LISTS = ("ul", "ol", "dl", "menu", "dir")
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(_LEVELS, "heading"),
    **dict.fromkeys(_LISTS, "list"),
    **dict.fromkeys(("pre", "listing", "xmp", "plaintext"), "code"),
    "blockquote": "quotation",
    "table": "table",
}
_APART = {  # elements that begin on a line of their own
    *"address article aside body caption center dd details dialog div dl dt fieldset figcaption figure footer".split(),
    *"form header hgroup hr html legend li main nav optgroup option p search section summary".split(),
    *"tbody td tfoot th thead tr".split(),
    *_KINDS,
}
_SMALL = re.compile(r"\s*[+−-]?[0-9]{1,4}\s*")
_RAISED = str.maketrans("+-−0123456789", "⁺⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def nowhere(_id: str) -> None:
    """What is done at an id that nothing refers to."""


class Flow:
    """Adds what stands in an element to a draft, in the order of the page.

    Args:
        lines: Set the lines of the page as places.
        below: How much deeper the page's headings are.
        arrive: Called with each id, and each name of an anchor, before the block is added in which it stands.
    """

    def __init__(
        self, draft: Draft, *, lines: bool = False, below: int = 0, arrive: Callable[[str], None] = nowhere
    ) -> None:
        self._draft = draft
        self._with_lines = lines
        self._below = below
        self._arrive = arrive
        self._line = 1
        self._stretch = Stretch()
        self._open: list[tuple[etree._Element | None, Kind]] = [(None, "paragraph")]
        self._numbers: list[int | None] = []  # of each list that is open, the last number; None where it has bullets
        self._columns = Columns()
        self._cell = 0  # pieces of the stretch before the cell that is open
        self._rows = 0

    def add(self, root: etree._Element, left_out: LeftOut) -> None:
        """Add an element, but for what is left out within it."""
        out: etree._Element | None = None
        walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        for event, element in walk:
            if event == "start":
                self._line = element.sourceline if 0 < (element.sourceline or 0) < COUNTED else self._line
                if element is not root and left_out(element):
                    out = element
                    self._reach(element)
                    walk.skip_subtree()
                    self._line += _lines_within(element) if self._line >= COUNTED - 1 else 0
                    continue
                self._begin(element)
                self._reach(element)
                self._say(_text_of(element))
            else:
                if event != "end":
                    self._line += (element.text or "").count("\n") if self._line >= COUNTED - 1 else 0
                elif element is not out:
                    self._end(element)
                if element is not root:
                    self._say(element.tail)
        self._flush()

    @property
    def _kind(self) -> Kind:
        return self._open[-1][1]

    def _say(self, text: str | None) -> None:
        if not text:
            return
        if self._kind == "code":
            self._stretch.verbatim(text, self._line)
        else:
            self._stretch.words(text, self._line)
        self._line += text.count("\n")

    def _reach(self, element: etree._Element) -> None:
        for name in (element.get("id"), element.get("name") if element.tag == "a" else None):
            if name:
                self._arrive(name)

    def _begin(self, element: etree._Element) -> None:
        tag = str(element.tag)
        kind = _KINDS.get(tag)
        if kind == "list" and self._kind == "list":
            self._begin_list(element)
            self._break()
        elif kind and self._may_begin(kind, element):
            self._flush()
            self._open.append((element, kind))
            self._rows = 0
            self._columns.begin_table()
            if kind == "list":
                self._begin_list(element)
        elif tag == "a" and self._kind != "code" and _is_note(element):
            self._stretch.words("[", self._line)
        elif self._kind == "table":
            self._begin_in_table(tag)
        elif self._kind == "list" and tag in ("li", "dt", "dd"):
            self._stretch.instead("\n" + self._mark(tag))
        elif tag == "br":
            self._break_line()
        elif tag in _APART:
            self._break()

    def _may_begin(self, kind: Kind, element: etree._Element) -> bool:
        if self._kind in ("heading", "code", "table") or (kind == "quotation" and self._kind == "list"):
            return False
        return kind != "table" or has_columns(element)

    def _end(self, element: etree._Element) -> None:
        tag = str(element.tag)
        if element is self._open[-1][0]:
            self._flush(_LEVELS.get(tag, 0))
            _element, kind = self._open.pop()
            if kind == "list":
                self._numbers.pop()
        elif self._kind == "list" and tag in _LISTS:
            self._numbers.pop()
            self._break()
        elif tag == "a" and self._kind != "code" and _is_note(element):
            self._stretch.words("]", self._line)
        elif self._kind == "table":
            self._end_in_table(element)
        elif tag in _APART:
            self._break()

    def _begin_list(self, element: etree._Element) -> None:
        start = element.get("start", "1").strip()
        first = int(start) if start.isascii() and start.isdigit() and len(start) < 5 else 1
        self._numbers.append(first - 1 if element.tag == "ol" else None)

    def _mark(self, tag: str) -> str:
        """What stands before a list's next item."""
        indent = "  " * (len(self._numbers) - 1)
        if tag != "li":
            return indent if tag == "dt" else f"{indent}  "
        number = self._numbers[-1]
        if number is None:
            return f"{indent}- "
        self._numbers[-1] = number + 1
        return f"{indent}{number + 1}. "

    def _begin_in_table(self, tag: str) -> None:
        if tag == "tr":
            self._stretch.instead("\n")
            self._columns.begin_row()
        elif tag in ("td", "th"):
            self._add_cells(self._columns.from_above())
            if self._columns.number:
                self._stretch.between(" | ")
            self._cell = self._stretch.count
        elif tag == "caption":
            self._flush()
        elif tag == "br" or tag in _APART:
            self._stretch.space()

    def _add_cells(self, texts: Iterable[str]) -> None:
        for text in texts:
            if self._columns.number:
                self._stretch.between(" | ")
            self._stretch.words(text, self._line)

    def _end_in_table(self, element: etree._Element) -> None:
        if element.tag == "caption":
            self._flush(kind="paragraph")
        elif element.tag in ("td", "th"):
            width = self._columns.add(element, self._stretch.since(self._cell))
            self._stretch.space()
            if width > 1:
                self._stretch.between(" |" * (width - 1))
        elif element.tag == "tr":
            self._end_row(element)
        elif element.tag in _APART:
            self._stretch.space()

    def _end_row(self, row: etree._Element) -> None:
        if self._columns.number:
            self._add_cells(self._columns.rest())
        self._rows += 1
        if self._rows == 1 and self._columns.number > 1 and not self._stretch.broken and is_head(row):
            self._stretch.instead("\n")
            self._stretch.words(" | ".join(["---"] * self._columns.number), self._line)

    def _break(self) -> None:
        """End a line or, where that is all there is, the block."""
        if self._kind in ("paragraph", "quotation"):
            self._flush()
        elif self._kind == "heading":
            self._stretch.space()
        elif not self._stretch.broken:
            self._stretch.instead("\n" if self._kind == "code" else "\n" + "  " * len(self._numbers))

    def _break_line(self) -> None:
        if self._kind == "code":
            self._stretch.verbatim("\n", self._line)
        elif self._kind in ("paragraph", "quotation") and not self._stretch.broken:
            self._stretch.instead("\n")
        else:  # the second of two divides paragraphs
            self._break()

    def _flush(self, level: int = 0, kind: Kind | None = None) -> None:
        """Add what was put together; a heading without its level is a part of one."""
        text, places = self._stretch.text, self._stretch.places if self._with_lines else ()
        self._stretch = Stretch()
        if level and text.strip():
            self._draft.section(level + self._below, text)
        self._draft.add(kind or self._kind, text, places)


def _lines_within(element: etree._Element) -> int:
    return sum(str(text).count("\n") for text in element.itertext(with_tail=False))


def _text_of(element: etree._Element) -> str | None:
    """What the element begins with; a number that is raised stays so, since 10⁶ is not 106."""
    text = element.text
    parent = element.getparent()
    if element.tag != "sup" or not text or len(element) or (parent is not None and parent.tag == "a"):
        return text
    return text.translate(_RAISED) if _SMALL.fullmatch(text) else text


def _is_note(link: etree._Element) -> bool:
    """Whether it is the raised number of a note, which is no part of the word before it, and has no brackets yet."""
    parent = link.getparent()
    raised = (parent is not None and parent.tag == "sup") or (len(link) == 1 and link[0].tag == "sup")
    if not raised and "noteref" not in link.get("role", "") + link.get("epub:type", ""):
        return False
    said = next(filter(str.strip, map(str, link.itertext())), "")
    return said.strip()[:1].isalnum()
