"""The paragraphs of pages → a text under its headings, whole where a page breaks it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ragqa.document import Kind, Place
from ragqa.read.hyphens import joined, vocabulary
from ragqa.read.layout import Paragraph
from ragqa.read.reading import Draft

HEADING_LINES = 3
HEADING_CHARACTERS = 120
LARGER = 1.2  # times the type of most text
LEVELS = 4  # of headings that are told by their size
HEADING_SHARE = 0.3  # of a document's text; where more is set large, size means something else

_ENDED = re.compile(r"[.!?:;。！？][\"'”’»)\]\d]*$")
_NUMBERING = re.compile(r"(?:chapter|section|part|appendix|kapitel|abschnitt|teil|chapitre)?[\divxlc]*[a-z]?")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Entry:
    """Of a document's outline; the outermost level and the first page are 1."""

    level: int
    title: str
    page: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What becomes a block: its lines by the pages that they stand on; a section without a block has none."""

    kind: Kind
    pages: tuple[tuple[int, tuple[str, ...]], ...]
    level: int = 0
    title: str = ""

    @property
    def lines(self) -> list[str]:
        return [line for _page, lines in self.pages for line in lines]


def add_pages(draft: Draft, pages: Sequence[Sequence[Paragraph]], outline: Sequence[Entry]) -> None:
    """Add a document's pages, the first of which is 1. The outline says what is a heading, else the size of type."""
    known = vocabulary(line for page in pages for paragraph in page for line in paragraph.lines)
    stretches = _by_outline(pages, outline) if outline else _by_size(pages)
    held: _Stretch | None = None
    for stretch in stretches:
        if held and _goes_on(held, stretch):
            held = _Stretch(held.kind, (*held.pages, *stretch.pages))
            continue
        if held:
            _add(draft, held, known)
        held = stretch
    if held:
        _add(draft, held, known)


def _goes_on(held: _Stretch, stretch: _Stretch) -> bool:
    """Whether a paragraph is the rest of the last one of the page before."""
    if held.kind not in ("paragraph", "list") or stretch.kind != "paragraph" or not (held.pages and stretch.pages):
        return False
    before, after = held.lines[-1], stretch.lines[0]
    return held.pages[-1][0] + 1 == stretch.pages[0][0] and not _ENDED.search(before) and after[:1].islower()


def _add(draft: Draft, stretch: _Stretch, known: frozenset[str]) -> None:
    if not stretch.pages:
        draft.section(stretch.level, stretch.title)
        return
    draft.at("page", stretch.pages[0][0])
    if stretch.level:
        draft.heading(stretch.level, joined(stretch.lines, known))
    elif stretch.kind in ("table", "code"):
        draft.add(stretch.kind, "\n".join(stretch.lines))
    else:
        text = joined(stretch.lines, known)
        if stretch.kind == "list" and len(stretch.pages) == 1:
            draft.item(text)
            return
        within, left = [], stretch.lines
        for (_page, above), (page, _lines) in pairwise(stretch.pages):
            left = left[len(above) :]
            within.append(Place(len(text) - len(joined(left, known)), "page", page))
        draft.add(stretch.kind, text, within=within)


def _by_outline(pages: Sequence[Sequence[Paragraph]], outline: Sequence[Entry]) -> Iterator[_Stretch]:
    for number, paragraphs in enumerate(pages, start=1):
        entries = [entry for entry in outline if entry.page == number]
        yield from _page(number, list(paragraphs), entries)


def _page(number: int, paragraphs: list[Paragraph], entries: Sequence[Entry]) -> Iterator[_Stretch]:
    """A page's stretches; the titles of its outline that stand on it are headings, the others begin sections only."""
    for entry in entries:
        found = next(((n, k) for n, one in enumerate(paragraphs) if (k := _titled(one, entry.title))), None)
        if not found:
            yield _Stretch("heading", (), entry.level, entry.title)
            continue
        n, k = found
        yield from (_Stretch(one.kind, ((number, one.lines),)) for one in paragraphs[:n])
        yield _Stretch("heading", ((number, paragraphs[n].lines[:k]),), entry.level)
        rest = paragraphs[n].lines[k:]
        paragraphs = [*([Paragraph("paragraph", rest, paragraphs[n].height)] if rest else []), *paragraphs[n + 1 :]]
    yield from (_Stretch(one.kind, ((number, one.lines),)) for one in paragraphs)


def _titled(paragraph: Paragraph, title: str) -> int:
    """How many lines a paragraph begins with that are this title, with or without its number; 0 for none."""
    wanted = _letters(title)
    for k in range(1, min(len(paragraph.lines), HEADING_LINES) + 1):
        said = _letters("".join(paragraph.lines[:k]))
        if wanted and said.endswith(wanted) and _NUMBERING.fullmatch(said[: len(said) - len(wanted)]):
            return k
    return 0


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def _by_size(pages: Sequence[Sequence[Paragraph]]) -> Iterator[_Stretch]:
    levels = _levels([paragraph for page in pages for paragraph in page])
    for number, page in enumerate(pages, start=1):
        for paragraph in page:
            level = levels.get(_size(paragraph), 0) if _headlike(paragraph) else 0
            yield _Stretch("heading" if level else paragraph.kind, ((number, paragraph.lines),), level)


def _levels(paragraphs: Sequence[Paragraph]) -> Mapping[int, int]:
    """By size of type the level of its headings, the largest first; none where too much is set large."""
    sizes = Counter[int]()
    for paragraph in paragraphs:
        sizes[_size(paragraph)] += _length(paragraph)
    ((usual, _letters),) = sizes.most_common(1) or [(0, 0)]
    large = [one for one in paragraphs if _headlike(one) and _size(one) > LARGER * usual]
    if sum(map(_length, large)) > HEADING_SHARE * sizes.total():
        return {}
    found = sorted({_size(one) for one in large}, reverse=True)
    return {size: min(level, LEVELS) for level, size in enumerate(found, start=1)}


def _headlike(paragraph: Paragraph) -> bool:
    return (
        paragraph.kind == "paragraph"
        and len(paragraph.lines) <= HEADING_LINES
        and _length(paragraph) <= HEADING_CHARACTERS
        and not paragraph.lines[-1].endswith((".", ",", ";"))
        and bool(_LETTER.search(paragraph.lines[0]))
    )


def _size(paragraph: Paragraph) -> int:
    """In points, whole ones: fonts of one size differ by fractions."""
    return round(paragraph.height)


def _length(paragraph: Paragraph) -> int:
    return sum(map(len, paragraph.lines))
