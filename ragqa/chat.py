"""A conversation: each question is joined with what it follows on, where it needs that, and answered anew."""

from __future__ import annotations

from collections.abc import Sequence

from ragqa.condense import LONGEST, Condensed, condense, leaning
from ragqa.embed import Embedder
from ragqa.evidence import select
from ragqa.retrieve import retrieve
from ragqa.store import VectorStore
from ragqa.support import logit, signals
from ragqa.turn import Turn
from ragqa.types import Filter
from ragqa.whole import recognise

READ = 5  # passages that are looked at to say how well a question is supported


def followed(
    question: str, turns: Sequence[Turn], *, embedder: Embedder, store: VectorStore, where: Filter | None = None
) -> Condensed | None:
    """The question joined with the one before it; None where it stands by itself.

    It stands by itself unless the documents support it better together with the one before, or its words say so: a
    question about something else finds nothing where it is held together with what came before.

    Args:
        turns: Oldest first; the last one's query holds what those before it were about.
    """
    if not turns or not question.strip() or len(question) > LONGEST or recognise(question):
        return None
    condensed = condense(question, turns[-1].query)
    if recognise(condensed.query):
        return condensed

    def supported(text: str) -> float:
        retrieved = retrieve(text, embedder=embedder, store=store, k=READ, where=where, once=True)
        return logit(signals(retrieved, select(retrieved, embedder=embedder, question=text, k=1), text))

    gained = supported(condensed.searched) - supported(question)
    return condensed if gained + leaning(question) > 0 else None
