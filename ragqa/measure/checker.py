"""How many planted falsehoods a checker catches, and how many truths it takes for falsehoods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ragqa.measure.falsehoods import KINDS, Kind, Statement
from ragqa.types import Evidence, Sentence

Judge = Callable[[str, Sequence[Evidence], str], Sequence[Sentence]]
"""`ragqa.verify.verify`: (text, evidence best first, question) → its sentences with verdicts."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Of `n` statements of one kind, how many were unsupported."""

    n: int
    unsupported: int

    @property
    def rate(self) -> float:
        """0 to 1: the catch rate of a kind of falsehood, the false alarm rate of `true`; 0 when there are none."""
        return self.unsupported / self.n if self.n else 0.0


def tally(
    statements: Iterable[Statement], evidence: Mapping[str, Sequence[Evidence]], judge: Judge
) -> dict[Kind, Tally]:
    """Judge every statement as if the Llama had written it.

    A statement counts as supported only if all of its sentences are, because all of it would have to be shown.

    Args:
        evidence: Question → what the product holds the Llama's words against: the sentences of its best passages,
            best first. A question that is missing has no evidence.
    """
    counted = dict.fromkeys(KINDS, (0, 0))
    for statement in statements:
        sentences = judge(statement.text, evidence.get(statement.question, ()), statement.question)
        unsupported = not sentences or any(sentence.verdict == "unsupported" for sentence in sentences)
        n, found = counted[statement.kind]
        counted[statement.kind] = (n + 1, found + unsupported)
    return {kind: Tally(n, found) for kind, (n, found) in counted.items()}
