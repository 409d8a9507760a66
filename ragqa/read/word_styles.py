"""What the styles of a Word document say of its paragraphs: levels of headings, and the numbers of lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from zipfile import ZipFile

from lxml import etree

from ragqa.read.office import attribute, local
from ragqa.read.zipped import parse_xml

TITLE = 0  # the level of a document's own title, outside the first one of headings
BODY_TEXT = 9  # levels from here on are none of headings
DEEPEST = 10  # styles that are based on each other; levels of lists
_LONGEST_LABEL = 40  # characters
_HEADING = re.compile(r"heading (\d)", re.I)
_CONTENTS = re.compile(r"toc \d|table of figures|index \d", re.I)
_ROMAN = {1000: "m", 900: "cm", 500: "d", 400: "cd", 100: "c", 90: "xc", 50: "l", 40: "xl"}
_ROMAN |= {10: "x", 9: "ix", 5: "v", 4: "iv", 1: "i"}


@dataclass(frozen=True, slots=True)
class Style:
    """What is known of a paragraph.

    Attributes:
        level: Of a heading, from 1, and TITLE; None for other paragraphs.
        number: The list that numbers it; empty for none.
        depth: How far in that list it is set, from 0.
        contents: It belongs to a table of contents.
    """

    level: int | None = None
    number: str = ""
    depth: int = 0
    contents: bool = False


class Styles:
    """The styles of a document, by their ids; each has what those say that it is based on."""

    def __init__(self, archive: ZipFile, part: str | None) -> None:
        root = parse_xml(archive.read(part)) if part else ()
        self._elements = {attribute(one, "styleId"): one for one in root if local(one) == "style"}
        self._hide = any(one.find("{*}rPr/{*}vanish") is not None for one in self._elements.values())
        self._known: dict[str, dict[str, str]] = {}

    def of(self, paragraph: etree._Element) -> Style:
        """What a paragraph's own properties and its style say."""
        own = _settings(paragraph)
        said = self._inherited(own.get("pStyle", "")) | own
        level = said.get("outlineLvl", "")
        return Style(
            level=TITLE
            if level == "title"
            else int(level) + 1
            if level.isdecimal() and int(level) < BODY_TEXT
            else None,
            number=said.get("numId", "").removeprefix("0"),
            depth=min(int(said["ilvl"]), DEEPEST) if said.get("ilvl", "").isdecimal() else 0,
            contents="contents" in said,
        )

    def hidden(self, root: etree._Element) -> list[etree._Element]:
        """The runs in a part that are hidden text."""
        marked = [run for run in root.iter("{*}r") if run.find("{*}rPr/{*}vanish") is not None]
        return [run for run in (root.iter("{*}r") if self._hide else marked) if self._hides(run)]

    def _hides(self, run: etree._Element) -> bool:
        """Whether a run is hidden by its own properties, or else by its style, or its paragraph's."""
        paragraph = next(run.iterancestors("{*}p"), None)
        own = _of_runs(run)
        below = self._inherited(_settings(paragraph).get("pStyle", "")) if paragraph is not None else {}
        said = below | self._inherited(own.get("rStyle", "")) | own
        return said.get("vanish", "0") not in ("0", "false", "off")

    def _inherited(self, id: str) -> dict[str, str]:
        if id not in self._known:
            self._known[id] = self._gathered(id)
        return self._known[id]

    def _gathered(self, id: str) -> dict[str, str]:
        """What a style says, and those that it is based on."""
        said: dict[str, str] = {}
        for _ in range(DEEPEST):
            style = self._elements.get(id)
            if style is None:
                break
            said = _of_name(style) | _settings(style) | _of_runs(style) | said
            id = _said(style, "basedOn")
        return said


def _of_name(style: etree._Element) -> dict[str, str]:
    """What follows from a style's name, which is English in every language for those that come with Word."""
    name = _said(style, "name")
    if heading := _HEADING.fullmatch(name):
        return {"outlineLvl": str(int(heading[1]) - 1)}
    if _CONTENTS.fullmatch(name):
        return {"contents": "1"}
    return {"outlineLvl": "title"} if name.lower() == "title" else {}


