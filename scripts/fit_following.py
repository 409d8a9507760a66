"""Fits `ragqa.support.FOLLOWING` anew: how far a question that was joined with what it follows on is supported.

Each question with some `before` it is asked of its documents, then without those that answer it, and in its place
lines are asked that nothing answers. A logistic regression tells the first from the others by the logit of the joined
question and by how near the passage comes to the question's own words.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from ragqa.answer import CONSIDERED
from ragqa.cli.open import open_for_indexing
from ragqa.cli.options import settle
from ragqa.condense import condense
from ragqa.embed import Embedder
from ragqa.evidence import select
from ragqa.index import update_index
from ragqa.index.run import Run
from ragqa.index.summary import Summary
from ragqa.measure.datasets import Dataset, load_dataset
from ragqa.measure.layout import keep_only, lay_out
from ragqa.retrieve import retrieve
from ragqa.store import HidingStore
from ragqa.support import FOLLOWING, asked_near, logit, signals

PASSAGES = 5
WRONG = 1.5  # what an answer to a question that nothing answers costs, against a refusal of one that is answered
# Asked after everything, answered by nothing; a third of them after each question.
UNANSWERED = (
    "and in Haskell?",
    "and Kubernetes?",
    "and for cats?",
    "What about PostgreSQL?",
    "And the price of eggs?",
    "What about Windows 95?",
    "What about the Eiffel Tower?",
    "in French please",
    "you are wrong",
    "and the weather?",
    "who painted it?",
    "how do I cook it?",
    "What about Docker?",
    "and in 1850?",
)


class Row(NamedTuple):
    """What is known of one question."""

    logit: float
    near: float
    answered: bool
    kind: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fitted", type=Path, help="conversations.jsonl beside its documents")
    parser.add_argument("judged", type=Path, nargs="*", help="others, which are not fitted on")
    arguments = parser.parse_args()
    sets = {path: list(rows(load_dataset(path))) for path in (arguments.fitted, *arguments.judged)}
    weights = fit(sets[arguments.fitted])
    for path, found in sets.items():
        print(path)
        for name, one in (("as shipped", FOLLOWING), ("fitted anew", weights)):
            print(f"  {name}: " + ", ".join(f"{kind} answered {share:.2f}" for kind, share in shares(found, one)))
    print(json.dumps(weights, indent=2))


def rows(dataset: Dataset) -> Iterator[Row]:
    """Every question that has words of its own and was joined with the one before it."""
    with tempfile.TemporaryDirectory() as scratch:
        settings = settle(db=Path(scratch) / "index.db")
        store, embedder = open_for_indexing(settings, print)
        folder = Path(scratch) / "documents"
        places = lay_out(dataset.documents, folder)
        summary = Summary()
        run = Run(max_file_size=settings.max_file_size)
        update_index([folder.resolve()], store=store, embedder=embedder, summary=summary, run=run)
        ids = {name: id for id, name in keep_only(store, places, []).items()}
        for n, example in enumerate(one for one in dataset.examples if one.before):
            before = example.before[-1]
            yield from row(example.question, before, "answerable", store, embedder)
            with store.without([ids[name] for name in example.relevant]):
                yield from row(example.question, before, "held out", store, embedder)
            for line in UNANSWERED[n % 3 :: 3]:
                yield from row(line, before, "unanswered", store, embedder)
        store.close()


def row(question: str, before: str, kind: str, store: HidingStore, embedder: Embedder) -> Iterator[Row]:
    joined = condense(question, before)
    retrieved = retrieve(joined.searched, embedder=embedder, store=store, k=PASSAGES, once=True)
    evidence = select(retrieved, embedder=embedder, question=joined.searched, k=CONSIDERED)
    near = asked_near(question, evidence, embedder=embedder, store=store)
    if near:
        judged = logit(signals(retrieved, evidence, joined.searched))
        yield Row(judged, near["asked_near"], kind == "answerable", kind)


def fit(found: Sequence[Row]) -> dict[str, float]:
    answered = np.array([one.answered for one in found])
    weigh = np.where(answered, 1 / answered.sum(), WRONG / (~answered).sum()) * len(answered)
    model = LogisticRegression(C=10).fit([(one.logit, one.near) for one in found], answered, sample_weight=weigh)
    ((of_logit, of_near),) = model.coef_
    return {"bias": round(model.intercept_[0], 2), "logit": round(of_logit, 2), "asked_near": round(of_near, 2)}


def shares(found: Sequence[Row], weights: dict[str, float]) -> Iterator[tuple[str, float]]:
    """Of each kind, the share that would be answered."""
    for kind in dict.fromkeys(one.kind for one in found):
        judged = [
            weights["bias"] + weights["logit"] * one.logit + weights["asked_near"] * one.near > 0
            for one in found
            if one.kind == kind
        ]
        yield kind, sum(judged) / len(judged)


if __name__ == "__main__":
    main()
