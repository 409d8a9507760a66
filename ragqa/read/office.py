"""The packages of Word, PowerPoint and Excel: which part is which, and what the file says about itself."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from zipfile import ZipFile

from lxml import etree

from ragqa.read.zipped import parse_xml

_DAY = re.compile(r"\s*(\d{4}-\d\d-\d\d)")


@dataclass(frozen=True, slots=True)
class Properties:
    """What a document says about itself; the attributes are those of `Document`."""

    title: str = ""
    tags: tuple[str, ...] = ()
    date: str = ""


def local(element: etree._Element) -> str:
    """An element's name without its namespace, which differs between the two dialects of these formats."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def attribute(element: etree._Element, name: str) -> str:
    """The value of an attribute whatever its namespace; empty where it is not there."""
    return next((str(value) for key, value in element.attrib.items() if str(key).rpartition("}")[2] == name), "")


def related(archive: ZipFile, part: str = "") -> dict[str, str]:
    """The parts that a part refers to, by what they are to it, such as `styles`; those of the package for none."""
    folder, file = posixpath.split(part)
    listed = posixpath.join(folder, "_rels", f"{file}.rels")
    if listed not in archive.namelist():
        return {}
    found = {}
    for one in parse_xml(archive.read(listed)):
        path = posixpath.normpath(posixpath.join("/", folder, attribute(one, "Target"))).lstrip("/")
        if attribute(one, "TargetMode") != "External" and path in archive.namelist():
            found[attribute(one, "Type").rpartition("/")[2]] = path
    return found


def properties(archive: ZipFile) -> Properties:
    """Title, keywords and day of creation, or else of the last change; none where they cannot be read."""
    part = related(archive).get("core-properties")
    if not part:
        return Properties()
    try:
        said = {local(one): (one.text or "").strip() for one in parse_xml(archive.read(part))}
    except etree.XMLSyntaxError:
        return Properties()
    date = _DAY.match(said.get("created", "")) or _DAY.match(said.get("modified", ""))
    return Properties(said.get("title", ""), tags_of(said.get("keywords", "")), date[1] if date else "")


def tags_of(keywords: str) -> tuple[str, ...]:
    """Keywords as people part them: by commas or semicolons, else by lines."""
    tags = {" ".join(one.split()).lower() for one in re.split(r"[,;\n]", keywords)}
    return tuple(sorted(tags - {""}))
