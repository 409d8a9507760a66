"""OpenDocument text: what a reader of the document sees, in order.

Left out are deletions, hidden text, comments and tables of contents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from zipfile import ZipFile

from lxml import etree

from ragqa.read.about import About, date_of, tags_of, title_of
from ragqa.read.odt_styles import Styles
from ragqa.read.office import attribute, local
from ragqa.read.reading import Draft, Reading
from ragqa.read.table import table_lines
from ragqa.read.zipped import open_zip, parse_xml, refused

SPACES = 1000  # that one element may stand for
_SPACE = re.compile(r"[ \t\r\n]+")
_DRAWN = "drawing"  # a frame or a shape of any sort
_UNSEEN = frozenset({"annotation", "annotation-end", "note", "tracked-changes", "forms", "ruby-text"})
_CONTENTS = ("table-of-content", "alphabetical-index", "illustration-index", "table-index", "user-index")
_TITLE = 0  # outside the first level of headings


def read(content: bytes, name: str) -> Reading:
    """Paragraphs, headings, lists, tables; notes and text in frames after the paragraph that they belong to.

    Raises:
        BadInput: It is no such document, encrypted, or expands too far.
    """
    archive = open_zip(content, name)
    parts = archive.namelist()
    if "META-INF/manifest.xml" in parts and b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise refused(name, "encrypted")
    if "content.xml" not in parts:
        raise refused(name, "no OpenDocument text")
    about = _about(archive)
    draft = _Text(archive).draft()
    return draft.reading(title=about.title, tags=about.tags, date=about.date)


class _Text:
    """The document in the making: its paragraphs are counted as they are added."""

    def __init__(self, archive: ZipFile) -> None:
        root = parse_xml(archive.read("content.xml"))
        self._styles = Styles(root, archive)
        for one in self._styles.hidden(root):
            one[:], one.text = [], None
        self._draft = Draft()
        self._number = 0
        self._bodies = [body for part in root if local(part) == "body" for body in part if local(body) == "text"]

    def draft(self) -> Draft:
        for body in self._bodies:
            self._blocks(body)
        return self._draft

    def _blocks(self, parent: etree._Element, depth: int = -1) -> None:
        """Add what stands in an element, in a list that is so far set in; -1 outside of lists."""
        for block in parent:
            kind = _kind(block)
            if kind in ("p", "h"):
                self._paragraph(block, depth)
            elif kind == "table":
                self._table(block)
            elif kind not in _UNSEEN and kind not in _CONTENTS:
                self._blocks(block, depth + (kind == "list"))

    def _paragraph(self, paragraph: etree._Element, depth: int) -> None:
        text = _written(paragraph).strip()
        self._count(text)
        if local(paragraph) == "h" and text:
            level = attribute(paragraph, "outline-level")
            self._draft.heading(int(level) if level.isdecimal() else 1, text)
        elif self._styles.is_title(paragraph) and text:
            self._draft.heading(_TITLE, text)
        elif depth >= 0 and text:
            self._draft.item(f"{'  ' * depth}- {text}")
        else:
            self._draft.add("paragraph", text)
        self._beside(paragraph)

    def _table(self, table: etree._Element) -> None:
        rows = [list(_outermost(row, "table-cell")) for row in _outermost(table, "table-row")]
        if all(len(row) == 1 for row in rows):  # a frame around text
            for row in rows:
                self._blocks(row[0])
            return
        text = table_lines([[_cell(cell) for cell in row] for row in rows])
        self._count(text)
        self._draft.add("table", text)
        self._beside(table)

    def _beside(self, block: etree._Element) -> None:
        """Add what stands after a paragraph or table: its notes, and the text in its frames and shapes."""
        for one in _outermost(block, "note-body", _DRAWN):
            self._blocks(one)

    def _count(self, text: str) -> None:
        if text:
            self._number += 1
            self._draft.at("paragraph", self._number)


def _kind(element: etree._Element) -> str:
    """An element's name; one for all that is drawn."""
    return _DRAWN if isinstance(element.tag, str) and ":drawing:" in element.tag else local(element)


def _outermost(parent: etree._Element, *wanted: str) -> Iterator[etree._Element]:
    """Elements of a kind at any depth, but not those inside of others, of comments and of what is drawn."""
    for child in parent:
        if _kind(child) in wanted:
            yield child
        elif _kind(child) not in ("annotation", _DRAWN):
            yield from _outermost(child, *wanted)


def _cell(cell: etree._Element) -> str:
    return " ".join(text for one in _outermost(cell, "p", "h") if (text := " ".join(_written(one).split())))


def _written(element: etree._Element) -> str:
    """The text of a paragraph. White space counts once, as everywhere in XML; more of it has elements of its own."""
    parts = [_spaced(element.text)]
    for child in element:
        kind = _kind(child)
        if kind == "s":
            count = attribute(child, "c")
            parts.append(" " * min(int(count) if count.isdecimal() else 1, SPACES))
        elif kind in ("tab", "line-break"):
            parts.append("\t" if kind == "tab" else "\n")
        elif kind not in _UNSEEN and kind != _DRAWN:
            parts.append(_written(child))
        parts.append(_spaced(child.tail))
    return "".join(parts)


def _spaced(text: str | None) -> str:
    return _SPACE.sub(" ", text or "")


def _about(archive: ZipFile) -> About:
    if "meta.xml" not in archive.namelist():
        return About()
    try:
        said = [(local(one), one.text or "") for part in parse_xml(archive.read("meta.xml")) for one in part]
    except etree.XMLSyntaxError:
        return About()
    first = dict(reversed(said))
    words = (word for kind, text in said if kind == "keyword" for word in text.split(","))
    date = date_of(first.get("creation-date", "")) or date_of(first.get("date", ""))
    return About(title_of(first.get("title", "")), tags_of(words), date)
