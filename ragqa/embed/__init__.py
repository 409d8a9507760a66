"""Texts → vectors, and what makes two vectors comparable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ragqa.types import Matrix, Spans, Vector

# E5 was trained with these words in front; without them its vectors are of another kind. They stand here only.
QUERY_PREFIX = "query: "
PASSAGE_PREFIX = "passage: "


class Embedder(Protocol):
    """Turns questions and passages into unit vectors that can be compared by their dot product.

    Attributes:
        name: The model's name, for people.
        fingerprint: Hash of weights, prefixes, pooling and precision: equal means comparable.
        dim: Length of a vector.
        max_tokens: The longest input, prefix and end marks included.
    """

    name: str
    fingerprint: str
    dim: int

    @property
    def max_tokens(self) -> int: ...

    def load(self, *, lasting: bool = False) -> None:
        """Load weights now instead of at the first text.

        Args:
            lasting: For more than one question.
        """

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as a passage, prefix and end marks included."""

    def embed_query(self, question: str) -> Vector: ...

    def embed_passages(self, texts: Sequence[str]) -> Matrix: ...

    def query_tokens(self, question: str) -> tuple[Vector, Matrix]:
        """The question's vector and, from the same pass, those of its tokens, (tokens, dim), as the model leaves them.

        Prefix and end marks have no rows.
        """

    def passage_tokens(self, texts: Sequence[str]) -> tuple[Matrix, list[Matrix]]:
        """The same of passages; what is past `max_tokens` has no rows."""

    def token_spans(self, text: str) -> Spans:
        """Which characters of a passage each row of its `passage_tokens` stands for; needs the tokenizer only."""


def own_tokens(offsets: Sequence[tuple[int, int]], prefix: str) -> tuple[list[int], Spans]:
    """Of a prefixed text's tokens those of the text itself: their rows, and their characters without the prefix."""
    rows = [row for row, (_start, end) in enumerate(offsets) if end > len(prefix)]
    spans = np.array([offsets[row] for row in rows], np.int32).reshape(-1, 2)
    return rows, np.maximum(spans - len(prefix), 0)
