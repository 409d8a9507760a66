"""The packages of Word, PowerPoint and Excel: which part is which, and what the file says about itself."""

from __future__ import annotations

import posixpath
import re
from zipfile import ZipFile

from lxml import etree

from ragqa.read.about import About, date_of, tags_of, title_of
from ragqa.read.zipped import parse_xml


def local(element: etree._Element) -> str:
    """An element's name without its namespace, which differs between the two dialects of these formats."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def attribute(element: etree._Element, name: str) -> str:
    """The value of an attribute whatever its namespace; empty where it is not there."""
    return next((str(value) for key, value in element.attrib.items() if str(key).rpartition("}")[2] == name), "")


def hidden_shapes(root: etree._Element) -> list[etree._Element]:
    """The shapes of Word and PowerPoint that somebody has hidden, as elements that their properties stand in."""
    said = (one for one in root.iter("{*}docPr", "{*}cNvPr") if one.get("hidden") in ("1", "true"))
    around = (next((above for above in one.iterancestors() if local(above)[:2] != "nv"), None) for one in said)
    return [shape for shape in around if shape is not None]


def related(archive: ZipFile, part: str = "") -> dict[str, str]:
    """The parts that a part refers to, by what they are to it, such as `styles`; those of the package for none."""
    return dict(related_by_id(archive, part).values())


def related_by_id(archive: ZipFile, part: str = "") -> dict[str, tuple[str, str]]:
    """What each of the parts is that a part refers to, and its path, by the ids that stand for them in it."""
    folder, file = posixpath.split(part)
    listed, here = posixpath.join(folder, "_rels", f"{file}.rels"), frozenset(archive.namelist())
    if listed not in here:
        return {}
    found = {}
    for one in parse_xml(archive.read(listed)):
        path = posixpath.normpath(posixpath.join("/", folder, attribute(one, "Target"))).lstrip("/")
        if attribute(one, "TargetMode") != "External" and path in here:
            found[attribute(one, "Id")] = attribute(one, "Type").rpartition("/")[2], path
    return found


def properties(archive: ZipFile) -> About:
    """Title, keywords and day of creation, or else of the last change; none where they cannot be read."""
    part = related(archive).get("core-properties")
    if not part:
        return About()
    try:
        said = {local(one): one.text or "" for one in parse_xml(archive.read(part))}
    except etree.XMLSyntaxError:
        return About()
    date = date_of(said.get("created", "")) or date_of(said.get("modified", ""))
    return About(title_of(said.get("title", "")), keywords(said.get("keywords", "")), date)


def keywords(text: str) -> tuple[str, ...]:
    """Tags as people part them who have one line for all: by commas or semicolons."""
    return tags_of(re.split(r"[,;\n]", text))
