"""Does support mean in this index what it meant where it was fitted? Drawn questions tell, and can correct it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ragqa.draw import Drawn, draw
from ragqa.embed import Embedder
from ragqa.evidence import select
from ragqa.retrieve import retrieve
from ragqa.store import HidingStore
from ragqa.support import FITTED, logit, signals
from ragqa.types import Calibration, Evidence

QUESTIONS = 40
PASSAGES = 20  # an index of fewer says too little about itself
LONGEST = 200  # passages of a document that is asked about: hiding a longer one takes too long
CHANGED = 0.2  # share of the passages that have come or gone before it is measured again
SEED = 0
READ = 3  # sentences in which the answer to a question may stand though its document is hidden

# Drawn questions lie so much of the way from unanswerable ones to answerable ones further up than people's do.
EASE = 0.3
PRIOR = 10.0  # questions that agree with the weights as they are, added to those that were drawn
EVIDENCE = 10.0  # nats by which drawn questions have to speak against the weights before anything is changed
_AGREEING = np.linspace(-6, 6, 25)

Numbers = NDArray[np.float64]


class CalibratedStore(HidingStore, Protocol):
    """A store that remembers its calibration."""

    def calibrate(self, calibration: Calibration) -> None: ...


def is_due(store: HidingStore) -> bool:
    """Whether the index is large enough and has changed enough since it was calibrated, if it ever was."""
    passages, last = _passages(store), store.calibration
    known = last.passages and last.weights == FITTED
    return passages >= PASSAGES and (not known or abs(passages - last.passages) > CHANGED * last.passages)


def calibrate(
    store: CalibratedStore,
    *,
    embedder: Embedder,
    k: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Calibration:
    """Ask drawn questions with and without their documents, and keep what they say of the support's logits.

    Stopping it at any moment leaves the index and its last calibration as they were.

    Args:
        k: Passages that are retrieved for an answer.
        progress: Told (questions done, questions in all).
    """
    short = [id for id, record in store.known().items() if record.passages <= LONGEST]
    drawn = draw(short, store.passages_of, QUESTIONS, SEED, headings=False)
    answered: list[float] = []
    hidden: list[float] = []
    for done, one in enumerate(drawn):
        progress(done, len(drawn))
        _ask(one, store, embedder, k, answered, hidden)
    progress(len(drawn), len(drawn))
    slope, shift = fit(answered, hidden)
    found = Calibration(round(slope, 4), round(shift, 4), FITTED, _passages(store), len(drawn))
    store.calibrate(found)
    return found


def _passages(store: HidingStore) -> int:
    return sum(record.passages for record in store.known().values())


def _ask(
    drawn: Drawn, store: HidingStore, embedder: Embedder, k: int, answered: list[float], hidden: list[float]
) -> None:
    """Add the logit with the document and the one without, unless the answer also stands elsewhere."""

    def judge() -> tuple[float, Sequence[Evidence]]:
        found = retrieve(drawn.question, embedder=embedder, store=store, k=k, once=True)
        evidence = select(found, embedder=embedder, question=drawn.question, k=READ)
        return logit(signals(found, evidence, drawn.question)), evidence

    if embedder.count_tokens(drawn.question) > embedder.max_tokens:
        return
    value, evidence = judge()
    if evidence:
        answered.append(value)
    with store.without([drawn.document_id]):
        value, evidence = judge()
    answer = drawn.answer.casefold()
    if evidence and not any(answer in one.quote.casefold() for one in evidence):
        hidden.append(value)


def fit(answered: Sequence[float], hidden: Sequence[float]) -> tuple[float, float]:
    """Slope and shift by which logits become true; (1, 0) unless the questions clearly speak against them.

    A few dozen questions say little, and where the weights fit, every change that they suggested did harm as often
    as good. Where the weights do not fit at all, as with another embedder, they say it beyond doubt.

    Args:
        answered: Logits of drawn questions with their documents; brought down by what makes them easy.
        hidden: Logits of the same without them.

    Source: Platt 1999, with pseudo-observations as prior.
    """
    if not answered or not hidden:
        return 1.0, 0.0
    no = np.array(hidden)
    easy = np.array(answered)
    yes = easy - EASE * (easy.mean() - no.mean())
    logits, truth = np.concatenate([yes, no]), np.repeat([1.0, 0.0], [len(yes), len(no)])
    half = len(logits) / 2  # both kinds count the same
    weights = np.repeat([half / len(yes), half / len(no)], [len(yes), len(no)])
    found = _platt(
        np.concatenate([logits, _AGREEING]),
        np.concatenate([truth, 1 / (1 + np.exp(-_AGREEING))]),
        np.concatenate([weights, np.full(len(_AGREEING), PRIOR / len(_AGREEING))]),
    )
    gained = _loss(np.array([1.0, 0.0]), logits, truth, weights) - _loss(found, logits, truth, weights)
    return (float(found[0]), float(found[1])) if gained >= EVIDENCE and found[0] > 0 else (1.0, 0.0)


def _platt(logits: Numbers, truth: Numbers, weights: Numbers) -> Numbers:
    """(slope, shift) of least log loss: Newton's steps, each halved until it goes down."""
    rows = np.stack([logits, np.ones_like(logits)], axis=1)
    found = np.array([1.0, 0.0])
    for _ in range(30):
        likely = (1 + np.tanh(rows @ found / 2)) / 2
        curve = (rows * (weights * likely * (1 - likely))[:, None]).T @ rows + 1e-6 * np.eye(2)
        step = np.linalg.solve(curve, rows.T @ (weights * (likely - truth)))
        before = _loss(found, logits, truth, weights)
        while np.abs(step).max() > 1e-6 and _loss(found - step, logits, truth, weights) > before:
            step = step / 2
        found = found - step
    return found


def _loss(found: Numbers, logits: Numbers, truth: Numbers, weights: Numbers) -> float:
    """Log loss, nats."""
    values = found[0] * logits + found[1]
    return float((weights * (np.logaddexp(0, values) - truth * values)).sum())
