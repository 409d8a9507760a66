"""An index asked about itself: questions drawn from its own documents, and questions that it cannot answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ragqa.draw import FOREIGN, draw
from ragqa.measure.datasets import Example
from ragqa.measure.evaluate import Asking, Run, evaluate
from ragqa.store import VectorStore

EXPLAINED = (
    "These questions were made by rules from the documents themselves, and some from elsewhere. They use the documents'"
    " own words, so they are easier than people's: compare the figures with each other over time, and do not expect"
    " them of your own questions."
)


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Questions for one index.

    Attributes:
        sentences: Of sentences: found with their document, refused without it.
        headings: Of headings: found with their document. Others may answer them too, so they are never held out.
        foreign: Of elsewhere: refused.
    """

    sentences: tuple[Example, ...]
    headings: tuple[Example, ...]
    foreign: tuple[Example, ...]


def self_test(store: VectorStore, documents: Iterable[str], count: int, seed: int) -> SelfTest:
    """Draw at most `count` questions from the documents; the same ones from the same index and seed."""
    drawn = [
        Example(f"drawn-{n}", one.question, {one.document_id: 1}, (one.answer,) if one.answer else (), one.document_id)
        for n, one in enumerate(draw(documents, store.passages_of, count, seed), start=1)
    ]
    foreign = [Example(f"foreign-{n}", text, group=text) for n, text in enumerate(FOREIGN[:count], start=1)]
    return SelfTest(
        tuple(one for one in drawn if one.answers), tuple(one for one in drawn if not one.answers), tuple(foreign)
    )


def ask_about_itself(
    test: SelfTest, asking: Asking, progress: Callable[[int, int], None] = lambda done, total: None
) -> Run:
    """Ask all of them; those of sentences a second time without their document."""
    ahead = [*test.headings, *test.foreign]
    total = len(ahead) + len(test.sentences)
    plain = evaluate(ahead, asking, progress=lambda done, _: progress(done, total))
    twice = evaluate(test.sentences, asking, holdout=True, progress=lambda done, _: progress(len(ahead) + done, total))
    return Run((*twice.outcomes, *plain.outcomes), (*twice.unasked, *plain.unasked))
