"""Searching among many vectors: how they are made, and what is found of the nearest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ragqa.errors import UsageError
from ragqa.measure.bench.nearest import (
    K,
    measure_nearest,
    nearest_exactly,
    recall,
    rows_of,
    size_rows,
    write_vectors,
)
from ragqa.measure.windows import SIZES, windows
from ragqa.store.opening import scratch
from ragqa.types import Matrix

DIM = 16


def drawn(rows: int, seed: int = 0) -> Matrix:
    vectors = np.random.default_rng(seed).normal(size=(rows, DIM)).astype(np.float32)
    unit: Matrix = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


@pytest.mark.parametrize("tokens", [0, 7, 8, 9, 70, 200])
def test_windows_are_counted_before_they_are_made(tokens: int):
    made = windows(drawn(tokens), SIZES) if tokens >= SIZES[0] else []
    assert rows_of(tokens, SIZES) == len(made)


def test_vectors_are_all_windows_in_another_order(tmp_path: Path):
    passages = [drawn(20, seed) for seed in range(3)]
    vectors = write_vectors(passages, 1000, tmp_path / "vectors.npy")
    expected = np.concatenate([windows(tokens, tuple(range(SIZES[0], SIZES[-1] + 1))) for tokens in passages])
    assert sorted(map(tuple, vectors.tolist())) == sorted(map(tuple, expected.tolist()))
    assert vectors.tolist() != expected.tolist()


def test_no_more_vectors_are_made_than_are_wanted_and_the_first_ones_are_of_all_passages(tmp_path: Path):
    passages = [np.tile(one, (64, 1)) for one in np.eye(8, DIM, dtype=np.float32)]
    vectors = write_vectors(passages, 100, tmp_path / "vectors.npy")
    assert vectors.shape == (100, DIM)
    assert {int(row.argmax()) for row in vectors} == set(range(8))


def test_notes_that_make_hardly_any_vectors_are_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="make 3 vectors"):
        write_vectors([drawn(9)], 1000, tmp_path / "vectors.npy")


def test_comparing_with_each_finds_the_nearest_best_first():
    vectors = drawn(50)
    found = nearest_exactly(vectors, vectors[7])
    assert found[0] == 7
    scores = vectors @ vectors[7]
    assert scores[found].tolist() == sorted(scores.tolist(), reverse=True)[:K]


def test_recall_is_the_share_of_the_nearest_that_were_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ragqa.measure.bench.nearest.BLOCK", 7)  # several blocks, the last one smaller
    vectors, queries = drawn(50), drawn(2, seed=1)
    exact = [nearest_exactly(vectors, query) for query in queries]
    assert recall(exact, vectors, queries) == 1.0
    assert recall([exact[0], [*exact[1][:5], *range(100, 105)]], vectors, queries) == 0.75


def test_a_size_is_held_against_numpy_and_numpy_against_reading():
    samples = {"read": [1.0], "ragqa": [0.5], "NumPy": [2.0], "vec0": [5.0]}  # GB/s and milliseconds
    rows = {(row.name, row.beside): row for row in size_rows(1000, 250, samples, found=0.9, rate=50.0)}
    assert rows["ragqa", "NumPy's exact scan"].ratio == 4.0
    assert rows["ragqa", "vec0 in float32"].ratio == 10.0
    assert rows["NumPy's exact scan", "reading them once"].references == [1.0]  # a million bytes
    assert rows["recall@10", "NumPy's exact scan"].ratio == 0.9
    assert rows["adding", ""].value == 50.0
    assert {row.at for row in rows.values()} == {(1000, "vectors")}


def test_ragqas_index_and_vec0_find_the_nearest_as_sizes_grow(tmp_path: Path):
    vectors = drawn(60)
    with scratch(tmp_path / "nearest.db", DIM) as near:
        rows = measure_nearest(near, vectors, vectors[:3], (20, 60), 20, lambda: 1.0, 2, lambda done, total: None)
    found = {row.at: row.value for row in rows if row.name == "recall@10"}
    assert found == {(20, "vectors"): 1.0, (60, "vectors"): 1.0}  # so few are all compared
    assert {row.at for row in rows if row.beside == "vec0 in float32"} == {(20, "vectors")}
    assert all(len(row.samples) == 2 for row in rows if row.unit == "ms")
