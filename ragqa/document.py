"""The nouns of what is read: a document, its blocks, where they stand in its file, and the passages it is cut into."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

Kind = Literal["front", "heading", "paragraph", "list", "quotation", "table", "code"]
PlaceKind = Literal["line", "page", "slide", "row", "message", "cell", "paragraph", "chapter", "time"]

RECORD_TYPE = "record"  # the type of a document that no file holds


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a document, or of a passage, that belongs together: `text[start:end]`.

    Attributes:
        kind: `front` is what stands before a document about it, not in it.
        heading: The path of headings it stands under, outermost first; a heading's own title included.
    """

    kind: Kind
    start: int
    end: int
    heading: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where in its file a stretch of extracted text stands; it ends where the next place begins.

    Attributes:
        start: Offset into the text of a document, or of a passage.
        kind: What the file is divided into; `line` where it is nothing but lines.
        number: From 1; of a `time`, seconds from the beginning.
        name: Of the sheet or table that a row is in, of a chapter; empty where there is none.
        line: Of the file, from 1; 0 where the file has no lines.
    """

    start: int
    kind: PlaceKind
    number: int
    name: str = ""
    line: int = 0

    @property
    def label(self) -> str:
        """What a citation says after the file's name: `page 12`, `Prices, row 4`, `0:01:05`; empty for a line."""
        if self.kind == "line":
            return ""
        if self.kind == "time":
            return f"{self.number // 3600}:{self.number // 60 % 60:02}:{self.number % 60:02}"
        if self.kind == "chapter" and self.name:  # a book counts its chapters in its own way
            return self.name
        numbered = f"{self.kind} {self.number}"
        return f"{self.name}, {numbered}" if self.name else numbered


def stretch_label(first: Place | None, last: Place | None = None) -> str:
    """What a citation says of text that goes from one place to another: `pages 3-4`, `Prices, rows 4-9`."""
    if first is None or last is None or first.label == last.label or not (first.label and last.label):
        return first.label if first else ""
    if (first.kind, first.name) != (last.kind, last.name):
        return f"{first.label} to {last.label}"
    if first.kind == "time":
        return f"{first.label}-{last.label}"
    numbered = f"{first.kind}s {first.number}-{last.number}"
    return f"{first.name}, {numbered}" if first.name else numbered


def locator(lines: tuple[int, int], first: Place | None = None, label: str = "") -> str:
    """What stands behind a file's name in a citation: `:12-14`, `, page 12`, or where both tell, `:14, row 13`.

    Args:
        lines: The first and the last one, inclusive; they say nothing of text from a file without lines.
        first: The place that the text begins in.
        label: Of the whole stretch; see `stretch_label`.
    """
    named = f", {label}" if label else ""
    if first and not first.line:
        return named
    start, end = lines
    return f":{start}-{end}{named}" if end > start else f":{start}{named}"


def place_at(places: Sequence[Place], offset: int) -> Place | None:
    """The place that the character at `offset` stands in; None for text that is the file's own."""
    n = bisect_right(places, offset, key=lambda place: place.start)
    return places[max(n, 1) - 1] if places else None


def places_within(places: Sequence[Place], start: int, end: int) -> tuple[Place, ...]:
    """The places of `text[start:end]`, by offsets into that; the first begins at its beginning or before."""
    first = max(bisect_right(places, start, key=lambda place: place.start), 1) - 1
    last = bisect_right(places, max(end - 1, start), key=lambda place: place.start)
    return tuple(replace(place, start=max(place.start - start, 0)) for place in places[first:last])


