"""How well the documents support an answer at all: what decides between answering and saying that they do not."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from math import tanh

import numpy as np

from ragqa.embed import Embedder
from ragqa.evidence import asked_words
from ragqa.interaction import similarities
from ragqa.retrieve import RERANKED, Retrieved
from ragqa.store import VectorStore
from ragqa.terms import STOP_WORDS, WORD, coverage, rarities, terms
from ragqa.types import Calibration, Evidence

# A logistic regression over `signals`; `scripts/fit` fits it anew and prints it.
WEIGHTS: Mapping[str, float] = {
    "bias": -23.56,
    "matched": 10.19,
    "least_matched": 4.56,
    "cosine": 19.58,
    "stands_out": 0.85,
    "lexical_agreement": 1.43,
    "missing_names": -1.01,
}
FITTED = f"{zlib.crc32(repr(sorted(WEIGHTS.items())).encode()):08x}"
"""Which weights these are: a calibration of others is of no use with them."""

# The same for a question that was joined with what it follows on, whose words are mostly there anyway: over the logit
# of all of it, and how near the passage comes to what is asked now (`asked_near`). Fitted on fifty conversations of two
# turns, with and without the documents that answer the second, and with second questions that nothing answers;
# `scripts/fit-following` does it and prints them.
FOLLOWING: Mapping[str, float] = {"bias": -2.93, "logit": 0.77, "asked_near": 8.2}

QUOTED = 4  # sentences in whose passages a name may stand

UNRELATED = 0.28  # MaxSim of a passage that has nothing to do with the question; it stands in where there are too few
_STEADY = 0.01  # keeps a field of equals from being divided by nothing
_NAME = re.compile(r"[A-ZÀ-ÖØ-Þ0-9]")


def signals(retrieved: Retrieved, evidence: Sequence[Evidence], question: str) -> dict[str, float]:
    """What support is judged from; all 0 when nothing was found.

    - `matched`: the share of the question's words in the passage of the best sentence · that sentence's MaxSim: the
      words alone are often there without the answer, and so is the likeness;
    - `least_matched`: how near the best sentence comes to the word of the question that it misses most;
    - `cosine`: of the nearest passage;
    - `stands_out`: by how many standard deviations the best passage's MaxSim lies above that of the next nine;
    - `lexical_agreement`: the best passage's BM25 over that of the passage with the best;
    - `missing_names`: the share of the question's names and numbers that the passage does not hold.
    """
    if not retrieved.hits or not evidence:
        return dict.fromkeys(WEIGHTS, 0.0)
    best, passage = retrieved.hits[0], evidence[0].hit.passage
    present = terms(" ".join([*passage.heading, passage.text]))
    rarity = rarities(retrieved.words, retrieved.frequencies, retrieved.passages)
    return {
        "bias": 1.0,
        "matched": coverage(present, rarity) * evidence[0].scores["max_sim"],
        "least_matched": evidence[0].scores["least_matched"],
        "cosine": max(hit.scores["dense"] for hit in retrieved.hits),
        "stands_out": _stands_out(retrieved.field),
        "lexical_agreement": best.scores["lexical"] / max(retrieved.best_lexical, 1.0),
        "missing_names": _missing_names(question, present),
    }


def asked_near(
    question: str, evidence: Sequence[Evidence], *, embedder: Embedder, store: VectorStore
) -> dict[str, float]:
    """How near the best sentence's passage comes to the words of a question itself, where it has any of its own.

    Without what it follows on: "and Kubernetes?" is not answered by what answered the question before.
    """
    words = asked_words(question, embedder)
    if not (evidence and words):
        return {}
    passage = evidence[0].hit.passage
    _vector, tokens = embedder.query_tokens(question)
    (signs,) = store.signs([passage])
    best = similarities(tokens, signs, store.centre).max(axis=1, initial=0.0)
    near = [float(best[rows].mean()) for rows in words if len(rows) and rows[-1] < len(best)]
    # A name is there or it is not: what is like it is something else.
    read = {one.hit.passage.id: one.hit.passage for one in evidence[:QUOTED]}.values()
    present = terms(" ".join(word for one in read for word in (*one.heading, one.text)))
    missing = _missing_names(question[:1].lower() + question[1:], present)
    return {"asked_near": (1 - missing) * sum(near) / len(near)} if near else {}


def support(found: Mapping[str, float], calibration: Calibration | None = None) -> float:
    """How likely it is that the documents answer: 0 to 1, from a logistic regression over `signals`.

    Of the questions with this support, so many are answered, where as many can be answered as cannot.

    Args:
        calibration: The index's own; passed over when it was measured with other weights.
    """
    if not found.get("bias"):
        return 0.0
    judged = logit(found)
    if calibration and calibration.weights == FITTED:
        judged = calibration.slope * judged + calibration.shift
    if "asked_near" in found:
        near = FOLLOWING["asked_near"] * found["asked_near"]
        judged = FOLLOWING["bias"] + FOLLOWING["logit"] * judged + near
    return (1 + tanh(judged / 2)) / 2  # the logistic function, in a form that no logit overflows


def logit(found: Mapping[str, float]) -> float:
    """What the signals say together, before any calibration: above 0 is an answer more likely than not."""
    return sum(weight * found[name] for name, weight in WEIGHTS.items())


def _stands_out(field: Sequence[float]) -> float:
    if not field:
        return 0.0
    others = np.array([*field[1:], *[UNRELATED] * (RERANKED - len(field))])
    return float((field[0] - others.mean()) / (others.std() + _STEADY))


def _missing_names(question: str, present: set[str]) -> float:
    names = [word for word in WORD.findall(question) if _NAME.match(word) and word.lower() not in STOP_WORDS]
    return sum(not terms(name) <= present for name in names) / len(names) if names else 0.0
