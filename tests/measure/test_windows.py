"""Windows of tokens, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ragqa.measure.windows import windows

TOKENS = np.array([[3, 0], [0, 4], [6, 0]], np.float32)


def test_a_window_is_the_mean_of_its_tokens_scaled_to_unit_length():
    assert windows(TOKENS, [2]).tolist() == pytest.approx(np.array([[0.6, 0.8], [6 / 52**0.5, 4 / 52**0.5]]))


def test_windows_of_each_size_follow_each_other_the_shorter_first():
    found = windows(TOKENS, [1, 3])
    assert found.tolist() == pytest.approx(np.array([[1, 0], [0, 1], [1, 0], [9 / 97**0.5, 4 / 97**0.5]]))
    assert found.dtype == np.float32


def test_a_long_window_moves_by_an_eighth_of_its_length():
    tokens = np.ones((40, 2), np.float32)
    assert [len(windows(tokens, [size])) for size in (8, 16, 32, 40, 48)] == [33, 13, 3, 1, 0]


def test_a_passage_shorter_than_every_window_has_none():
    assert windows(TOKENS).shape == (0, 2)
    assert windows(np.zeros((0, 2), np.float32), [1]).shape == (0, 2)
