"""The fast embedder: ONNX Runtime on the CPU, no torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ragqa.embed import PASSAGE_PREFIX, QUERY_PREFIX, own_tokens
from ragqa.embed.pieces import MappedTokenizer, Tokens
from ragqa.errors import ModelError
from ragqa.types import Matrix, Spans, Vector

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

GRAPH_FILE, WEIGHTS_FILE = "model.onnx", "weights.bin"
TOKENIZER_FILE = "tokenizer.json"
_BEGIN, _END = 0, 2


class OnnxEmbedder:
    """E5 from a prepared folder. Weights are loaded at the first text, not before."""

    def __init__(self, folder: Path, *, name: str, fingerprint: str, dim: int, threads: int = 1) -> None:
        self.folder = folder
        self.name = name
        self.fingerprint = fingerprint
        self.dim = dim
        self.max_tokens = 512
        self.threads = max(1, threads)
        self._for_a_question: onnxruntime.InferenceSession | None = None

    @cached_property
    def _tokenizer(self) -> MappedTokenizer:
        # One text a call is the rule here, and threads of our own do the rest.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        try:
            return MappedTokenizer(self.folder, self._whole_tokenizer)
        except Exception as error:  # tokenizers raises bare Exception
            raise _damaged(self.folder, error) from error

    def _whole_tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        try:
            return Tokenizer.from_file(str(self.folder / TOKENIZER_FILE))
        except Exception as error:  # tokenizers raises bare Exception
            raise _damaged(self.folder / TOKENIZER_FILE, error) from error

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        """For many texts: the weights are laid out anew for the processor, which takes time and memory once."""
        return self._open(lays_out=True)

    def _open(self, *, lays_out: bool) -> onnxruntime.InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # One thread a run and several runs at once beat several threads in one run.
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        # The graph is stored as an optimizer would leave it.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.add_session_config_entry("session.disable_prepacking", "0" if lays_out else "1")
        try:
            return onnxruntime.InferenceSession(
                str(self.folder / GRAPH_FILE), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own errors share no public base class
            raise _damaged(self.folder / GRAPH_FILE, error) from error

    def load(self, *, lasting: bool = False) -> None:
        """Open tokenizer and session, and read a text of nothing, so that the files are in memory when it counts."""
        _ = self._tokenizer
        if lasting:
            _ = self._session
        elif "_session" not in vars(self) and not self._for_a_question:
            self._for_a_question = self._open(lays_out=False)
            _run(self._for_a_question, [_BEGIN, _END])

    def _session_for_one(self) -> onnxruntime.InferenceSession:
        """For a question: open in a third of the time, 2 ms slower at each text, the same to the last bit.

        It is let go after the question, because its memory is what the Llama takes next.
        """
        if "_session" in vars(self):
            return self._session
        session, self._for_a_question = self._for_a_question or self._open(lays_out=False), None
        return session

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(PASSAGE_PREFIX + text).ids)

    def embed_query(self, question: str) -> Vector:
        return self.query_tokens(question)[0]

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        return self.passage_tokens(texts)[0]

    def query_tokens(self, question: str) -> tuple[Vector, Matrix]:
        vectors, (tokens,) = self._embed([question], QUERY_PREFIX)
        first: Vector = vectors[0]
        return first, tokens

    def passage_tokens(self, texts: Sequence[str]) -> tuple[Matrix, list[Matrix]]:
        return self._embed(texts, PASSAGE_PREFIX)

    def token_spans(self, text: str) -> Spans:
        encoding = self._tokenizer.encode(PASSAGE_PREFIX + text)
        return own_tokens(encoding.offsets[: self.max_tokens - 1], PASSAGE_PREFIX)[1]

    def _embed(self, texts: Sequence[str], prefix: str) -> tuple[Matrix, list[Matrix]]:
        """Vectors of texts and of their tokens; what is past `max_tokens` is cut off."""
        vectors = np.zeros((len(texts), self.dim), np.float32)
        tokens = [np.zeros((0, self.dim), np.float32)] * len(texts)
        encodings = self._tokenizer.encode_batch([prefix + text for text in texts])
        # Opened here, not by several threads at once.
        session = self._session if len(texts) > 1 else self._session_for_one()

        def run(i: int) -> None:
            states = _run(session, self._clipped(encodings[i].ids))
            vectors[i] = pool(states)
            tokens[i] = states[self._rows(encodings[i], prefix)]

        if len(texts) == 1:
            run(0)
        else:
            longest_first = sorted(
                range(len(texts)), key=lambda i: -len(encodings[i].ids)
            )  # so all threads end together
            with ThreadPoolExecutor(self.threads) as threads:
                list(threads.map(run, longest_first))
        return vectors, tokens

    def _rows(self, encoding: Tokens, prefix: str) -> list[int]:
        return own_tokens(encoding.offsets[: self.max_tokens - 1], prefix)[0]

    def _clipped(self, ids: list[int]) -> list[int]:
        return ids if len(ids) <= self.max_tokens else [*ids[: self.max_tokens - 1], _END]


def _run(session: onnxruntime.InferenceSession, ids: Sequence[int]) -> Matrix:
    """One text through the model, by itself: its last hidden states, (tokens, dim).

    In a batch, texts would need padding, and all would share the scale of the largest activation among them.
    """
    (states,) = session.run(["token_vectors"], {"input_ids": np.array([ids], np.int64)})
    rows: Matrix = states[0]
    return rows


def pool(states: Matrix) -> Vector:
    """Mean of the token vectors, scaled to unit length: (tokens, dim) → (dim,)."""
    summed = states.sum(axis=0)
    unit: Vector = (summed / np.linalg.norm(summed)).astype(np.float32)
    return unit


def _damaged(path: Path, error: Exception) -> ModelError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ModelError(f"{path}: cannot be loaded: {reason}", "run `ragqa models verify`")
