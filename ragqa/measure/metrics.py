"""Every measure, defined once. Pure functions: rankings, texts and numbers in, one number out."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

ROUNDS = 1000  # resamples of a bootstrap
# Scripts without spaces between words: ideographs, kana, and their extensions.
_UNSPACED = "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")


def recall(ranking: Sequence[str], relevant: Mapping[str, int], k: int) -> float:
    """Share of the relevant documents that are among the first `k`.

    Args:
        relevant: Document → grade, 1 or more; at least one document.
    """
    return len(set(ranking[:k]) & set(relevant)) / len(relevant)


def reciprocal_rank(ranking: Sequence[str], relevant: Mapping[str, int], k: int = 10) -> float:
    """1 / rank of the first relevant document; 0 when none is among the first `k`. Its mean is MRR@k."""
    return next((1 / rank for rank, document in enumerate(ranking[:k], start=1) if document in relevant), 0.0)


def ndcg(ranking: Sequence[str], relevant: Mapping[str, int], k: int = 10) -> float:
    """Gain of the first `k` over the best possible; a document gains its grade / log2(rank + 1).

    Source: Järvelin and Kekäläinen 2002, with linear gain as trec_eval has it.
    """
    ideal = _gain(sorted(relevant.values(), reverse=True)[:k])
    return _gain([relevant.get(document, 0) for document in ranking[:k]]) / ideal


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / log2(rank + 1) for rank, grade in enumerate(grades, start=1))


def answer_tokens(text: str) -> list[str]:
    """The words of an answer as they are compared: lower case, no punctuation, no English articles.

    Chinese and Japanese write no spaces, so each of their characters is a word. English text is treated exactly
    as SQuAD's script treats it, but for punctuation beyond ASCII, which goes too.

    Source: Rajpurkar et al. 2016 (SQuAD); Lewis et al. 2020 (MLQA) for other scripts.
    """
    bare = "".join(character for character in text.lower() if not _is_punctuation(character))
    return _TOKEN.findall(_ARTICLE.sub(" ", bare))


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def exact_match(given: str, gold: Sequence[str]) -> float:
    """1 when the answer has the words of one of the gold answers in their order, else 0."""
    tokens = answer_tokens(given)
    return float(any(tokens == answer_tokens(one) for one in gold))


def token_f1(given: str, gold: Sequence[str]) -> float:
    """Harmonic mean of precision and recall of the answer's words, for the gold answer where it is highest."""
    return max((_f1(answer_tokens(given), answer_tokens(one)) for one in gold), default=0.0)


def _f1(given: Sequence[str], gold: Sequence[str]) -> float:
    if not given or not gold:
        return float(given == gold)
    shared = sum((Counter(given) & Counter(gold)).values())
    return 2 * shared / (len(given) + len(gold))


def contains(text: str, gold: Sequence[str]) -> bool:
    """Whether one of the gold answers stands in `text`, whatever the case and the white space."""
    inside = _plain(text)
    return any(plain in inside for plain in map(_plain, gold) if plain)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def count_words(text: str) -> int:
    """Words of a text; each character of a script without spaces is one."""
    return len(_TOKEN.findall(text))


def auroc(support: Numbers, answerable: Flags) -> float:
    """How often an answerable question has more support than an unanswerable one; a tie counts half.

    NaN when there are none of one kind.
    """
    unanswerable = np.sort(support[~answerable])
    kept = support[answerable]
    if not len(kept) or not len(unanswerable):
        return float("nan")
    below = np.searchsorted(unanswerable, kept, "left")
    not_above = np.searchsorted(unanswerable, kept, "right")
    return float((below + not_above).mean() / (2 * len(unanswerable)))


def balanced_accuracy(refused: Flags, answerable: Flags) -> float:
    """Mean of two shares: of the answerable, those answered; of the unanswerable, those refused. NaN without both."""
    return (mean(~refused[answerable]) + mean(refused[~answerable])) / 2


def best_balanced_accuracy(support: Numbers, answerable: Flags) -> float:
    """The highest balanced accuracy of any threshold; it is chosen on these very questions, so it flatters."""
    if answerable.all() or not answerable.any():
        return float("nan")
    thresholds = np.append(np.unique(support), np.inf)
    lost = np.searchsorted(np.sort(support[answerable]), thresholds) / answerable.sum()
    refused = np.searchsorted(np.sort(support[~answerable]), thresholds) / (~answerable).sum()
    return float(((1 - lost + refused) / 2).max())


def refusal_precision(refused: Flags, answerable: Flags) -> float:
    """Of the refused questions, the share that was unanswerable. NaN when none was refused."""
    return mean(~answerable[refused])


def refusal_recall(refused: Flags, answerable: Flags) -> float:
    """Of the unanswerable questions, the share that was refused. NaN when there are none."""
    return mean(refused[~answerable])


def refused_at_loss(support: Numbers, answerable: Flags, loss: float) -> float:
    """Share of the unanswerable that is refused by the highest threshold that loses at most `loss` of the answerable.

    A question is refused when its support is below the threshold, so equal supports stay or go together.
    """
    kept, unanswerable = np.sort(support[answerable]), support[~answerable]
    if not len(kept) or not len(unanswerable):
        return float("nan")
    threshold = kept[min(int(loss * len(kept) + 1e-9), len(kept) - 1)]
    return float((unanswerable < threshold).mean())


def risk_coverage(support: Numbers, right: Flags, coverages: Sequence[float]) -> list[tuple[float, float]]:
    """(coverage, risk) where the questions of most support are answered: risk is the share of them answered wrongly.

    Source: El-Yaniv and Wiener 2010.
    """
    order = np.argsort(-support, kind="stable")
    wrong = np.cumsum(~right[order])
    counts = [max(1, round(coverage * len(order))) for coverage in coverages] if len(order) else []
    return [(count / len(order), float(wrong[count - 1]) / count) for count in dict.fromkeys(counts)]


def mean(values: NDArray[Any]) -> float:
    """The mean, and NaN of nothing."""
    return float(values.mean()) if len(values) else float("nan")


def bootstrap_interval(
    groups: Sequence[str], statistic: Callable[[Indices], float], seed: int, rounds: int = ROUNDS
) -> tuple[float, float] | None:
    """95 % interval of a statistic: from its 2.5th to its 97.5th percentile when whole groups are drawn again.

    Questions about one document succeed and fail together; drawing single ones would make the interval too narrow.

    Args:
        groups: The group of each question.
        statistic: Takes the places of the questions that were drawn, each as often as it was.

    Returns:
        None when there are fewer than two groups, or when the statistic has no value.
    """
    _names, group_of, sizes = np.unique(np.array(list(groups)), return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        return None
    order = np.argsort(group_of, kind="stable")  # the members of each group beside each other
    starts = np.cumsum(sizes) - sizes
    random = np.random.default_rng(seed)

    def draw() -> Indices:
        drawn = random.integers(len(sizes), size=len(sizes))
        lengths = sizes[drawn]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return np.asarray(order[np.repeat(starts[drawn], lengths) + within])

    values = np.array([statistic(draw()) for _ in range(rounds)])
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
