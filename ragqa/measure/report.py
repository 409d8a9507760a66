"""Outcomes → figures with their intervals."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan

import numpy as np

from ragqa.measure import metrics
from ragqa.measure.checker import Judged
from ragqa.measure.evaluate import Outcome, Run
from ragqa.measure.falsehoods import KINDS
from ragqa.measure.metrics import Flags, Indices, Numbers
from ragqa.types import Answer, Sentence

BEST = 3  # sentences in which an answer is looked for where it ought not to be
COVERAGES = (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
LOSSES = {"refused_at_2%_lost": 0.02, "refused_at_5%_lost": 0.05}
_MARK = re.compile(r"\s?\[\d+\]")

Figures = dict[str, "Figure"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its 95 % interval over groups, if there is one, and what it was counted over."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Report:
    """How a run went.

    Attributes:
        figures: Section → measure → figure. A measure that has no value here is left out.
        risk_coverage: (share of questions answered, share of those answered wrongly), most support first.
        timing_ms: Stage → `median` and `p95`.
    """

    counts: Mapping[str, int]
    figures: Mapping[str, Figures]
    risk_coverage: Sequence[tuple[float, float]]
    timing_ms: Mapping[str, Mapping[str, float]]


def summarize(run: Run, *, seed: int, planted: Sequence[tuple[Outcome, Judged]] = ()) -> Report:
    """All figures of a run; the seed is the bootstrap's.

    Args:
        planted: Statements of known truth as the checker judged them, each with the outcome of its question.
    """
    outcomes = run.outcomes
    answerable = [outcome for outcome in outcomes if outcome.example.answerable]
    judged = _judged(outcomes)
    return Report(
        counts={
            "questions": len(outcomes) + len(run.unasked),
            "unasked": len(run.unasked),
            "answerable": len(answerable),
            "unanswerable": len(outcomes) - len(answerable),
            "held_out": sum(outcome.held_out is not None for outcome in outcomes),
        },
        figures={
            "retrieval": _retrieval(answerable, seed),
            "evidence": _evidence(answerable, seed),
            "answer": _answers(answerable, seed),
            "llama": _llama(outcomes, seed),
            "abstention": _abstention(judged, seed) | _elsewhere(outcomes, seed),
            "checker": _checker(planted, seed),
        },
        risk_coverage=metrics.risk_coverage(judged.support, judged.right, COVERAGES) if judged.mixed else (),
        timing_ms=_timing([outcome.answer for outcome in outcomes]),
    )


def shown(answer: Answer) -> str:
    """The answer as it is read, without its numbers in brackets; nothing where it was refused."""
    return "" if answer.status == "abstained" else _MARK.sub("", answer.text)


def shown_sentences(answer: Answer) -> tuple[Sentence, ...]:
    """The Llama's sentences that were shown as the answer."""
    return tuple(s for s in answer.written if s.verdict != "unsupported") if answer.status == "answered" else ()


def marked(answer: Answer) -> str | None:
    """The words marked in the first quote that has any marked."""
    for citation in answer.citations:
        if citation.evidence.span:
            return citation.evidence.quote[slice(*citation.evidence.span)]
    return None


def is_right(outcome: Outcome) -> bool:
    """Whether what was shown holds a gold answer; where none is known, whether it quotes a relevant document."""
    if outcome.example.answers:
        return metrics.contains(shown(outcome.answer), outcome.example.answers)
    return outcome.cites_relevant


def _retrieval(outcomes: Sequence[Outcome], seed: int) -> Figures:
    figures: Figures = {}
    for k in (1, 3, 5, 10):
        found = [metrics.recall(o.ranking, o.example.relevant, k) for o in outcomes]
        figures[f"recall@{k}"] = _mean(outcomes, found, seed)
    known = [o for o in outcomes if o.example.answers]
    figures["passage_found"] = _mean(known, [o.finds_answer for o in known], seed)
    ranks = [metrics.reciprocal_rank(o.ranking, o.example.relevant) for o in outcomes]
    gains = [metrics.ndcg(o.ranking, o.example.relevant) for o in outcomes]
    return _known(figures | {"mrr@10": _mean(outcomes, ranks, seed), "ndcg@10": _mean(outcomes, gains, seed)})


