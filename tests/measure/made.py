"""Outcomes made by hand, so that every figure can be worked out in the head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ragqa.measure.datasets import Example
from ragqa.measure.evaluate import Outcome
from ragqa.types import Answer, Citation, Evidence, Sentence, Status
from tests.fakes import evidence

GOLD = Example("q", "When was it lit?", {"light": 1}, ("1894",), "light")
ABSENT = Example("q", "Who won?", group="none")


def answer(*quotes: str | Evidence, status: Status = "quoted", support: float = 0.9, **values: Any) -> Answer:
    """An answer that shows its first two quotes; `said` is what the Llama wrote."""
    found = [evidence(quote) if isinstance(quote, str) else quote for quote in quotes]
    said: Sequence[Sentence] = values.pop("said", ())
    shown = " ".join(s.text for s in said if s.verdict != "unsupported") if status == "answered" else ""
    return Answer(
        id="1",
        question="?",
        query="?",
        status=status,
        text=f"{shown or ' '.join(one.quote for one in found[:2])} [1]",
        written=tuple(said),
        citations=tuple(Citation(n, one, "same", 1, 1, True) for n, one in enumerate(found[:2], start=1)),
        hits=(),
        support=support,
        of_documents=1,
        prompt=None,
        completion_tokens=0,
        context=0,
        timing_ms=values.pop("timing_ms", {"embed": 5, "total": 9}),
        models={"embed": "words", "generate": "echo" if said else None},
        evidence=tuple(found),
    )


def outcome(given: Answer, example: Example = GOLD, ranking: Sequence[str] = ("light",), **values: Any) -> Outcome:
    return Outcome(example, given, tuple(ranking) if example.answerable else (), **values)
