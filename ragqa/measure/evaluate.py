"""A dataset's questions, asked as users ask them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ragqa.answer import answer_question
from ragqa.chat import followed
from ragqa.condense import Condensed
from ragqa.embed import Embedder
from ragqa.errors import UsageError
from ragqa.measure.datasets import Example
from ragqa.measure.layout import distractor
from ragqa.measure.metrics import contains
from ragqa.retrieve import retrieve
from ragqa.store import HidingStore
from ragqa.turn import Turn, turn_of
from ragqa.types import Answer, Filter
from ragqa.write import Writing

RANKED = 10  # documents
DEPTH = 50  # passages that are ranked to find them: several may be of one document


@dataclass(frozen=True, slots=True)
class Asking:
    """How questions are asked.

    Attributes:
        writing: The Llama and its prompt; None quotes only.
        k: Passages that are retrieved for an answer.
        quotes: Sentences that are quoted.
        names: The id of each document in the store → its id in the dataset; others are distractors.
        where: Which documents are searched; all where nothing is said.
    """

    embedder: Embedder
    store: HidingStore
    writing: Writing | None
    k: int
    quotes: int
    min_support: float
    names: Mapping[str, str]
    where: Filter | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a question got.

    Attributes:
        answer: As users get it, but for the prompt.
        ranking: Ids of the ten best documents, best first; empty where nothing is relevant.
        cites_relevant: A quote that was shown is from a relevant document.
        finds_answer: A passage that was retrieved holds a gold answer, and is from a relevant document.
        held_out: The answer when the relevant documents are not in the index, if that was tried.
    """

    example: Example
    answer: Answer
    ranking: tuple[str, ...] = ()
    cites_relevant: bool = False
    held_out: Answer | None = None
    finds_answer: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """All outcomes, and the questions that could not be asked, with the reason."""

    outcomes: tuple[Outcome, ...]
    unasked: tuple[tuple[Example, str], ...] = ()


def evaluate(
    examples: Sequence[Example],
    asking: Asking,
    *,
    holdout: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Run:
    """Ask every question.

    Args:
        holdout: Also ask each answerable question without its relevant documents: a store hides them entirely, so
            no score and no frequency knows of them. The Llama is not asked: refusing is decided before it writes.
        progress: Told (questions done, questions in all).
    """
    places = {name: id for id, name in asking.names.items()}
    outcomes: list[Outcome] = []
    unasked: list[tuple[Example, str]] = []
    for done, example in enumerate(examples):
        progress(done, len(examples))
        try:
            outcomes.append(_outcome(example, asking, places if holdout else None))
        except UsageError as error:  # longer than the embedder can read
            unasked.append((example, error.message))
    progress(len(examples), len(examples))
    return Run(tuple(outcomes), tuple(unasked))


def _outcome(example: Example, asking: Asking, places: Mapping[str, str] | None) -> Outcome:
    turns = _turns(example, replace(asking, writing=None))
    follows = _follows(example.question, turns, asking)
    answer = _answer(example.question, asking, follows, turns)
    if not example.answerable:
        return Outcome(example, answer)
    held_out = None
    if places is not None:
        with asking.store.without(places[name] for name in example.relevant if name in places):
            quoting = replace(asking, writing=None)
            held_out = _answer(example.question, quoting, _follows(example.question, turns, asking), turns)
    cited = {asking.names.get(citation.evidence.hit.passage.document_id) for citation in answer.citations}
    cites_relevant = answer.status != "abstained" and not cited.isdisjoint(example.relevant)
    searched = follows.searched if follows else example.question
    return Outcome(
        example, answer, _ranking(searched, asking), cites_relevant, held_out, _finds_answer(example, answer, asking)
    )


def _turns(example: Example, asking: Asking) -> list[Turn]:
    """The conversation before a question; what its answers say in words is of no use to it."""
    turns: list[Turn] = []
    for question in example.before:
        turns.append(turn_of(_answer(question, asking, _follows(question, turns, asking), turns)))
    return turns


def _follows(question: str, turns: Sequence[Turn], asking: Asking) -> Condensed | None:
    return followed(question, turns, embedder=asking.embedder, store=asking.store, where=asking.where)


def _answer(question: str, asking: Asking, follows: Condensed | None, turns: Sequence[Turn]) -> Answer:
    answer = answer_question(
        question,
        embedder=asking.embedder,
        store=asking.store,
        writing=asking.writing,
        k=asking.k,
        quotes=asking.quotes,
        min_support=asking.min_support,
        follows=follows,
        turns=turns,
        where=asking.where,
    )
    return replace(answer, prompt=None)


def _finds_answer(example: Example, answer: Answer, asking: Asking) -> bool:
    """Whether a passage of a relevant document that was retrieved holds a gold answer."""
    names = asking.names
    read = [hit.passage for hit in answer.hits if names.get(hit.passage.document_id) in example.relevant]
    return any(contains(passage.text, example.answers) for passage in read)


def _ranking(question: str, asking: Asking) -> tuple[str, ...]:
    """The best documents, each where its best passage stands."""
    found = retrieve(question, embedder=asking.embedder, store=asking.store, k=DEPTH, where=asking.where, once=True)
    documents = dict.fromkeys(hit.passage.document_id for hit in found.hits)
    return tuple(asking.names.get(id) or distractor(id) for id in documents)[:RANKED]
