"""The nouns: what flows between the steps. All frozen, none of them knows how it was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ragqa.document import Passage, Place, locator, place_at, stretch_label

Vector = NDArray[np.float32]
"""Shape (dim,), unit length."""

Matrix = NDArray[np.float32]
"""Shape (n, dim), rows of unit length."""

Signs = NDArray[np.uint8]
"""Shape (tokens, ⌈dim / 8⌉): token vectors reduced to a bit a number, eight to a byte."""

Spans = NDArray[np.int32]
"""Shape (tokens, 2): the characters of a text that each of its tokens stands for, first and past the last."""

Count = Callable[[str], int]
"""A tokenizer seen from outside: text in, number of tokens out."""

Status = Literal["answered", "quoted", "abstained"]
Verdict = Literal["verbatim", "supported", "unsupported"]
Freshness = Literal["same", "moved", "changed", "deleted"]
Counted = Literal["documents", "passages", "mentions"]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents a search may see: those that fulfil everything that is said here. Empty means all.

    Attributes:
        collections, types, tags: Any of these.
        paths: Any of these; each is a folder, a file or a pattern with `*`, of the id or the whole path.
        after, before: The document's date, or its file's where it gives none: `YYYY-MM-DD`, inclusive.
        terms: All but the collections as a person said it; it changes nothing.
    """

    collections: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    after: str = ""
    before: str = ""
    terms: tuple[str, ...] = ()

    @property
    def narrows(self) -> bool:
        """Whether it says more than which collections."""
        return bool(self.paths or self.types or self.tags or self.after or self.before)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns support as it was fitted elsewhere into support in one index: logit → `slope` · logit + `shift`.

    Attributes:
        weights: Which weights it was measured with; it says nothing about others.
        passages: How many the index had then; 0 when it was never measured.
        questions: How many drawn questions it rests on.
    """

    slope: float = 1.0
    shift: float = 0.0
    weights: str = ""
    passages: int = 0
    questions: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a search found.

    Attributes:
        score: Higher is better; what it measures is said by whoever made the hit.
        scores: The parts it was made of, by name: `dense` (cosine), `lexical` (BM25), `fused`, `interaction` (MaxSim).
    """

    passage: Passage
    path: Path
    score: float
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mention:
    """A passage in which words stand.

    Attributes:
        spans: Start and end of each of them, as offsets into the passage's text, in order; never empty.
    """

    passage: Passage
    path: Path
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a passage that may answer, verbatim.

    Attributes:
        quote: `passage.text[start:end]`, nothing added or taken away.
        start: Offset into the passage's text.
        score: The sentence's score, higher is better.
        code: Its lines mean something: code, a table, a list with the sentence that announces it.
        span: Offsets into `quote` of the words that answer best, where some stand out.
        heading: The path of headings it stands under, outermost first.
    """

    hit: Hit
    quote: str
    start: int
    end: int
    line_start: int
    line_end: int
    score: float
    scores: Mapping[str, float] = field(default_factory=dict)
    code: bool = False
    span: tuple[int, int] | None = None
    heading: tuple[str, ...] = ()

    @property
    def place(self) -> Place | None:
        """Where in its file it stands, other than on lines."""
        return place_at(self.hit.passage.places, self.start)

    @property
    def place_end(self) -> Place | None:
        """The same of its last character."""
        return place_at(self.hit.passage.places, max(self.end - 1, self.start))


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a prompt.

    Attributes:
        control: True for the chat format's own scaffold, whose markers become control tokens. Text of
            documents, questions and templates is never control: a marker in it stays plain text.
    """

    text: str
    control: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the Llama reads.

    Attributes:
        passages: Those that fitted, numbered [1], [2], … in this order.
        dropped: Those that did not fit.
        tokens: Of the whole prompt.
        budget: The most it was allowed to have.
        parts: Tokens of all but the passages: `template` (with the marks of turns), `system`, `question`, and where
            there is a conversation, `turns`.
        sizes: Tokens that each passage takes or would have taken, by its id.
        fixed: So many of the first pieces are the same for every question.
        turns: So many of a conversation's last turns stand in it.
        turns_dropped: So many that came before those had no room.
    """

    pieces: tuple[Piece, ...]
    passages: tuple[Hit, ...]
    dropped: tuple[Hit, ...]
    tokens: int
    budget: int
    parts: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    fixed: int = 0
    turns: int = 0
    turns_dropped: int = 0

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def spent(self) -> dict[str, int]:
        """Where its tokens went, `passages` last; they add up to `tokens`."""
        return {**self.parts, "passages": self.tokens - sum(self.parts.values())}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the Llama, and what the check said of it.

    Attributes:
        citations: Numbers of the quotes it rests on, from 1.
        reason: Why it is unsupported, in a few words; empty otherwise.
    """

    text: str
    citations: tuple[int, ...]
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote with its place, as shown: `n` is the number in brackets.

    Attributes:
        fresh: `same`: the file's bytes are those indexed. `moved`: they are not, and the quote now stands on other
            lines. `changed`: they are not, and it stands where it stood or no longer. `deleted`: the file is gone.
        line_start: Where the quote stands now; where it stood when it was indexed, if it no longer does.
        line_end: Inclusive.
        stands: Whether the file still holds the quote verbatim.
        place: Where in the file it stands now, other than on lines.
        place_end: The same of its last character.
        reason: Why the file cannot be read, in a few words; empty when it can.
    """

    n: int
    evidence: Evidence
    fresh: Freshness
    line_start: int
    line_end: int
    stands: bool
    reason: str = ""
    place: Place | None = None
    place_end: Place | None = None

    @property
    def place_label(self) -> str:
        return stretch_label(self.place, self.place_end)

    @property
    def locator(self) -> str:
        """What stands behind the file's name: `:12-14`, `, page 12`, `:14, row 13`."""
        return locator((self.line_start, self.line_end), self.place, self.place_label)


