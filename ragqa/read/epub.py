"""EPUB: a book's chapters in the order of its spine."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urldefrag
from zipfile import ZipFile

from lxml import etree

from ragqa.errors import BadInput
from ragqa.read.about import About, date_of, tags_of, title_of
from ragqa.read.html import add_html
from ragqa.read.office import attribute, local
from ragqa.read.reading import Draft, Reading
from ragqa.read.zipped import open_zip, parse_xml, refused

_PAGES = ("application/xhtml+xml", "text/html")
# These hide fonts from being copied, and no text.
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_HEADING = re.compile(rb"<h[1-6][\s>]", re.I)


@dataclass(frozen=True, slots=True)
class _Book:
    """What a book's package says: the parts in reading order, and what its contents call them."""

    chapters: tuple[str, ...]
    titles: Mapping[str, str]
    about: About


def read(content: bytes, name: str) -> Reading:
    """Chapters by their titles in the contents; the contents themselves are left out.

    Raises:
        BadInput: It is no book, expands too far, or is locked to a device or an account.
    """
    archive = open_zip(content, name)
    if _locked(archive):
        raise refused(name, "encrypted")
    book = _book(archive, name)
    draft, damaged, title = Draft(), 0, ""
    for number, part in enumerate(book.chapters, start=1):
        page = archive.read(part)
        title = book.titles.get(part) or title
        draft.at("chapter", number, title)
        draft.section(1, "" if _HEADING.search(page) else title)
        try:
            add_html(draft, page)
        except BadInput:
            damaged += 1
    notes = [f"chapters that could not be read: {damaged}"] if damaged else []
    return draft.reading(title=book.about.title, tags=book.about.tags, date=book.about.date, notes=notes)


def _locked(archive: ZipFile) -> bool:
    if "META-INF/encryption.xml" not in archive.namelist():
        return False
    locked = parse_xml(archive.read("META-INF/encryption.xml")).iter("{*}EncryptedData")
    return any(
        next((attribute(one, "Algorithm") for one in data if local(one) == "EncryptionMethod"), "") not in _FONTS
        for data in locked
    )


def _book(archive: ZipFile, name: str) -> _Book:
    try:
        container = parse_xml(archive.read("META-INF/container.xml"))
        package = next(attribute(one, "full-path") for one in container.iter("{*}rootfile"))
        root = parse_xml(archive.read(package))
    except (KeyError, StopIteration, etree.XMLSyntaxError) as error:
        raise refused(name, "no EPUB") from error
    folder = posixpath.dirname(package)
    parts = {attribute(one, "id"): one for one in root.iter("{*}item")}
    spine = [parts[id] for one in root.iter("{*}itemref") if (id := attribute(one, "idref")) in parts]
    contents = [one for one in parts.values() if _is_contents(one)]
    here = frozenset(archive.namelist())
    titles: dict[str, str] = {}
    for one in contents:
        if (path := _path(folder, attribute(one, "href"))) in here:
            titles |= _titles(archive.read(path), posixpath.dirname(path))
    chapters = [
        path
        for one in spine
        if one not in contents and attribute(one, "media-type") in _PAGES
        if (path := _path(folder, attribute(one, "href"))) in here
    ]
    return _Book(tuple(chapters), titles, _about(root))


def _is_contents(part: etree._Element) -> bool:
    """Whether a part is the table of contents, as EPUB 3 or as EPUB 2 has it."""
    listed = attribute(part, "properties").split()
    return "nav" in listed or attribute(part, "media-type") == "application/x-dtbncx+xml"


def _path(folder: str, reference: str) -> str:
    """A part's name in the archive."""
    return posixpath.normpath(posixpath.join(folder, unquote(urldefrag(reference).url)))


def _titles(contents: bytes, folder: str) -> dict[str, str]:
    """What a table of contents calls each part; its first entry counts."""
    titles: dict[str, str] = {}
    try:
        entries = list(_entries(parse_xml(contents)))
    except etree.XMLSyntaxError:
        return titles
    for reference, title in entries:
        if title:
            titles.setdefault(_path(folder, reference), title)
    return titles


def _entries(root: etree._Element) -> Iterator[tuple[str, str]]:
    for point in root.iter("{*}navPoint"):
        label = next((one for one in point if local(one) == "navLabel"), None)
        target = next((one for one in point if local(one) == "content"), None)
        if label is not None and target is not None:
            yield attribute(target, "src"), _text(label)
    for nav in root.iter("{*}nav"):
        if attribute(nav, "type") in ("toc", ""):
            yield from ((attribute(link, "href"), _text(link)) for link in nav.iter("{*}a"))


def _text(element: etree._Element) -> str:
    return title_of("".join(map(str, element.itertext())))


def _about(package: etree._Element) -> About:
    said = [(local(one), one.text or "") for part in package if local(part) == "metadata" for one in part]
    first = dict(reversed(said))
    subjects = (text for kind, text in said if kind == "subject")
    return About(title_of(first.get("title", "")), tags_of(subjects), date_of(first.get("date", "")))
