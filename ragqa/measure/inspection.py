"""What a person should read after a run: every failure, and every sentence of the Llama that was shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ragqa.measure import metrics
from ragqa.measure.evaluate import RANKED, Outcome, Run
from ragqa.measure.layout import distractor
from ragqa.measure.report import holds_answer, is_right, marked, shown, shown_sentences
from ragqa.types import JSON, Answer, Evidence

UNASKED = "could not be asked"
REFUSED = "refused, though the documents answer it"
NOT_FOUND = f"no document that answers it among the first {RANKED}"
OTHER_DOCUMENT = "found, but no document that answers it was quoted"
OTHER_SENTENCES = "the answer is not in the best sentences"
NOT_SHOWN = "the answer is in the best sentences, but was not shown"
NO_ANSWER_HERE = "answered, though no document answers it"
HELD_OUT = "answered, though the documents that answer it were taken out"
TO_READ = "written by the Llama: is it true?"


def inspect(run: Run, names: Mapping[str, str]) -> Iterator[JSON]:
    """A line a failure, each with its reason; a question can fail twice, in the index and out of it.

    Args:
        names: The id of each document in the index → its id in the dataset.
    """
    for example, message in run.unasked:
        yield {"id": example.id, "reason": UNASKED, "question": example.question, "message": message}
    for outcome in run.outcomes:
        reason = reason_of(outcome)
        if reason or shown_sentences(outcome.answer):
            yield _line(outcome, outcome.answer, reason or TO_READ, names)
        if outcome.held_out and outcome.held_out.status != "abstained":
            elsewhere = metrics.contains(shown(outcome.held_out), outcome.example.answers)
            yield _line(outcome, outcome.held_out, HELD_OUT, names) | {"answer_stands_elsewhere": elsewhere}


def reason_of(outcome: Outcome) -> str:
    """Why an outcome is a failure; empty when it is none."""
    example, answer = outcome.example, outcome.answer
    if not example.answerable:
        return "" if answer.status == "abstained" else NO_ANSWER_HERE
    if is_right(outcome):
        return ""
    if answer.status == "abstained":
        return REFUSED
    if not set(outcome.ranking) & set(example.relevant):
        return NOT_FOUND
    if not example.answers:
        return OTHER_DOCUMENT
    return NOT_SHOWN if holds_answer(outcome, len(answer.evidence)) else OTHER_SENTENCES


def _line(outcome: Outcome, answer: Answer, reason: str, names: Mapping[str, str]) -> JSON:
    example = outcome.example
    ranks = [n for n, document in enumerate(outcome.ranking, start=1) if document in example.relevant]
    line: JSON = {
        "id": example.id,
        "reason": reason,
        "question": example.question,
        "answers": list(example.answers),
        "documents": sorted(example.relevant),
        "rank": ranks[0] if ranks else None,
        "status": answer.status,
        "support": answer.support,
        "marked": marked(answer),
        "quotes": [_quote(citation.evidence, names) for citation in answer.citations],
    }
    quotes = {citation.n: citation.evidence.quote for citation in answer.citations}
    said = [
        {"text": s.text, "verdict": s.verdict, "rests_on": [quotes[n] for n in s.citations if n in quotes]}
        for s in shown_sentences(answer)
    ]
    return line | ({"llama": said} if said else {})


def _quote(evidence: Evidence, names: Mapping[str, str]) -> JSON:
    passage = evidence.hit.passage
    document = names.get(passage.document_id) or distractor(passage.document_id)
    return {"document": document, "passage": passage.ordinal, "quote": evidence.quote}
