"""What a reader makes of a file: text, the blocks it is made of, and where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ragqa.document import Block, Kind, Place, PlaceKind

MANY_BLOCKS = 2**17
MANY_PLACES = 2**19
SMALL_BLOCK = 1024  # characters
_NOT_STORED = {0: "\ufffd"} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


@dataclass(frozen=True, slots=True)
class Reading:
    """A file's content. The attributes are those of `Document`.

    Raises:
        ValueError: The blocks do not cover the text without gaps, or the places are in no order.
    """

    text: str
    blocks: tuple[Block, ...]
    places: tuple[Place, ...] = ()
    title: str = ""
    tags: tuple[str, ...] = ()
    date: str = ""
    notes: tuple[str, ...] = ()
    repaired: int = 0

    def __post_init__(self) -> None:
        if not self.text:  # whatever was found in it
            return
        starts = [block.start for block in self.blocks]
        ends = [block.end for block in self.blocks]
        if [*starts, len(self.text)] != [0, *ends] or any(a >= b for a, b in zip(starts, ends, strict=True)):
            raise ValueError("blocks do not cover the text")
        begun = [place.start for place in self.places]
        if begun != sorted(set(begun)) or (begun and (begun[0] != 0 or begun[-1] >= len(self.text))):
            raise ValueError("places are in no order")


def clean(text: str) -> str:
    """The text with U+FFFD for what neither SQLite nor a tokenizer takes: NULs and lone surrogates."""
    return text.translate(_NOT_STORED)


def storable(reading: Reading) -> Reading:
    """The reading with clean text, whatever part of it."""
    about = [*reading.tags, *reading.notes, reading.title, reading.date, *(place.name for place in reading.places)]
    headings = {block.heading for block in reading.blocks}
    if all(map(_can_be_stored, [reading.text, *about, *(title for heading in headings for title in heading)])):
        return reading
    text = clean(reading.text)
    return replace(
        reading,
        text=text,
        repaired=reading.repaired + text.count("\ufffd") - reading.text.count("\ufffd"),
        blocks=tuple(replace(block, heading=_mended(block.heading)) for block in reading.blocks),
        places=tuple(replace(place, name=clean(place.name)) for place in reading.places),
        title=clean(reading.title),
        date=clean(reading.date),
        tags=_mended(reading.tags),
        notes=_mended(reading.notes),
    )


def _can_be_stored(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _mended(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(clean(text) for text in texts)


def gathered(reading: Reading) -> Reading:
    """The reading with fewer blocks and places, where it has very many: small neighbours that are alike become one."""
    if len(reading.places) > MANY_PLACES:
        reading = replace(reading, places=_gathered_places(reading.places))
    if len(reading.blocks) <= MANY_BLOCKS:
        return reading
    blocks: list[Block] = []
    for block in reading.blocks:
        last = blocks[-1] if blocks and blocks[-1].kind != "heading" else None
        if last and (last.kind, last.heading) == (block.kind, block.heading) and block.end - last.start <= SMALL_BLOCK:
            blocks[-1] = replace(last, end=block.end)
        else:
            blocks.append(block)
    return replace(reading, blocks=tuple(blocks))


def _gathered_places(places: Iterable[Place]) -> tuple[Place, ...]:
    """Those on which a citation differs by more than its line, and of lines those that stand some way apart."""
    kept: list[Place] = []
    for place in places:
        if not kept or place.label != kept[-1].label or place.start - kept[-1].start >= SMALL_BLOCK:
            kept.append(place)
    return tuple(kept)


class Draft:
    """A reading in the making, for formats whose text is extracted: blocks in order, a blank line after each."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._places: list[Place] = []
        self._next: tuple[PlaceKind, int, str, int] | None = None
        self._path: list[tuple[int, str]] = []

    @property
    def begun(self) -> bool:
        """Whether anything was added."""
        return bool(self._blocks)

    def at(self, kind: PlaceKind, number: int, name: str = "", line: int = 0) -> None:
        """Say where in the file the blocks stand that are added from now on; see `Place`."""
        self._next = kind, number, clean(name), line

    def section(self, level: int, title: str) -> None:
        """Begin a section whose title stands in no block: it ends the sections of this level and below."""
        title = " ".join(clean(title).split())
        self._path = [*((n, above) for n, above in self._path if n < level), *([(level, title)] if title else [])]

    def heading(self, level: int, title: str) -> None:
        """Begin a section with a block for its title; 1 is the outermost level."""
        self.section(level, title)
        self.add("heading", " ".join(title.split()))

    def add(self, kind: Kind, text: str, within: Iterable[Place] = ()) -> None:
        """Add a block under the sections that have begun; nothing where it is blank.

        Args:
            within: Places that begin inside of it, by offsets into the text, in order; it has no carriage returns then.
        """
        text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
        if not text.strip():
            return
        self._begin()
        self._places += [
            replace(place, start=self._length + place.start) for place in within if place.start < len(text)
        ]
        start, self._length = self._length, self._length + len(text) + 2
        self._text.append(f"{text}\n\n")
        self._blocks.append(Block(kind, start, self._length, tuple(title for _level, title in self._path)))

    def item(self, text: str) -> None:
        """Add an item to the list that was added last under these sections, on the next line, or begin a list."""
        path = tuple(title for _level, title in self._path)
        if not text.strip() or not self._blocks or (self._blocks[-1].kind, self._blocks[-1].heading) != ("list", path):
            self.add("list", text)
            return
        self._text[-1], self._length = self._text[-1][:-1], self._length - 1
        self._begin()
        self._text.append(f"{text.rstrip()}\n\n")
        self._length += len(self._text[-1])
        self._blocks[-1] = replace(self._blocks[-1], end=self._length)

    def _begin(self) -> None:
        """Put the place that was said where the text goes on, unless that stands there already."""
        last = self._places[-1] if self._places else None
        if self._next and (last is None or (last.kind, last.number, last.name, last.line) != self._next):
            self._places.append(Place(self._length, *self._next))
        self._next = None

    def reading(
        self, *, title: str = "", tags: Iterable[str] = (), date: str = "", notes: Iterable[str] = (), repaired: int = 0
    ) -> Reading:
        """What was put together; the places count only where the first block has one."""
        places = tuple(self._places) if self._places and self._places[0].start == 0 else ()
        return Reading(
            text="".join(self._text),
            blocks=tuple(self._blocks),
            places=places,
            title=" ".join(clean(title).split()),
            tags=tuple(tags),
            date=date,
            notes=tuple(notes),
            repaired=repaired,
        )
