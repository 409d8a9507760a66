"""Texts → vectors, and what makes two vectors comparable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ragqa.types import Matrix, Vector

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

    def load(self) -> None:
        """Load weights and tokenizer now instead of at the first text."""

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as a passage, prefix and end marks included."""

    def embed_query(self, question: str) -> Vector: ...

    def embed_passages(self, texts: Sequence[str]) -> Matrix: ...
