"""Where a quote stands now: the cited files, and only those, are read again when the answer is given."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragqa.document import DocumentRecord, Place, place_at
from ragqa.errors import BadInput
from ragqa.files import MAX_FILE_SIZE
from ragqa.read import read_as, read_source
from ragqa.read.apart import Child
from ragqa.read.formats import BY_NAME
from ragqa.read.reading import Reading
from ragqa.types import Citation, Evidence, Freshness


@dataclass(frozen=True, slots=True)
class _Now:
    """A file as it is now; `reading` only where its bytes differ from those indexed, `reason` where it has none."""

    fresh: Freshness
    reading: Reading | None = None
    reason: str = ""


def cite(
    evidence: Sequence[Evidence], record: Callable[[str], DocumentRecord | None], *, max_size: int = MAX_FILE_SIZE
) -> tuple[Citation, ...]:
    """Number the quotes from 1, and say of each whether and on which lines it still stands.

    A file is hashed, once however often it is cited: size and time alone are no proof, tools restore both.
    Nothing here blocks or fails; a file that cannot be read has changed, with the reason.

    Args:
        record: What the index remembers of a document, by id.
        max_size: Bytes; of a larger file nothing is said but that it has changed.
    """
    files: dict[str, _Now] = {}
    for one in evidence:
        id = one.hit.passage.document_id
        if id not in files:
            files[id] = _look(one.hit.path, record(id), max_size)
    return tuple(_citation(n, one, files[one.hit.passage.document_id]) for n, one in enumerate(evidence, start=1))


def line_of(quote: str, text: str, *, near: int) -> int | None:
    """The line, from 1, on which `quote` begins in `text`; of several the one nearest to line `near`.

    Line ends may differ. A stretch of a longer word or number is not the quote: `hunter2` does not stand in
    `hunter22`, nor `5 °C` in `-5 °C`.
    """
    found = _find(quote, text, near)
    return found[1] if found else None


def _find(quote: str, text: str, near: int, places: Sequence[Place] = ()) -> tuple[int, int] | None:
    """Where the quote begins: as an offset into the text with plain line feeds, and as a line."""
    text, quote = text.replace("\r\n", "\n"), quote.replace("\r\n", "\n")
    best, line, counted = None, 1, 0
    for match in _whole(quote).finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        place = place_at(places, match.start())
        here = place.line if place and place.line else line
        if best is None or abs(here - near) < abs(best[1] - near):
            best = match.start(), here
        if here >= near:  # those behind it are farther away
            break
    return best


def _look(path: Path, record: DocumentRecord | None, max_size: int) -> _Now:
    if not path.is_absolute():  # of a stream: it cannot be read twice, and nobody can have changed it
        return _Now("same")
    if record is None:  # forgotten by another process since it was found
        return _Now("deleted")
    try:
        source = read_source(path, max_size)
        if source.sha256 == record.sha256:
            return _Now("same")
        with Child() as child:
            return _Now("changed", read_as(BY_NAME.get(record.type, BY_NAME["text"]), source, child))
    except BadInput as error:
        gone = isinstance(error.__cause__, FileNotFoundError | NotADirectoryError)
        return _Now("deleted") if gone else _Now("changed", reason=error.reason)


def _citation(n: int, one: Evidence, now: _Now) -> Citation:
    found = _find(one.quote, now.reading.text, one.line_start, now.reading.places) if now.reading else None
    if not found or not now.reading:
        lines, stands, places = (one.line_start, one.line_end), now.fresh == "same", (one.place, one.place_end)
        return Citation(n, one, now.fresh, *lines, stands, now.reason, *places)
    offset, line = found
    place, last = (place_at(now.reading.places, at) for at in (offset, offset + len(one.quote) - 1))
    lines = (line, line + one.quote.count("\n"))
    if place and last:
        lines = (place.line or one.line_start, last.line or one.line_end)
    here = lines[0] == one.line_start and _told(place) == _told(one.place)
    return Citation(n, one, "changed" if here else "moved", *lines, stands=True, place=place, place_end=last)


def _told(place: Place | None) -> tuple[str, int]:
    return (place.name, place.number) if place else ("", 0)


def _whole(quote: str) -> re.Pattern[str]:
    before = r"(?<![\w+-])(?<!\w[^\w\s])" if re.match(r"\w", quote) else ""
    after = r"(?!\S*\w)" if re.search(r"\w\Z", quote) else ""
    return re.compile(before + re.escape(quote) + after)