@dataclass(frozen=True, slots=True)
class Listed:
    """A document that was counted.

    Attributes:
        passages: How many of its passages mention what was asked for; all of them where nothing was.
        mentions: How often it is mentioned in them; 0 where nothing was asked for.
        line: Where it is mentioned first.
        place: The same, other than on lines.
        evidence: A quotation that mentions it; only the first few have one.
    """

    id: str
    path: Path
    passages: int
    mentions: int = 0
    line: int = 1
    evidence: Evidence | None = None
    place: Place | None = None

    @property
    def locator(self) -> str:
        """What stands behind the file's name: `:12`, `, page 12`, `:14, row 13`; nothing where all was counted."""
        return locator((self.line, self.line), self.place, stretch_label(self.place)) if self.mentions else ""


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted in the whole index, and how.

    Attributes:
        query: What FTS5 was asked for, such as `docker AND "write-ahead"`; empty where all documents are meant.
        count: Of what `counted` names.
        of: How many documents there are, or passages where those are counted.
        documents: How many documents were searched.
        listed: The documents that were counted, those with most first; none where only a number is wanted.
        forms: The words as they were found, in lower case, the most frequent first.
        text: All that in one sentence.
    """

    query: str
    counted: Counted
    count: int
    of: int
    documents: int
    listed: tuple[Listed, ...]
    forms: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What `ask` gives back, whatever way it is then shown.

    Attributes:
        text: The answer as plain text, citations in brackets.
        written: The Llama's sentences with their verdicts, those that are not shown included.
        support: 0 to 1, see `ragqa.support.support`.
        timing_ms: Milliseconds by stage.
        tally: What was counted, where counting answers; no model has then been asked.
        whole_corpus: The question is about all documents together, and the answer rests on a few passages.
        evidence: All that was weighed, best first; the citations are those of it that are shown.
    """

    id: str
    question: str
    query: str
    status: Status
    text: str
    written: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    support: float
    of_documents: int
    prompt: Prompt | None
    completion_tokens: int
    context: int
    timing_ms: Mapping[str, int]
    models: Mapping[str, str | None]
    signals: Mapping[str, float] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    tally: Tally | None = None
    whole_corpus: bool = False

    @property
    def read(self) -> tuple[Hit, ...]:
        """The passages that the answer was made from: those found, less those the prompt had no room for."""
        dropped = {hit.passage.id for hit in self.prompt.dropped} if self.prompt else set()
        return tuple(hit for hit in self.hits if hit.passage.id not in dropped)


JSON = dict[str, Any]