def _evidence(outcomes: Sequence[Outcome], seed: int) -> Figures:
    """evidence@n: a gold answer stands in the best n sentences, shown or not."""
    known = [outcome for outcome in outcomes if outcome.example.answers]
    return _known({f"evidence@{n}": _mean(known, [holds_answer(o, n) for o in known], seed) for n in (1, 2, 3)})


def holds_answer(outcome: Outcome, n: int) -> bool:
    """Whether a gold answer stands in the best `n` sentences of the evidence."""
    return metrics.contains(_best_quotes(outcome.answer, n), outcome.example.answers)


def _answers(outcomes: Sequence[Outcome], seed: int) -> Figures:
    """How the answerable questions were answered; one that was refused shows no answer and quotes no document."""
    known = [outcome for outcome in outcomes if outcome.example.answers]
    given = [outcome for outcome in known if outcome.answer.status != "abstained"]
    spans = [(outcome, span) for outcome in given if (span := marked(outcome.answer)) is not None]
    spanned = [outcome for outcome, _span in spans]
    words = np.array([metrics.count_words(shown(outcome.answer)) for outcome in given], np.float64)
    return _known(
        {
            "refused": _mean(outcomes, [outcome.answer.status == "abstained" for outcome in outcomes], seed),
            "document_quoted": _mean(outcomes, [outcome.cites_relevant for outcome in outcomes], seed),
            "contains": _mean(known, [is_right(outcome) for outcome in known], seed),
            "words": _figure(given, lambda drawn: float(np.median(words[drawn])), seed),
            "span_marked": _mean(given, [marked(outcome.answer) is not None for outcome in given], seed),
            "span_exact": _mean(spanned, [metrics.exact_match(s, o.example.answers) for o, s in spans], seed),
            "span_f1": _mean(spanned, [metrics.token_f1(s, o.example.answers) for o, s in spans], seed),
        }
    )


