"""The nearest vectors to a question's: how the cost of finding them grows, and how many of them are found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from ragqa.errors import UsageError
from ragqa.measure.bench import Measurement, Progress, in_turn
from ragqa.measure.bench.limits import GIGA
from ragqa.measure.windows import SIZES, STEPS, windows
from ragqa.store.nearest import Nearest
from ragqa.types import Matrix, Vector

K = 10
TIMED = 20  # queries of a round
BATCH = 20_000  # vectors that are added in one transaction
BLOCK = 50_000  # vectors that are compared at a time with all queries
DENSE = tuple(range(SIZES[0], SIZES[-1] + 1))  # tokens: windows of every size, where there are few texts

Search = Callable[[Vector], Sequence[int]]


def rows_of(tokens: int, sizes: Sequence[int]) -> int:
    """How many windows a passage of so many tokens has."""
    return sum((tokens - size) // max(1, size // STEPS) + 1 for size in sizes if size <= tokens)


def write_vectors(token_vectors: Sequence[Matrix], most: int, path: Path, seed: int = 0) -> Matrix:
    """Vectors of windows of passages, `most` of them or all there are, shuffled, in a file that is mapped.

    Shuffled, so that the first ten thousand are of all passages, as the first million is.

    Args:
        token_vectors: For each passage (tokens, dim), as the embedder gives them.

    Raises:
        UsageError: They make fewer than K.
    """
    sparse = sum(rows_of(len(tokens), SIZES) for tokens in token_vectors)
    sizes = SIZES if sparse >= most else DENSE
    total = sum(rows_of(len(tokens), sizes) for tokens in token_vectors)
    if total < K:
        raise UsageError(f"these notes make {total} vectors, too few to search among", "--notes with more text")
    places = np.random.default_rng(seed).permutation(total)
    shape = (min(most, total), token_vectors[0].shape[1])
    vectors: Matrix = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    start = 0
    for tokens in token_vectors:
        rows = windows(tokens, sizes)
        to = places[start : start + len(rows)]
        vectors[to[to < len(vectors)]] = rows[to < len(vectors)]
        start += len(rows)
    return vectors


def nearest_exactly(vectors: Matrix, query: Vector) -> Sequence[int]:
    """Rows of the K nearest vectors, every one of them compared; the best first."""
    scores = vectors @ query
    best = np.argpartition(scores, -K)[-K:]
    return best[np.argsort(-scores[best])].tolist()  # type: ignore[no-any-return]


def recall(found: Iterable[Sequence[int]], vectors: Matrix, queries: Matrix) -> float:
    """The share of each query's K nearest vectors that were found, on average."""
    shares = [
        len(set(rows) & set(exact)) / K for rows, exact in zip(found, _all_nearest(vectors, queries), strict=True)
    ]
    return float(np.mean(shares))


def _all_nearest(vectors: Matrix, queries: Matrix) -> list[list[int]]:
    """Of all queries at once, a block of vectors at a time, so that no more of the file is in memory."""
    scores = np.full((len(queries), K), -2.0, np.float32)
    rows = np.zeros((len(queries), K), np.int64)
    for start in range(0, len(vectors), BLOCK):
        block = queries @ vectors[start : start + BLOCK].T
        scores = np.concatenate([scores, block], axis=1)
        rows = np.concatenate([rows, np.broadcast_to(np.arange(start, start + block.shape[1]), block.shape)], axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        scores, rows = np.take_along_axis(scores, best, 1), np.take_along_axis(rows, best, 1)
    return [list(row) for row in rows.tolist()]


class Flat:
    """sqlite-vec's vec0 in float32, which compares every vector, in a file that holds other tables as well."""

    def __init__(self, db: Any, dim: int) -> None:
        self.db = db
        db.execute(f"CREATE VIRTUAL TABLE flat USING vec0(vector float[{dim}] distance_metric=cosine)")

    def add(self, start: int, vectors: Matrix) -> None:
        rows = ((key, vector.tobytes()) for key, vector in enumerate(vectors, start + 1))
        self.db.executemany("INSERT INTO flat (rowid, vector) VALUES (?, ?)", rows)

    def search(self, query: Vector) -> Sequence[int]:
        rows = self.db.execute("SELECT rowid FROM flat WHERE vector MATCH ? AND k = ?", (query.tobytes(), K))
        return [key - 1 for (key,) in rows]


def measure_nearest(
    near: Nearest,
    vectors: Matrix,
    queries: Matrix,
    sizes: Sequence[int],
    flat_up_to: int,
    read: Callable[[], float],
    rounds: int,
    progress: Progress,
) -> list[Measurement]:
    """The rows `nearest`.

    Args:
        near: Empty; it is filled as sizes grow.
        sizes: Vectors, ascending.
        flat_up_to: The largest size at which vec0 is asked, too.
        read: The gauge of reading memory, GB/s.
    """
    flat = Flat(near.db, vectors.shape[1])
    rows: list[Measurement] = []
    for before, size in zip((0, *sizes), sizes, strict=False):
        seconds = _add(near, vectors, before, size)
        searches: dict[str, Search] = {
            "ragqa": lambda query: [key - 1 for key, _cosine in near.search(query, K)],
            "NumPy": partial(nearest_exactly, vectors[:size]),
        }
        if size <= flat_up_to:
            _add_flat(near, flat, vectors, before, size)
            searches["vec0"] = flat.search
        timed = {name: partial(_ms, search, queries[:TIMED]) for name, search in searches.items()}
        samples = in_turn({"read": read} | timed, rounds, progress)
        found = recall(map(searches["ragqa"], queries), vectors[:size], queries)
        rows += size_rows(size, vectors.shape[1], samples, found, (size - before) / seconds)
    return rows


def size_rows(
    size: int, dim: int, samples: Mapping[str, Sequence[float]], found: float, rate: float
) -> list[Measurement]:
    """What one size came to: milliseconds a query beside NumPy's, and NumPy's beside reading all vectors once."""
    at = (size, "vectors")
    reading = [size * dim * 4 / (gigabytes * GIGA) * 1000 for gigabytes in samples["read"]]
    rows = [
        Measurement("ragqa", "ms", samples["ragqa"], "NumPy's exact scan", samples["NumPy"], at),
        Measurement("NumPy's exact scan", "ms", samples["NumPy"], "reading them once", reading, at),
    ]
    if "vec0" in samples:
        rows.append(Measurement("ragqa", "ms", samples["ragqa"], "vec0 in float32", samples["vec0"], at))
    return [
        *rows,
        Measurement(f"recall@{K}", "share", [found], "NumPy's exact scan", [1.0], at),
        Measurement("adding", "vectors/s", [rate], at=at),
    ]


def _add(near: Nearest, vectors: Matrix, start: int, end: int) -> float:
    """Put rows of the vectors into the index; how many seconds that took."""
    began = time.perf_counter()
    for at in range(start, end, BATCH):
        part = np.array(vectors[at : min(at + BATCH, end)])
        with near.db:
            near.add(range(at + 1, at + 1 + len(part)), part, "default")
    return time.perf_counter() - began


def _add_flat(near: Nearest, flat: Flat, vectors: Matrix, start: int, end: int) -> None:
    for at in range(start, end, BATCH):
        with near.db:
            flat.add(at, vectors[at : min(at + BATCH, end)])


def _ms(search: Search, queries: Matrix) -> float:
    """Milliseconds of the median query."""
    taken = []
    for query in queries:
        started = time.perf_counter()
        search(query)
        taken.append((time.perf_counter() - started) * 1000)
    return median(taken)
