"""Prompt and texts → how likely a Llama would write each of them next."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from ragqa.errors import ModelError
from ragqa.gguf import llama_cpp, prompt_tokens, tokenize
from ragqa.heads import Heads
from ragqa.types import Matrix, Piece

if TYPE_CHECKING:
    from llama_cpp import Llama

CONTEXT = 1024  # tokens of a prompt and the texts read with it; memory for them is taken at the first reading
ASKED = 48  # tokens read together whose logits are wanted: 200 kB each of the embedded Llama, twice
TOGETHER = 12  # texts; each has a sequence of its own in llama.cpp's memory

TokenPath = tuple[int, ...]
"""The tokens of a text and of the line break after it, or some of them from the first on."""


@dataclass(frozen=True, slots=True)
class Row:
    """A token for llama.cpp to read.

    Attributes:
        position: Tokens before it.
        sequences: The numbers of those that it belongs to.
        path: Where it ends in the texts; None within the prompt, of whose tokens only the last one's logits are wanted.
    """

    token: int
    position: int
    sequences: Sequence[int]
    path: TokenPath | None


class Likelihoods:
    """Reads texts after a prompt with a loaded model's weights, and leaves alone what the model itself has read.

    It has a llama.cpp context of its own. Sequence 0 of its memory is the last prompt, and each text that is read with
    it goes on in a sequence that shares the prompt's memory.

    Args:
        memory: The most tokens it may take memory for, `CONTEXT` at most being used.
        heads: What was read of the beginnings of prompts before.
    """

    def __init__(self, model: Llama, *, memory: int, heads: Heads | None = None) -> None:
        library = llama_cpp()
        self._model = model
        self._tokens = min(memory, CONTEXT)
        # As small as the model's own, so that Ctrl-C is heard, but llama.cpp aborts where there are more sequences.
        self._batch = max(model.n_batch, TOGETHER + 1)
        self._read: Sequence[int] = ()
        self._heads = heads
        # A recurrent model has one state, not a memory of each token that texts could share or that could be cut back.
        forgets = library.llama_model_is_recurrent(model.model) or library.llama_model_is_hybrid(model.model)
        self._context = None if forgets else library.llama_init_from_model(model.model, self._params())
        if self._context:
            # Before the weights: they are held by the model, and the model by this object, which goes after the call.
            weakref.finalize(self, library.llama_free, self._context)

    def _params(self) -> Any:
        """As the model's own context, but for its size and its sequences."""
        params = type(self._model.context_params).from_buffer_copy(self._model.context_params)
        params.n_ctx = max(self._tokens, self._batch)
        params.n_batch = params.n_ubatch = self._batch
        params.n_seq_max, params.kv_unified = TOGETHER + 1, True
        return params

    def of(self, prompt: Sequence[Piece], texts: Sequence[Piece], *, fixed: int = 0) -> list[float]:
        """ln p(text, then a line break | prompt) of each text, in nats; -inf where prompt and text overrun the context.

        What several texts begin with is read once, and what the last prompt began with is not read again. A recurrent
        model finds everything as unlikely as what does not fit.

        Args:
            fixed: So many pieces of the prompt are the same in others, which need not be asked by this process.

        Raises:
            ModelError: llama.cpp failed.
        """
        before = prompt_tokens(self._model, prompt)
        self._begin(prompt_tokens(self._model, prompt[:fixed]), before)
        line_break = tokenize(self._model, Piece("\n"))[-1]
        paths = [(*prompt_tokens(self._model, [*prompt, text])[len(before) :], line_break) for text in texts]
        found: dict[TokenPath, float] = {}
        for group in groups(paths, self._tokens - len(before)) if self._context else ():
            log_p = self._log_p(before, group)
            found |= {path: sum(log_p[path[:n]] for n in range(1, len(path) + 1)) for path in group}
        return [found.get(path, float("-inf")) for path in paths]

    def _begin(self, head: Sequence[int], before: Sequence[int]) -> None:
        """Have read a prompt's head, unless more of it was read already."""
        if not (self._context and self._heads and head) or self._read[: len(head)] == head:
            return
        if list(before[: len(head)]) != head or len(before) > self._tokens:
            return
        known = self._fork(head, 0)
        if known or not self._heads.restore(self._context, head):
            for at in range(known, len(head), self._batch):
                part = enumerate(head[at : at + self._batch], start=at)
                list(self._decode([Row(token, n, [0], None) for n, token in part]))
            self._heads.keep(self._context, head)
        self._read = head

    def rehearse(self, tokens: int) -> None:
        """Read so many tokens and forget them."""
        library = llama_cpp()
        if self._context:
            begin = library.llama_vocab_bos(library.llama_model_get_vocab(self._model.model))
            list(self._decode(rows([begin] * tokens, {(): []})))
            library.llama_memory_clear(library.llama_get_memory(self._context), False)
            self._read = ()

    def _log_p(self, before: Sequence[int], paths: Sequence[TokenPath]) -> dict[TokenPath, float]:
        """Every beginning of the paths → ln p of its last token, after the prompt and the others."""
        following: dict[TokenPath, set[int]] = defaultdict(set)
        for path in paths:
            for n, token in enumerate(path):
                following[path[:n]].add(token)
        shared = branches(paths)
        known = self._fork(before, len(shared[()]))
        unread = rows(before, shared)[known:]
        found: dict[TokenPath, float] = {}
        for some in portions(unread, self._batch):
            for path, logits in self._decode(some):
                total = logits.max() + np.log(np.exp(logits - logits.max()).sum())
                found |= {(*path, token): float(logits[token] - total) for token in following[path]}
        self._read = before
        return found

    def _fork(self, before: Sequence[int], sequences: int) -> int:
        """Keep of what was read only what this prompt begins with, for so many texts; returns how many tokens."""
        library = llama_cpp()
        memory = library.llama_get_memory(self._context)
        pairs = enumerate(zip(self._read, before[:-1], strict=False))  # the logits after the last token are wanted anew
        known = next((n for n, (one, other) in pairs if one != other), min(len(self._read), len(before) - 1))
        self._read = ()  # Ctrl-C may come before this prompt is read
        for sequence in range(1, TOGETHER + 1):
            library.llama_memory_seq_rm(memory, sequence, -1, -1)
        if not library.llama_memory_seq_rm(memory, 0, known, -1):
            library.llama_memory_clear(memory, False)
            known = 0
        for sequence in range(1, sequences + 1):
            library.llama_memory_seq_cp(memory, 0, sequence, -1, -1)
        return known

    def _decode(self, unread: Sequence[Row]) -> Iterator[tuple[TokenPath, Matrix]]:
        """Read a batch; each wanted path with the logits after it, (vocabulary,), until the next batch."""
        library = llama_cpp()
        with _batch(unread) as batch:
            code = library.llama_decode(self._context, batch)
        if code:
            raise ModelError(f"llama.cpp could not read on: llama_decode returned {code}", "run `ragqa models verify`")
        size = (self._model.n_vocab(),)
        for n, row in enumerate(unread):
            if row.path is not None:
                yield row.path, np.ctypeslib.as_array(library.llama_get_logits_ith(self._context, n), size)