def _settings(element: etree._Element) -> dict[str, str]:
    """The properties that a paragraph or a style has of its own, such as `outlineLvl`."""
    own = next((child for child in element if local(child) == "pPr"), None)
    if own is None:
        return {}
    numbering = (one for child in own if local(child) == "numPr" for one in child)
    return {local(one): attribute(one, "val") for one in (*own, *numbering) if attribute(one, "val")}


def _of_runs(element: etree._Element) -> dict[str, str]:
    """What a run, or a style for its runs, says of whether they are hidden."""
    own = next((child for child in element if local(child) == "rPr"), ())
    return {kind: attribute(one, "val") or "1" for one in own if (kind := local(one)) in ("rStyle", "vanish")}


class Numbering:
    """Counts the paragraphs of lists and headings as Word does."""

    def __init__(self, archive: ZipFile, part: str | None) -> None:
        root = parse_xml(archive.read(part)) if part else ()
        self._levels = {attribute(one, "abstractNumId"): _levels(one) for one in root if local(one) == "abstractNum"}
        numbers = {attribute(one, "numId"): one for one in root if local(one) == "num"}
        self._kinds = {id: _said(one, "abstractNumId") for id, one in numbers.items()}
        self._anew = {id: starts for id, one in numbers.items() if (starts := _starts(one))}
        self._counts: dict[str, dict[int, int]] = {}

    def label(self, style: Style) -> str:
        """What stands before the next paragraph of a style: `3.`, `4.2`, `(a)`; empty where it is a mark or nothing."""
        kind = self._kinds.get(style.number, "")
        levels = self._levels.get(kind, {})
        if style.depth not in levels:
            return ""
        counts = self._counts.setdefault(style.number if style.number in self._anew else kind, {})
        start = self._anew.get(style.number, {}).get(style.depth, levels[style.depth].start)
        counts[style.depth] = counts.get(style.depth, start - 1) + 1
        for deeper in [depth for depth in counts if depth > style.depth]:
            del counts[deeper]
        return levels[style.depth].label(counts, levels)


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    format: str
    text: str

    def label(self, counts: dict[int, int], levels: dict[int, _Level]) -> str:
        if self.format in ("bullet", "none"):
            return ""

        def counted(found: re.Match[str]) -> str:
            depth = int(found[1]) - 1
            level = levels.get(depth, self)
            return _number(counts.get(depth, level.start), level.format)

        return re.sub(r"%(\d)", counted, self.text)[:_LONGEST_LABEL].strip()


def _said(element: etree._Element, name: str) -> str:
    return next((attribute(one, "val") for one in element if local(one) == name), "")


def _starts(number: etree._Element) -> dict[int, int]:
    """The numbers from which the levels of a list count that begins anew."""
    said = ((attribute(level, "ilvl"), _said(level, "startOverride")) for level in number)
    return {int(depth): int(start) for depth, start in said if depth.isdecimal() and start.isdecimal()}


def _levels(list: etree._Element) -> dict[int, _Level]:
    return {depth: level for depth, level in map(_level, (one for one in list if local(one) == "lvl")) if depth >= 0}


def _level(element: etree._Element) -> tuple[int, _Level]:
    said = {local(one): attribute(one, "val") for one in element}
    depth, start = attribute(element, "ilvl"), said.get("start", "1")
    level = _Level(int(start) if start.isdecimal() else 1, said.get("numFmt", "decimal"), said.get("lvlText", ""))
    return int(depth) if depth.isdecimal() else -1, level


def _number(count: int, format: str) -> str:
    """A number as letters, in Roman figures or as it is."""
    if format in ("lowerLetter", "upperLetter") and 0 < count <= 26:
        letter = chr(ord("a") + count - 1)
        return letter.upper() if format == "upperLetter" else letter
    if format in ("lowerRoman", "upperRoman") and 0 < count < 4000:
        roman = "".join(_roman(count))
        return roman.upper() if format == "upperRoman" else roman
    return str(count)


def _roman(count: int) -> Iterator[str]:
    for value, letters in _ROMAN.items():
        yield letters * (count // value)
        count %= value
