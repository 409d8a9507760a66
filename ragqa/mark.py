"""Evidence → evidence with its short answer marked: the few words of one quoted sentence that answer best.

`span` weighs all runs of words. A small Llama, where one is at hand, weighs the best few of them once more: by how
likely it would write each as the answer, and how likely it would without knowing what is asked. It writes nothing
itself, so what is marked stands in the documents. `scripts/fit-span` fits the weights anew and prints them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import isfinite, log

import numpy as np

from ragqa.embed import Embedder
from ragqa.evidence import without_targets
from ragqa.generate import Generator
from ragqa.retrieve import Retrieved
from ragqa.span import read_all, score
from ragqa.types import Evidence, Piece
from ragqa.write import excerpt

LOOKED_AT = 2  # sentences; the answer is in one of the best two more often than in the best by 13 points of a hundred
MIN_SHARE = 0.02  # how likely the best run must be; below this nothing stands out
WEIGHED_AGAIN = 12  # runs; eight were a little worse
LONGEST = 120  # characters of a run; what is longer is hardly a short answer, and slow to weigh
READABLE = 400  # tokens of sentences that the Llama is given to weigh runs by; more would take it seconds

# Another conditional logit. The likelihoods have weights against each other: what would be written anyway says little.
WEIGHTS = {"logit": 0.55, "asked": 0.48, "unasked": -0.28, "log_length": 0.73}

_EXAMPLES = """\
Text: The lighthouse at Sker Point was built in 1868 by Hugh Lanning, and its lamp burned whale oil.
Question: Who built the lighthouse at Sker Point?
Answer: Hugh Lanning

Text: Boil the roots for about 40 minutes, because raw ones are poisonous.
Question: Why must the roots be boiled?
Answer: raw ones are poisonous

Text: From 1911 on, the ferry carried up to 230 passengers to the island.
Question: How many passengers could the ferry carry?
Answer: 230
"""
_ANYTHING = "What is this about?"


@dataclass(frozen=True, slots=True)
class Run:
    """A run of words that could be the answer.

    Attributes:
        place: Of its sentence among the evidence.
        bounds: Where it begins and ends in that sentence.
        logit: Of being the answer, by `span`.
    """

    place: int
    bounds: tuple[int, int]
    text: str
    logit: float


def mark(
    question: str,
    evidence: Sequence[Evidence],
    *,
    retrieved: Retrieved,
    embedder: Embedder,
    generator: Generator | None = None,
    quotes: int = LOOKED_AT,
) -> list[Evidence]:
    """The same evidence, one of the first sentences with its `span` set, or none where nothing stands out.

    Args:
        generator: A small Llama; a large one would take too long over it.
        quotes: How many sentences will be shown; the others are not marked.
    """
    shown = evidence[: min(quotes, LOOKED_AT)]
    found = runs(question, shown, retrieved, embedder)
    if not found:
        return list(evidence)
    best = found[0]
    if generator:
        logits = weigh(question, shown, found, generator)
        best = found[int(np.argmax(logits))]
    return [replace(one, span=best.bounds) if n == best.place else one for n, one in enumerate(evidence)]


def runs(question: str, evidence: Sequence[Evidence], retrieved: Retrieved, embedder: Embedder) -> list[Run]:
    """The runs that most likely answer, best first; none where nothing stands out.

    None is long or holds a link's target: the Llama is not given those.
    """
    read = [(place, words, score(found)) for place, words, found in read_all(question, evidence, retrieved, embedder)]
    logits = np.concatenate([np.zeros(0), *(own for _place, _words, own in read)])
    if not len(logits) or np.exp(logits.max() - np.logaddexp.reduce(logits)) < MIN_SHARE:
        return []
    every = [(place, words, n) for place, words, own in read for n in range(len(own))]
    ranked = ((*every[at], float(logits[at])) for at in np.argsort(-logits, kind="stable"))
    found = (
        Run(place, words.bounds(n), words.text[slice(*words.bounds(n))], logit) for place, words, n, logit in ranked
    )
    said = {place: without_targets(words.text) for place, words, _own in read}
    return list(islice((run for run in found if _can_be_read(run.text, said[run.place])), WEIGHED_AGAIN))


def _can_be_read(text: str, said: str) -> bool:
    """Whether a run stands in what the Llama is given of its sentence."""
    return len(text) <= LONGEST and "](" not in text and text in said


def weigh(question: str, evidence: Sequence[Evidence], found: Sequence[Run], generator: Generator) -> list[float]:
    """The logit of each run, with what the Llama says; without it where the sentences are too long for it to read."""
    columns = likelihoods(question, evidence, [run.text for run in found], generator)
    if columns is None:
        return [run.logit for run in found]
    return [
        sum(WEIGHTS[name] * value for name, value in features(run.logit, run.text, asked, unasked).items())
        for run, asked, unasked in zip(found, *columns, strict=True)
    ]


def features(logit: float, text: str, asked: float, unasked: float) -> dict[str, float]:
    """What a run is weighed by: its logit so far, both its log-likelihoods in nats, its length."""
    return {"logit": logit, "asked": asked, "unasked": unasked, "log_length": log(len(text))}


def likelihoods(
    question: str, evidence: Sequence[Evidence], texts: Sequence[str], generator: Generator
) -> tuple[list[float], list[float]] | None:
    """How likely each text is the answer to the question, and to one that asks for nothing in particular."""
    said = " ".join(excerpt(evidence).passage.text.split())
    if generator.count_tokens(Piece(said)) + generator.count_tokens(Piece(question)) > READABLE:
        return None
    lines = [" ".join(text.split()) for text in texts]
    prompts = [f" {said}\nQuestion: {asked}\nAnswer:" for asked in (question, _ANYTHING)]
    both = [generator.log_likelihoods(prompt, lines, head=f"{_EXAMPLES}\nText:") for prompt in prompts]
    generator.forget()
    return (both[0], both[1]) if all(map(isfinite, [*both[0], *both[1]])) else None
