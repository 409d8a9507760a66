"""PDF: the text of each page, put together again from where its words stand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from ragqa.read.about import date_of, title_of
from ragqa.read.drawn import Page, page_of
from ragqa.read.flow import Entry, add_pages
from ragqa.read.layout import Line, Paragraph, lines_of, paragraphs_of
from ragqa.read.office import keywords
from ragqa.read.reading import Draft, Reading
from ragqa.read.running import without_running
from ragqa.read.zipped import refused

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

OUTLINE = 10_000  # entries that are looked at
_DAY = re.compile(r"^(?:D:)?(\d{4})(\d\d)(\d\d).*", re.S)
_TOOL = re.compile(r"^Microsoft (?:Word|PowerPoint) - |^untitled(?: document)?$", re.I)


def read(content: bytes, name: str) -> Reading:
    """Paragraphs by their pages, under the titles of the outline where there is one.

    Raises:
        BadInput: It is damaged, wants a password, or has no text.
    """
    from pypdfium2 import PdfDocument, PdfiumError
    from pypdfium2.raw import FPDF_ERR_PASSWORD

    try:
        document = PdfDocument(content)
    except PdfiumError as error:
        wanted = error.err_code == FPDF_ERR_PASSWORD
        raise refused(name, "encrypted, a password is wanted" if wanted else "damaged") from error
    try:
        return _reading(document, name)
    finally:
        document.close()


def _reading(document: PdfDocument, name: str) -> Reading:
    pages = _without_typewriter(list(_pages(document)))
    empty = sum(not page.words and not page.aside for page in pages)
    if empty == len(pages):
        raise refused(name, "no text layer (a scan?)")
    lines = without_running([(page.height, lines_of(page.words)) for page in pages])
    draft = Draft()
    add_pages(draft, [_paragraphs(*one) for one in zip(pages, lines, strict=True)], list(_outline(document)))
    about = document.get_metadata_dict()
    return draft.reading(
        title=title_of(_TOOL.sub("", about.get("Title", ""))),
        tags=keywords(about.get("Keywords", "")),
        date=date_of(_DAY.sub(r"\1-\2-\3", about.get("CreationDate", ""))),
        notes=[f"{empty} of {len(pages)} pages without text"] if empty else [],
    )


def _pages(document: PdfDocument) -> Iterator[Page]:
    """Every page, one after the other; a damaged one counts as one without text."""
    from pypdfium2 import PdfiumError

    for number in range(len(document)):
        try:
            page = document[number]
            yield page_of(page)
            page.close()
        except PdfiumError:
            yield Page(0.0, ())


def _without_typewriter(pages: list[Page]) -> list[Page]:
    """The pages as they are; where most is typewritten, that does not say that it is code."""
    fixed = Counter[bool]()
    for word in (word for page in pages for word in page.words):
        fixed[word.fixed] += len(word.text)
    if fixed[True] <= fixed[False]:
        return pages
    return [replace(page, words=tuple(replace(word, fixed=False) for word in page.words)) for page in pages]


def _paragraphs(page: Page, lines: list[Line]) -> list[Paragraph]:
    aside = [Paragraph("paragraph", (page.aside,), 0.0)] if page.aside else []
    return [*paragraphs_of(lines), *aside]


def _outline(document: PdfDocument) -> Iterator[Entry]:
    """The entries that lead to a page, in order."""
    for bookmark in islice(document.get_toc(), OUTLINE):
        target = bookmark.get_dest()
        page = target.get_index() if target else None
        title = " ".join(bookmark.get_title().split())
        if title and page is not None:
            yield Entry(bookmark.level + 1, title, page + 1)
