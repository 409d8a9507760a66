"""Many real vectors from few texts, to measure a search with.

Embedding a million passages takes hours. But E5's vector of a text is the mean of its token vectors, so the mean of a
stretch of them is a vector of the same kind, and a passage has thousands of stretches. Those that overlap are nearer to
each other than passages of a library are: a search that tells them apart is not flattered by them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ragqa.types import Matrix

SIZES = (8, 12, 16, 24, 32, 48, 64)  # tokens
STEPS = 8  # a window begins an eighth of its length after the one before


def windows(tokens: Matrix, sizes: Sequence[int] = SIZES) -> Matrix:
    """The mean of every window of a passage's tokens, scaled to unit length; shorter windows first.

    Args:
        tokens: (tokens, dim), as `passage_tokens` gives them.
        sizes: Tokens in a window; a passage with fewer has none of that size.

    Returns:
        (n, dim) float32; about 3.4 rows a token with the usual sizes.
    """
    before = np.concatenate([np.zeros((1, tokens.shape[1])), np.cumsum(tokens, axis=0, dtype=np.float64)])
    sums = []
    for size in sizes:
        starts = np.arange(0, len(tokens) - size + 1, max(1, size // STEPS))
        sums.append(before[starts + size] - before[starts])
    summed = np.concatenate(sums)
    unit: Matrix = (summed / np.linalg.norm(summed, axis=1, keepdims=True)).astype(np.float32)
    return unit
