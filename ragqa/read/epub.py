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

Titles = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Book:
    """What a book's package says: the parts in reading order, and what its contents call them.

    Attributes:
        entries: For each part, what begins at which of its ids, and at its own beginning, whose id is empty; each by
            the titles of what it stands in and its own.
    """

    chapters: tuple[str, ...]
    entries: Mapping[str, Mapping[str, Titles]]
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
    draft, damaged, titles = Draft(), 0, Titles()
    for number, part in enumerate(book.chapters, start=1):
        try:
            titles = _add(draft, number, archive.read(part), book.entries.get(part, {}), titles)
        except BadInput:
            damaged += 1
    notes = [f"chapters that could not be read: {damaged}"] if damaged else []
    return draft.reading(title=book.about.title, tags=book.about.tags, date=book.about.date, notes=notes)


def _add(draft: Draft, number: int, page: bytes, entries: Mapping[str, Titles], before: Titles) -> Titles:
    """Add a part of the book; tells the titles of the chapter that it ends in, given those that it begins in."""
    within = {id: titles for id, titles in entries.items() if id and id.encode() in page}
    current = before if within else next(iter(entries.values()), before)
    has_headings = bool(_HEADING.search(page))

    def begin(titles: Titles) -> None:
        nonlocal current
        current = titles
        draft.at("chapter", number, title_of(" > ".join(titles)))
        for level, title in enumerate(titles if not has_headings else (), start=1):
            draft.section(level, title)

    draft.section(1, "")
    begin(entries.get("", current))
    add_html(draft, page, arrive=lambda name: begin(within[name]) if name in within else None)
    return current


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
    entries: dict[str, dict[str, Titles]] = {}
    for one in sorted(contents, key=_is_of_epub_2):
        if not entries and (path := _path(folder, attribute(one, "href"))) in here:
            entries = _entries(archive.read(path), posixpath.dirname(path))
    chapters = [
        path
        for one in spine
        if one not in contents and attribute(one, "media-type") in _PAGES
        if (path := _path(folder, attribute(one, "href"))) in here
    ]
    return _Book(tuple(chapters), entries, _about(root))


def _is_contents(part: etree._Element) -> bool:
    """Whether a part is the table of contents, as EPUB 3 or as EPUB 2 has it."""
    return "nav" in attribute(part, "properties").split() or _is_of_epub_2(part)


def _is_of_epub_2(contents: etree._Element) -> bool:
    return attribute(contents, "media-type") == "application/x-dtbncx+xml"


def _path(folder: str, reference: str) -> str:
    """A part's name in the archive."""
    return posixpath.normpath(posixpath.join(folder, unquote(urldefrag(reference).url)))


def _entries(contents: bytes, folder: str) -> dict[str, dict[str, Titles]]:
    """What a table of contents says, by parts and the ids in them; of two entries for one place the first counts."""
    entries: dict[str, dict[str, Titles]] = {}
    try:
        listed = list(_listed(parse_xml(contents)))
    except etree.XMLSyntaxError:
        return entries
    for reference, titles in listed:
        if titles and titles[-1]:
            fragment = unquote(urldefrag(reference).fragment)
            entries.setdefault(_path(folder, reference), {}).setdefault(fragment, tuple(filter(None, titles)))
    return entries


def _listed(root: etree._Element) -> Iterator[tuple[str, Titles]]:
    """The entries of a table of contents in order: what each refers to, and its titles."""
    for point in root.iter("{*}navPoint"):
        target = next((one for one in point if local(one) == "content"), None)
        if target is not None:
            yield attribute(target, "src"), tuple(_label(one, "navLabel") for one in _path_to(point, "navPoint"))
    for nav in root.iter("{*}nav"):
        if attribute(nav, "type") in ("toc", ""):
            for link in nav.iter("{*}a"):
                above = [_label(one, "a", "span") for one in _path_to(link, "li")[:-2]]
                yield attribute(link, "href"), (*above, _text(link))


def _path_to(entry: etree._Element, kind: str) -> list[etree._Element]:
    """What the entry stands in that is of its kind, outermost first, and the entry itself."""
    return [*reversed(list(entry.iterancestors(f"{{*}}{kind}"))), entry]


def _label(entry: etree._Element, *kinds: str) -> str:
    return next((_text(one) for one in entry if local(one) in kinds), "")


def _text(element: etree._Element) -> str:
    return title_of("".join(map(str, element.itertext())))


def _about(package: etree._Element) -> About:
    said = [(local(one), one.text or "") for part in package if local(part) == "metadata" for one in part]
    first = dict(reversed(said))
    subjects = (text for kind, text in said if kind == "subject")
    return About(title_of(first.get("title", "")), tags_of(subjects), date_of(first.get("date", "")))
