"""In which order and by which sequences the tokens of several texts are read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ragqa.likelihood import TOGETHER, Row, branches, groups, rows

END = 0  # the line break
PATHS = st.lists(st.lists(st.integers(1, 3), max_size=5).map(lambda tokens: (*tokens, END)), max_size=40)


def test_what_texts_begin_with_is_read_once_in_the_sequences_of_both():
    assert branches([(1, 2, END), (1, 3, END)]) == {(): [1, 2], (1,): [1, 2], (1, 2): [1], (1, 3): [2]}


def test_a_text_that_ends_within_another_needs_no_sequence():
    assert branches([(1, END), (1, 2, END), (END,)]) == {(): [1], (1,): [1], (1, 2): [1]}


def test_an_empty_text_is_only_the_line_break():
    assert branches([(END,)]) == {(): [1]}


def test_the_prompt_is_read_in_every_sequence_and_only_its_end_is_asked_for_logits():
    assert rows([7, 8], branches([(1, END)])) == [
        Row(7, 0, [0, 1], None),
        Row(8, 1, [0, 1], ()),
        Row(1, 2, [1], (1,)),
    ]


def test_what_does_not_fit_together_is_read_one_after_the_other():
    assert list(groups([(2, 2, END), (1, 1, END), (3, END)], room=3)) == [[(1, 1, END)], [(2, 2, END), (3, END)]]


def test_what_does_not_fit_alone_is_left_out():
    assert list(groups([(1, 1, 1, END), (2, END)], room=2)) == [[(2, END)]]
    assert list(groups([(END,)], room=0)) == [[(END,)]]
    assert list(groups([(END,)], room=-1)) == []


@given(PATHS, st.integers(0, 12))
def test_every_path_that_fits_is_in_one_group(paths: list[tuple[int, ...]], room: int):
    found = list(groups(paths, room))
    assert sorted(path for group in found for path in group) == sorted(p for p in set(paths) if len(p) - 1 <= room)
    for group in found:
        assert len(group) <= TOGETHER
        assert len(branches(group)) - 1 <= room


@given(PATHS.filter(len))
def test_each_sequence_is_one_text_read_in_order(paths: list[tuple[int, ...]]):
    shared = branches(paths)
    read = rows([9], shared)
    for sequence in shared[()]:
        own = [row for row in read if sequence in row.sequences]
        assert [row.position for row in own] == list(range(len(own)))
        assert (*(row.token for row in own[1:]), END) in paths
    assert all(path[:n] in shared for path in paths for n in range(len(path)))
