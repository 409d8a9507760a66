"""Word: what a reader of the document sees, in order.

Left out are deletions, hidden text, comments, tables of contents, headers and footers.
"""

from __future__ import annotations

from collections.abc import Iterator
from zipfile import ZipFile

from lxml import etree

from ragqa.read.office import attribute, hidden_shapes, local, properties, related
from ragqa.read.reading import Draft, Reading
from ragqa.read.table import table_lines
from ragqa.read.word_styles import Numbering, Styles
from ragqa.read.zipped import open_zip, parse_xml, refused

_WRITTEN = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_UNSEEN = frozenset({"pPr", "rPr", "instrText", "delText", "txbxContent", "tbl"})
_GONE = ("{*}del", "{*}moveFrom", "{*}Fallback")  # what was deleted or moved away, and the second of two alternatives


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
        self._archive = archive
        self._styles = Styles(archive, parts.get("styles"))
        self._numbering = Numbering(archive, parts.get("numbering"))
        self._body = self._shown(main)
        self._notes = self._written_below("footnote", parts) | self._written_below("endnote", parts)
        self._draft = Draft()
        self._number = 0

    def _shown(self, part: str) -> etree._Element:
        """A part of the file without what a reader does not see: changes are made to it here, and nowhere else."""
        root = parse_xml(self._archive.read(part))
        rows = [row for row in root.iter("{*}tr") if row.find("{*}trPr/{*}hidden") is not None]
        for one in [*root.iter(*_GONE), *self._styles.hidden(root), *rows, *hidden_shapes(root)]:
            one.clear()
        return root

    def _written_below(self, kind: str, parts: dict[str, str]) -> dict[str, str]:
        """Notes by what refers to them, such as `footnote 2`."""
        part = parts.get(f"{kind}s")
        notes = (one for one in self._shown(part) if attribute(one, "type") in ("", "normal")) if part else ()
        return {f"{kind} {attribute(one, 'id')}": _cell(one) for one in notes}

    def draft(self) -> Draft:
        self._add(self._body)
        return self._draft

    def _add(self, parent: etree._Element) -> None:
        for block in _blocks(parent):
            (self._table if local(block) == "tbl" else self._paragraph)(block)

    def _paragraph(self, paragraph: etree._Element) -> None:
        style = self._styles.of(paragraph)
        text = "" if style.contents else _written(paragraph).strip()
        notes = self._notes_of(paragraph)
        self._count(text or "".join(notes))
        label = self._numbering.label(style) if text and style.number else ""
        if style.level is not None and text:
            self._draft.heading(style.level, f"{label} {text}")
        elif style.number and text:
            self._draft.item(f"{'  ' * style.depth}{label or '-'} {text}")
        else:
            self._draft.add("paragraph", text)
        self._beside(paragraph, notes)

    def _table(self, table: etree._Element) -> None:
        rows = [cells for row in _below(table, "tr") if (cells := list(_below(row, "tc")))]
        if all(len(row) == 1 for row in rows):  # a frame around text
            for row in rows:
                self._add(row[0])
            return
        text = table_lines([[_cell(cell) for cell in row] for row in rows])
        notes = self._notes_of(table)
        self._count(text or "".join(notes))
        self._draft.add("table", text)
        self._beside(table, notes)

    def _beside(self, block: etree._Element, notes: list[str]) -> None:
        """Add what stands after a paragraph or table: the notes that it refers to, and the text in its frames."""
        for note in notes:
            self._draft.add("paragraph", note)
        for box in _within(block, "txbxContent"):
            self._add(box)

    def _notes_of(self, block: etree._Element) -> list[str]:
        return [
            self._notes.get(f"{kind} {attribute(one, 'id')}", "")
            for kind in ("footnote", "endnote")
            for one in _within(block, f"{kind}Reference")
        ]

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
        elif local(child) not in ("p", "tbl"):
            yield from _below(child, wanted)


def _within(parent: etree._Element, wanted: str) -> Iterator[etree._Element]:
    """Those of a name at any depth, outermost only, but not those inside of a frame's text."""
    for child in parent:
        if local(child) == wanted:
            yield child
        elif local(child) != "txbxContent":
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
