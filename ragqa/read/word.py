"""Word: what a reader of the document sees, in order.

Left out are deletions, comments, tables of contents, headers and footers.
"""

from __future__ import annotations

from collections.abc import Iterator
from zipfile import ZipFile

from lxml import etree

from ragqa.read.office import attribute, local, properties, related
from ragqa.read.reading import Draft, Reading
from ragqa.read.table import table_lines
from ragqa.read.word_styles import Numbering, Styles
from ragqa.read.zipped import open_zip, parse_xml, refused

_WRITTEN = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_UNSEEN = frozenset({"del", "moveFrom", "pPr", "rPr", "instrText", "delText", "Fallback", "txbxContent", "tbl"})


def read(content: bytes, name: str) -> Reading:
    """Paragraphs, headings by their styles' levels, lists, tables; footnotes after the paragraph that refers to them.

    Raises:
        BadInput: It is no such document, encrypted, or expands too far.
    """
    archive = open_zip(content, name)
    main = related(archive).get("officeDocument")
    if not main:
        raise refused(name, "no Word document")
    about = properties(archive)
    draft = _Text(archive, main).draft()
    return draft.reading(title=about.title, tags=about.tags, date=about.date)


class _Text:
    """The document in the making: its paragraphs are counted as they are added."""

    def __init__(self, archive: ZipFile, main: str) -> None:
        parts = related(archive, main)
        self._body = parse_xml(archive.read(main))
        self._styles = Styles(archive, parts.get("styles"))
        self._numbering = Numbering(archive, parts.get("numbering"))
        self._notes = _notes(archive, parts.get("footnotes")) | _notes(archive, parts.get("endnotes"), "endnote")
        self._draft = Draft()
        self._number = 0

    def draft(self) -> Draft:
        for block in _blocks(self._body):
            if local(block) == "tbl":
                self._table(block)
            else:
                self._paragraph(block)
        return self._draft

    def _paragraph(self, paragraph: etree._Element) -> None:
        text, style = _written(paragraph).strip(), self._styles.of(paragraph)
        if text and not style.contents:
            self._count(text)
            label = self._numbering.label(style) if style.number else ""
            if style.level is not None:
                self._draft.heading(style.level, f"{label} {text}")
            elif style.number:
                self._draft.item(f"{'  ' * style.depth}{label or '-'} {text}")
            else:
                self._draft.add("paragraph", text)
        for note in _references(paragraph):
            self._draft.add("paragraph", self._notes.get(note, ""))
        for box in _within(paragraph, "txbxContent"):
            for inner in _blocks(box):
                self._paragraph(inner)

    def _table(self, table: etree._Element) -> None:
        rows = [list(_below(row, "tc")) for row in _below(table, "tr")]
        if all(len(row) == 1 for row in rows):  # a frame around text
            for block in (block for row in rows for block in _blocks(row[0])):
                (self._table if local(block) == "tbl" else self._paragraph)(block)
            return
        text = table_lines([[_cell(cell) for cell in row] for row in rows])
        self._count(text)
        self._draft.add("table", text)

    def _count(self, text: str) -> None:
        if text.strip():
            self._number += 1
            self._draft.at("paragraph", self._number)


def _blocks(parent: etree._Element) -> Iterator[etree._Element]:
    """Paragraphs and tables in order, also those inside of controls, of what was inserted, and the like."""
    for child in parent:
        kind = local(child)
        if kind in ("p", "tbl"):
            yield child
        elif kind not in _UNSEEN:
            yield from _blocks(child)


def _below(parent: etree._Element, wanted: str) -> Iterator[etree._Element]:
    """The next elements of a name, outermost only: not the rows of a table in a table."""
    for child in parent:
        if local(child) == wanted:
            yield child
        elif local(child) not in ("p", "tbl", "del"):
            yield from _below(child, wanted)


def _within(parent: etree._Element, wanted: str) -> Iterator[etree._Element]:
    """Those of a name at any depth, outermost only; of alternatives, only the first."""
    for child in parent:
        if local(child) == wanted:
            yield child
        elif local(child) not in ("Fallback", "del"):
            yield from _within(child, wanted)


def _written(element: etree._Element) -> str:
    parts = []
    for child in element:
        kind = local(child)
        if kind == "t":
            parts.append(child.text or "")
        elif kind in _WRITTEN:
            parts.append(_WRITTEN[kind])
        elif kind not in _UNSEEN:
            parts.append(_written(child))
    return "".join(parts)


def _cell(cell: etree._Element) -> str:
    """Its paragraphs on one line, those of tables in it too."""
    return " ".join(text for one in _within(cell, "p") if (text := " ".join(_written(one).split())))


def _references(paragraph: etree._Element) -> list[str]:
    return [
        f"{kind} {attribute(one, 'id')}"
        for kind in ("footnote", "endnote")
        for one in _within(paragraph, f"{kind}Reference")
    ]


def _notes(archive: ZipFile, part: str | None, kind: str = "footnote") -> dict[str, str]:
    """Notes below the text by what refers to them, such as `footnote 2`."""
    if not part:
        return {}
    notes = (one for one in parse_xml(archive.read(part)) if attribute(one, "type") in ("", "normal"))
    return {f"{kind} {attribute(one, 'id')}": _cell(one) for one in notes}
