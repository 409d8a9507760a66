"""How many planted falsehoods a checker catches, and how many truths it takes for falsehoods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ragqa.measure.evaluate import Outcome
from ragqa.measure.falsehoods import Case, Statement, plant
from ragqa.types import Evidence, Sentence
from ragqa.verify import verify

Judge = Callable[[str, Sequence[Evidence], str], Sequence[Sentence]]
"""`ragqa.verify.verify`: (text, evidence best first, question) → its sentences with verdicts."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A statement of known truth, and whether the checker found it unsupported."""

    statement: Statement
    unsupported: bool


def judge(
    statements: Iterable[Statement], evidence: Mapping[str, Sequence[Evidence]], checker: Judge = verify
) -> Iterator[Judged]:
    """Judge every statement as if the Llama had written it.

    A statement counts as supported only if all of its sentences are, because all of it would have to be shown.

    Args:
        evidence: Question → what the product holds the Llama's words against: the sentences of its best passages,
            best first. A question that is missing has no evidence.
    """
    for statement in statements:
        sentences = checker(statement.text, evidence.get(statement.question, ()), statement.question)
        unsupported = not sentences or any(sentence.verdict == "unsupported" for sentence in sentences)
        yield Judged(statement, unsupported)


def judge_planted(outcomes: Sequence[Outcome], documents: Mapping[str, str], seed: int) -> list[tuple[Outcome, Judged]]:
    """Make statements of the questions whose answers are known, true ones and falsehoods, and judge them all.

    Args:
        documents: Id → text, as in the dataset.
        seed: Of the falsehoods.
    """
    by_question = {outcome.example.question: outcome for outcome in outcomes if outcome.example.answers}
    cases = [
        Case(question, outcome.example.answers, documents[document], document, outcome.example.group)
        for question, outcome in by_question.items()
        for document in list(outcome.example.relevant)[:1]
        if document in documents
    ]
    evidence = {question: outcome.answer.evidence for question, outcome in by_question.items()}
    return [(by_question[one.statement.question], one) for one in judge(plant(cases, seed=seed), evidence)]
