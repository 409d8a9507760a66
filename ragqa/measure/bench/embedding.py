"""Texts through the embedder: how many a second, and how near that comes to what the processor can multiply."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ragqa.embed import Embedder
from ragqa.embed.cost import Cost
from ragqa.measure.bench import Measurement, Progress, in_turn
from ragqa.measure.bench.limits import GIGA, Gauges

LIMIT = "at the product peaks"


@dataclass(frozen=True, slots=True)
class Peaks:
    """What the machine multiplied in one round: thousand million operations a second."""

    int8: float
    float32: float


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts that are embedded together, and the tokens of each as the embedder reads it."""

    texts: Sequence[str]
    lengths: Sequence[int]

    @property
    def tokens(self) -> int:
        return sum(self.lengths)


def counted(texts: Sequence[str], embedder: Embedder) -> Texts:
    """Texts with their tokens; what is past the embedder's limit is not read and not counted."""
    return Texts(texts, [min(embedder.count_tokens(text), embedder.max_tokens) for text in texts])


def of_length(text: str, tokens: int, count: int, embedder: Embedder) -> Texts:
    """`count` different texts of just about `tokens` tokens each, cut from a long one; a short one is repeated."""
    own = max(1, tokens - embedder.count_tokens(""))
    found = max(1, len(embedder.token_spans(text)))
    text = "\n".join([text] * -(-(own + count) // found))
    spans = embedder.token_spans(text)
    step = max(1, (len(spans) - own) // max(1, count))
    pieces = [text[spans[at][0] : spans[min(at + own, len(spans)) - 1][1]] for at in range(0, step * count, step)]
    return counted(pieces, embedder)


def seconds_at(peaks: Peaks, cost: Cost, lengths: Sequence[int]) -> float:
    """What texts of so many tokens would take at the peaks: weights are multiplied in 8 bits, attention in float32."""
    int8, float32 = cost.of_weights(lengths), cost.of_attention(lengths)
    return int8 / (peaks.int8 * GIGA) + float32 / (peaks.float32 * GIGA)


def measure_embedding(
    embedder: Embedder,
    cost: Cost,
    passages: Texts,
    by_length: Mapping[int, Texts],
    question: str,
    gauges: Gauges,
    rounds: int,
    progress: Progress,
) -> list[Measurement]:
    """The rows `embed`.

    Args:
        passages: Real ones, as they are indexed.
        by_length: Texts of one length, by their tokens.
    """
    embedder.embed_passages(passages.texts[:8])
    timed = {"passages": partial(_seconds, embedder, passages)}
    timed |= {str(tokens): partial(_seconds, embedder, texts) for tokens, texts in by_length.items()}
    one: dict[str, Callable[[], float]] = {"question": partial(_once, lambda: embedder.embed_query(question))}
    limits: dict[str, Callable[[], float]] = {"int8": gauges.int8, "float32": gauges.float32}
    samples = in_turn(limits | timed | one, rounds, progress)
    peaks = [Peaks(*pair) for pair in zip(samples["int8"], samples["float32"], strict=True)]
    rows = passage_rows(passages, samples["passages"], cost, peaks)
    for tokens, texts in by_length.items():
        row = _rate("texts of equal length", "tokens/s", texts.tokens, texts, samples[str(tokens)], cost, peaks)
        rows.append(replace(row, at=(tokens, "tokens")))
    lengths = counted([question], embedder).lengths
    least = [seconds_at(peak, cost, lengths) * 1000 for peak in peaks]
    return [*rows, Measurement("one question", "ms", [second * 1000 for second in samples["question"]], LIMIT, least)]


def passage_rows(passages: Texts, seconds: Sequence[float], cost: Cost, peaks: Sequence[Peaks]) -> list[Measurement]:
    """Passages and tokens a second beside what they would be at the peaks, and the operations in them."""
    work = (cost.of_weights(passages.lengths) + cost.of_attention(passages.lengths)) / GIGA
    return [
        _rate("passages", "passages/s", len(passages.texts), passages, seconds, cost, peaks),
        _rate("passages", "tokens/s", passages.tokens, passages, seconds, cost, peaks),
        Measurement(
            "passages",
            "GOP/s",
            [work / second for second in seconds],
            "product of 8-bit matrices",
            [peak.int8 for peak in peaks],
        ),
    ]


def _rate(
    name: str, unit: str, amount: int, texts: Texts, seconds: Sequence[float], cost: Cost, peaks: Sequence[Peaks]
) -> Measurement:
    limits = [amount / seconds_at(peak, cost, texts.lengths) for peak in peaks]
    return Measurement(name, unit, [amount / second for second in seconds], LIMIT, limits)


def _seconds(embedder: Embedder, texts: Texts) -> float:
    """Of embedding as an index wants it: the vectors of passages and of their tokens."""
    return _once(lambda: embedder.passage_tokens(texts.texts))


def _once(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
