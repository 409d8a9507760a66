"""Which copy of a model is kept."""

from __future__ import annotations

from ragqa.requantize import fastest


def test_the_copy_that_is_read_fastest_is_kept():
    assert fastest([2.0, 1.0]) == 1
    assert fastest([1.0, 2.0]) == 0


def test_a_larger_copy_has_to_be_worth_its_size():
    assert fastest([1.0, 0.9]) == 0
    assert fastest([1.0, 0.8]) == 1


def test_each_copy_is_held_against_the_best_so_far():
    assert fastest([1.0, 0.7, 0.6]) == 1
    assert fastest([1.0, 0.7, 0.5]) == 2
