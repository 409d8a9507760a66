"""Word: what a reader of the document sees, in order; deletions, comments, headers and footers are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zipfile import ZipFile

from lxml import etree

from ragqa.read.office import attribute, local, properties, related
from ragqa.read.reading import Draft, Reading
from ragqa.read.table import table_lines
from ragqa.read.zipped import open_zip, parse_xml, refused

_WRITTEN = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_UNSEEN = frozenset({"del", "moveFrom", "pPr", "rPr", "instrText", "delText", "Fallback", "txbxContent", "tbl"})
_HEADING = re.compile(r"heading (\d)", re.I)
_BODY_TEXT = 9  # Word's level of an outline for what is not in it
_DEEPEST = 10  # styles that are based on each other
_TITLE = 0  # outside the first level of headings


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
        self._styles = _styles(archive, parts.get("styles"))
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
        text = _written(paragraph).strip()
        self._count(text)
        level = self._level(paragraph)
        if level is not None:
            self._draft.heading(level, text)
        elif (depth := self._depth(paragraph)) is not None:
            self._draft.add("list", f"{'  ' * depth}- {text}" if text else "")
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

    def _level(self, paragraph: etree._Element) -> int | None:
        """Of a heading, from 1, and 0 for the document's title; None for other paragraphs."""
        own = _setting(paragraph, "outlineLvl")
        level = int(own) + 1 if own.isdecimal() else self._styles.get(_setting(paragraph, "pStyle"), {}).get("level")
        return None if level is None or level > _BODY_TEXT else level

    def _depth(self, paragraph: etree._Element) -> int | None:
        """How far in a list's item is set, from 0; None for other paragraphs."""
        style = self._styles.get(_setting(paragraph, "pStyle"), {})
        number, depth = _setting(paragraph, "numId"), _setting(paragraph, "ilvl")
        if number == "0" or not (number or "listed" in style):
            return None
        return min(int(depth), _BODY_TEXT) if depth.isdecimal() else style.get("listed", 0)


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


def _setting(paragraph: etree._Element, name: str) -> str:
    """A property that a paragraph or a style has of its own, such as `outlineLvl`; empty where it has none."""
    own = next((child for child in paragraph if local(child) == "pPr"), None)
    found = next(_within(own, name), None) if own is not None else None
    return attribute(found, "val") if found is not None else ""


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


def _styles(archive: ZipFile, part: str | None) -> dict[str, dict[str, int]]:
    """By id: `level` for those of headings, `listed` (how far in) for those of lists; what they are based on counts."""
    if not part:
        return {}
    found = {attribute(one, "styleId"): one for one in parse_xml(archive.read(part)) if local(one) == "style"}
    return {id: _style(found, id) for id in found}


def _style(styles: dict[str, etree._Element], id: str) -> dict[str, int]:
    settings: dict[str, int] = {}
    for _ in range(_DEEPEST):
        style = styles.get(id)
        if style is None:
            break
        settings = _own(style) | settings
        id = next((attribute(one, "val") for one in style if local(one) == "basedOn"), "")
    return settings


def _own(style: etree._Element) -> dict[str, int]:
    name = next((attribute(one, "val") for one in style if local(one) == "name"), "")
    if name.lower() == "title":
        return {"level": _TITLE}
    level, settings = _setting(style, "outlineLvl"), {}
    if level.isdecimal():
        settings["level"] = int(level) + 1
    elif heading := _HEADING.fullmatch(name):
        settings["level"] = int(heading[1])
    if _setting(style, "numId") not in ("", "0"):
        depth = _setting(style, "ilvl")
        settings["listed"] = int(depth) if depth.isdecimal() else 0
    return settings
