"""Prompt and texts → how likely a Llama would write each of them next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ragqa.errors import ModelError
from ragqa.gguf import llama_cpp, prompt_tokens, tokenize
from ragqa.types import Matrix, Piece

if TYPE_CHECKING:
    from llama_cpp import Llama


def continuations(model: Llama, prompt: Piece, texts: Sequence[Piece]) -> list[float]:
    """ln p(text, then a line break | prompt) of each text, in nats; -inf where prompt and text overrun the context.

    What several texts begin with is read once, and what the last prompt began with is not read again.

    Raises:
        ModelError: llama.cpp failed.
    """
    read = prompt_tokens(model, [prompt])
    paths = [tuple(prompt_tokens(model, [prompt, text])[len(read) :]) for text in texts]
    if len(read) + max(map(len, paths), default=0) > model.n_ctx():
        return [float("-inf")] * len(texts)
    (line_break,) = tokenize(model, Piece("\n"))[-1:]
    first = _read(model, read)
    found: dict[tuple[int, ...], float] = {}
    for path in sorted(set(paths), key=len, reverse=True):
        if path not in found:
            found |= _along(path, np.concatenate([first, _continue(model, len(read), path)]), line_break)
    # What was decoded last is none of the model's tokens, so its next reader must decode the end anew.
    model.n_tokens = len(read) - 1
    return [found[path] for path in paths]


def _along(path: Sequence[int], logits: Matrix, line_break: int) -> dict[tuple[int, ...], float]:
    """Every beginning of a path → its log-likelihood with the line ended after it.

    Args:
        logits: (1 + tokens, vocabulary), after the prompt and after each token.
    """
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    written = np.concatenate([[0.0], np.cumsum(log_p[np.arange(len(path)), list(path)])])
    return {tuple(path[:n]): float(written[n] + log_p[n, line_break]) for n in range(len(path) + 1)}


def _read(model: Llama, tokens: Sequence[int]) -> Matrix:
    """Read a prompt, from where it differs from the last one; returns the logits after it, (1, vocabulary)."""
    known = model.input_ids[: min(model.n_tokens, len(tokens) - 1)]
    differs = np.nonzero(known != np.array(tokens[: len(known)]))[0]
    model.n_tokens = int(differs[0]) if len(differs) else len(known)
    model.eval(tokens[model.n_tokens :])
    return _logits(model, [-1])


def _continue(model: Llama, past: int, tokens: Sequence[int]) -> Matrix:
    """Read on after a prompt of `past` tokens; returns the logits after each token, (tokens, vocabulary)."""
    if not tokens:
        return np.zeros((0, model.n_vocab()), np.float32)
    library = llama_cpp()
    library.llama_memory_seq_rm(library.llama_get_memory(model.ctx), -1, past, -1)
    with _batch(tokens, past) as batch:
        if code := library.llama_decode(model.ctx, batch):
            raise ModelError(f"llama.cpp could not read on: llama_decode returned {code}", "run `ragqa models verify`")
        return _logits(model, range(len(tokens)))


@contextmanager
def _batch(tokens: Sequence[int], past: int) -> Iterator[Any]:
    """Tokens for llama.cpp, all of whose logits are wanted."""
    library = llama_cpp()
    batch = library.llama_batch_init(len(tokens), 0, 1)
    batch.n_tokens = len(tokens)
    for n, token in enumerate(tokens):
        batch.token[n], batch.pos[n], batch.logits[n] = token, past + n, True
        batch.n_seq_id[n], batch.seq_id[n][0] = 1, 0
    try:
        yield batch
    finally:
        library.llama_batch_free(batch)


def _logits(model: Llama, places: Sequence[int]) -> Matrix:
    library = llama_cpp()
    rows = [np.ctypeslib.as_array(library.llama_get_logits_ith(model.ctx, n), (model.n_vocab(),)) for n in places]
    return np.array(rows, np.float32)  # copied: llama.cpp writes over them
