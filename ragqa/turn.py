"""What is kept of a question and its answer: for the questions that follow, and for the history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ragqa.document import Place, locator
from ragqa.types import Answer, Citation, Status


@dataclass(frozen=True, slots=True)
class Source:
    """A quote that was shown, and where it stood then.

    Attributes:
        n: The number in brackets.
        id: Of the passage, such as `notes/a.md#3`.
        path: Absolute.
        heading: The path of headings it stands under, outermost first.
        place: Where it began, other than on lines.
        place_label: All of its place in words, such as `pages 3-4`.
    """

    n: int
    id: str
    path: Path
    line_start: int
    line_end: int
    quote: str
    heading: tuple[str, ...] = ()
    place: Place | None = None
    place_label: str = ""

    @property
    def locator(self) -> str:
        """What stands behind the file's name: `:12-14`, `, page 12`, `:14, row 13`."""
        return locator((self.line_start, self.line_end), self.place, self.place_label)


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and what was answered.

    Attributes:
        id: The answer's ULID, which also says when.
        question: As it was asked.
        query: As it was searched: the same, or what it meant after the turns before.
        answer: As plain text, citations in brackets.
        sources: The quotes that were shown, best first.
        support: 0 to 1, see `ragqa.support.support`.
        duration_ms: How long the answer took.
    """

    id: str
    question: str
    query: str
    status: Status
    answer: str
    sources: tuple[Source, ...] = ()
    support: float = 0.0
    duration_ms: int = 0


def turn_of(answer: Answer) -> Turn:
    """The turn that an answer ends."""
    sources = tuple(map(_source, answer.citations))
    duration = answer.timing_ms.get("total", 0)
    return Turn(answer.id, answer.question, answer.query, answer.status, answer.text, sources, answer.support, duration)


def _source(citation: Citation) -> Source:
    evidence = citation.evidence
    hit = evidence.hit
    return Source(
        n=citation.n,
        id=hit.passage.id,
        path=hit.path,
        line_start=citation.line_start,
        line_end=citation.line_end,
        quote=evidence.quote,
        heading=evidence.heading,
        place=replace(citation.place, start=0) if citation.place and citation.place_label else None,
        place_label=citation.place_label,
    )