def groups(paths: Sequence[TokenPath], room: int) -> Iterator[list[TokenPath]]:
    """Different paths, so many at a time as fit `room` tokens and the sequences; none that is too long by itself."""
    group: list[TokenPath] = []
    left = room
    for path in sorted(set(paths)):
        tokens = len(path) - 1  # the line break is not read
        if tokens > room:
            continue
        if group and (tokens > left or len(group) == TOGETHER):
            yield group
            group, left = [], room
        group.append(path)
        left -= tokens
    if group:
        yield group


def portions(unread: Sequence[Row], most: int) -> Iterator[Sequence[Row]]:
    """Rows to read together: at most so many, of which few are asked for their logits, since those take memory."""
    start, asked = 0, 0
    for n, row in enumerate(unread):
        if n - start == most or (row.path is not None and asked == ASKED):
            yield unread[start:n]
            start, asked = n, 0
        asked += row.path is not None
    yield unread[start:]


def branches(paths: Sequence[TokenPath]) -> dict[TokenPath, list[int]]:
    """Every beginning that is to be read, each behind what it goes on from → the sequences, from 1 on, that share it.

    The last token of a path is not read, and a path that ends within another needs no sequence of its own.
    """
    whole = sorted({path[:-1] for path in paths})
    ends = [one for one, other in zip_longest(whole, whole[1:], fillvalue=()) if one != other[: len(one)] or not other]
    beginnings = sorted({end[:n] for end in ends for n in range(len(end) + 1)})
    return {one: [n for n, end in enumerate(ends, start=1) if end[: len(one)] == one] for one in beginnings}


def rows(before: Sequence[int], shared: dict[TokenPath, list[int]]) -> list[Row]:
    """The prompt's tokens in every sequence, then those of the texts."""
    every = [0, *shared[()]]
    last = len(before) - 1
    prompt = [Row(token, n, every, () if n == last else None) for n, token in enumerate(before)]
    return prompt + [Row(path[-1], last + len(path), own, path) for path, own in shared.items() if path]


@contextmanager
def _batch(unread: Sequence[Row]) -> Iterator[Any]:
    """Rows as llama.cpp takes them."""
    library = llama_cpp()
    batch = library.llama_batch_init(len(unread), 0, TOGETHER + 1)
    batch.n_tokens = len(unread)
    for n, row in enumerate(unread):
        batch.token[n], batch.pos[n], batch.logits[n] = row.token, row.position, row.path is not None
        batch.n_seq_id[n] = len(row.sequences)
        for m, sequence in enumerate(row.sequences):
            batch.seq_id[n][m] = sequence
    try:
        yield batch
    finally:
        library.llama_batch_free(batch)