def _llama(outcomes: Sequence[Outcome], seed: int) -> Figures:
    """How much of what the Llama wrote was shown; whether it is true, a person has to read."""
    asked = [o for o in outcomes if o.answer.models.get("generate") and o.answer.status != "abstained"]
    answered = [o for o in asked if o.answer.status == "answered"]
    known = [o for o in answered if o.example.answers or not o.example.answerable]
    written = [(o, sentence in shown_sentences(o.answer)) for o in asked for sentence in o.answer.written]
    said = [(o, sentence.verdict == "verbatim") for o in answered for sentence in shown_sentences(o.answer)]
    return _known(
        {
            "answered": _mean(asked, [o.answer.status == "answered" for o in asked], seed),
            "sentences_shown": _mean([o for o, _ in written], [is_shown for _, is_shown in written], seed),
            "shown_verbatim": _mean([o for o, _ in said], [verbatim for _, verbatim in said], seed),
            "answered_contains": _mean(known, [is_right(o) for o in known], seed),
        }
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """Every question that was asked of an index that does or does not answer it, held-out ones a second time."""

    outcomes: Sequence[Outcome]
    support: Numbers
    refused: Flags
    answerable: Flags
    right: Flags

    @property
    def mixed(self) -> bool:
        return bool(self.answerable.any() and not self.answerable.all())


def _judged(outcomes: Sequence[Outcome]) -> _Judged:
    asked = [(o, o.answer, o.example.answerable) for o in outcomes]
    asked += [(o, o.held_out, False) for o in outcomes if o.held_out]
    return _Judged(
        [outcome for outcome, _answer, _answerable in asked],
        np.array([answer.support for _, answer, _ in asked], np.float64),
        np.array([answer.status == "abstained" for _, answer, _ in asked], np.bool_),
        np.array([answerable for _, _, answerable in asked], np.bool_),
        np.array([answerable and is_right(o) for o, _, answerable in asked], np.bool_),
    )


def _abstention(judged: _Judged, seed: int) -> Figures:
    """Refusing, by the threshold that users have and by others; nothing unless questions of both kinds were asked."""
    support, refused, answerable = judged.support, judged.refused, judged.answerable
    if not judged.mixed:
        return {}
    measures: dict[str, Callable[[Indices], float]] = {
        "precision": lambda i: metrics.refusal_precision(refused[i], answerable[i]),
        "recall": lambda i: metrics.refusal_recall(refused[i], answerable[i]),
        "balanced_accuracy": lambda i: metrics.balanced_accuracy(refused[i], answerable[i]),
        "best_balanced_accuracy": lambda i: metrics.best_balanced_accuracy(support[i], answerable[i]),
        "auroc": lambda i: metrics.auroc(support[i], answerable[i]),
    }
    for name, loss in LOSSES.items():
        measures[name] = partial(_refused_at_loss, judged, loss)
    return _known({name: _figure(judged.outcomes, measure, seed) for name, measure in measures.items()})


def _elsewhere(outcomes: Sequence[Outcome], seed: int) -> Figures:
    """How often the best sentences hold a gold answer though the relevant documents are out: no fault to answer."""
    tried = [(o, o.held_out) for o in outcomes if o.held_out and o.example.answers]
    found = [metrics.contains(_best_quotes(answer, BEST), o.example.answers) for o, answer in tried]
    return _known({"answer_elsewhere": _mean([o for o, _ in tried], found, seed)})


def _checker(planted: Sequence[tuple[Outcome, Judged]], seed: int) -> Figures:
    """Of the true statements those that were taken for false, and of each kind of falsehood those that were caught."""
    figures: Figures = {}
    for kind in KINDS:
        own = [(outcome, one.unsupported) for outcome, one in planted if one.statement.kind == kind]
        name = "false_alarms" if kind == "true" else f"caught_{kind}"
        figures[name] = _mean([outcome for outcome, _caught in own], [caught for _outcome, caught in own], seed)
    return _known(figures)


def _best_quotes(answer: Answer, n: int) -> str:
    return " ".join(one.quote for one in answer.evidence[:n])


def _refused_at_loss(judged: _Judged, loss: float, drawn: Indices) -> float:
    return metrics.refused_at_loss(judged.support[drawn], judged.answerable[drawn], loss)


def _timing(answers: Sequence[Answer]) -> dict[str, dict[str, float]]:
    stages = [stage for answer in answers for stage in answer.timing_ms if stage != "total"]
    timing = {}
    for stage in dict.fromkeys([*stages, "total"]):
        ms = [answer.timing_ms[stage] for answer in answers if stage in answer.timing_ms]
        if ms:
            median, p95 = np.percentile(ms, [50, 95])
            timing[stage] = {"median": round(float(median), 1), "p95": round(float(p95), 1)}
    return timing


def _mean(outcomes: Sequence[Outcome], values: Sequence[float], seed: int) -> Figure:
    numbers = np.array(values, np.float64)
    return _figure(outcomes, lambda drawn: metrics.mean(numbers[drawn]), seed)


def _figure(outcomes: Sequence[Outcome], statistic: Callable[[Indices], float], seed: int) -> Figure:
    if not outcomes:
        return Figure(float("nan"), None, None, 0)
    low, high = metrics.bootstrap_interval([o.example.group for o in outcomes], statistic, seed) or (None, None)
    return Figure(statistic(np.arange(len(outcomes))), low, high, len(outcomes))


def _known(figures: Figures) -> Figures:
    return {name: figure for name, figure in figures.items() if not isnan(figure.value)}