@dataclass(frozen=True, slots=True)
class Document:
    """One file as text, and the blocks it is made of.

    Attributes:
        id: What citations and `forget` call it, such as `notes/a.md`; unique in an index.
        path: Where it lies, absolute, links resolved; `-` for standard input.
        text: Of a text file, what is in it, with newlines as they are; of any other, what was extracted. U+FFFD stands
            for what could not be decoded.
        sha256: Of the file's bytes, hexadecimal.
        size: Bytes.
        mtime_ns: Modification time, nanoseconds since the epoch.
        blocks: In order and without gaps: they cover `text` from its first character to its last.
        repaired: How many characters of `text` are U+FFFD for a NUL or for bytes that could not be decoded.
        places: Where extracted text stands in the file, in order, the first at 0. Without any, `text` is the file's
            own and its lines are the file's.
        type: The format, such as `markdown` or `pdf`.
        title: What the document calls itself; empty where it does not.
        tags: In lower case, in order of the alphabet.
        date: That the document gives itself, `YYYY-MM-DD`; empty where it gives none.
        notes: What a person should know about how it was read, such as `read as cp1252`.
        inode: Of the file; 0 where it is not to be trusted.
        readers: The version of the readers that read it, with `, secret` behind it where it was taken in although it
            holds one; empty where none did.
    """

    id: str
    path: Path
    text: str
    sha256: str
    size: int
    mtime_ns: int
    blocks: tuple[Block, ...]
    collection: str = "default"
    repaired: int = 0
    places: tuple[Place, ...] = ()
    type: str = "text"
    title: str = ""
    tags: tuple[str, ...] = ()
    date: str = ""
    notes: tuple[str, ...] = ()
    inode: int = 0
    readers: str = ""


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """What the index remembers of a document: everything but its text.

    Attributes:
        indexed_at: ISO 8601, UTC.
        tags: In order of the alphabet.
        stale: Why its file could not be read again since; empty where what is indexed is what was there last.
        readers: As of a document; empty in an index of a version that did not say.
    """

    id: str
    path: Path
    collection: str
    sha256: str
    size: int
    mtime_ns: int
    passages: int
    indexed_at: str
    inode: int = 0
    type: str = "text"
    title: str = ""
    date: str = ""
    stale: str = ""
    readers: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that could not be read: it need not be tried again before it changes.

    Attributes:
        sha256, size, mtime_ns, inode: As of a document.
        reason: In a few words.
        readers: The version of the readers that could not read it.
    """

    path: Path
    sha256: str
    size: int
    mtime_ns: int
    inode: int
    reason: str
    readers: str


@dataclass(frozen=True, slots=True)
class Passage:
    """What is embedded, retrieved and cited: `text` is `document.text[start:end]`.

    Attributes:
        ordinal: 1 for the document's first passage.
        line_start: Line of the first character that is not white space, from 1: of the file where its text is the
            file's own or its places have lines, else of the extracted text.
        line_end: Line of the last one, inclusive.
        heading: The path of headings it stands under, outermost first.
        blocks: What it is made of, without gaps, by places in `text`; of a block that was divided, its part. One
            made without any is one paragraph.
        places: Where its stretches stand in the file, by offsets into `text`; none where `text` is the file's own.
    """

    document_id: str
    ordinal: int
    text: str
    start: int
    end: int
    line_start: int
    line_end: int
    heading: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.document_id}#{self.ordinal}"

    @property
    def place_label(self) -> str:
        """Of all its text: `pages 3-4`; empty where lines say it."""
        return stretch_label(self.places[0], self.places[-1]) if self.places else ""

    @property
    def locator(self) -> str:
        """What stands behind the file's name: `:12-18`, `, pages 3-4`, `:14-16, rows 13-15`."""
        first = self.places[0] if self.places else None
        return locator((self.line_start, self.line_end), first, self.place_label)

    def line_at(self, offset: int) -> int:
        """The line on which `text[offset]` stands, where that is not white space; see `line_start`."""
        place = place_at(self.places, offset)
        if place and place.line:
            return place.line
        return self.line_start + self.text[:offset].lstrip().count("\n")

    def lines_of(self, start: int, end: int) -> tuple[int, int]:
        """The first and the last line of `text[start:end]`, which neither begins nor ends with white space."""
        return self.line_at(start), self.line_at(max(end - 1, start))


def record_path(collection: str, id: str = "") -> Path:
    """What stands in place of a path, and differs from that of any other record: `-/posts/12`; no file is there.

    Without an id, the folder that those of the collection seem to lie in.
    """
    parts = id.split("/") if id else []
    return Path("-", _spelled(collection).replace("/", "%2F"), *map(_spelled, parts))


def _spelled(name: str) -> str:
    """A part of a path that names nothing else: not what is above it, nor nothing at all."""
    name = name.replace("%", "%25")
    return name.replace(".", "%2E") if name in (".", "..") else name or "%"
