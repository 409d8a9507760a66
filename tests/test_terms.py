"""Words, terms and how much each tells."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragqa.terms import BIGRAM_RARITY, coverage, rarities, search_words, terms

HAN = st.text("桥於河上建成一九三四年", min_size=2, max_size=12)


# Words that are searched for


def test_words_that_carry_no_meaning_are_not_searched_for():
    assert search_words("When was the Bridge opened?") == ("bridge", "opened")


def test_a_question_of_such_words_alone_is_searched_for_as_it_is():
    assert search_words("Who was that?") == ("who", "was", "that")


def test_each_word_is_searched_for_once_and_marks_stay_inside_it():
    assert search_words("sqlite-vec or SQLite-vec, v1.2?") == ("sqlite-vec", "v1.2")


def test_a_question_without_words_has_none():
    assert search_words("?!") == ()


# Terms


def test_forms_of_a_word_are_one_term_and_a_compound_is_its_parts():
    assert terms("Opened opening sqlite-vec snake_case") == {"open", "sqlite", "vec", "snake", "case"}


def test_han_and_kana_are_compared_in_pairs_of_characters():
    assert terms("大桥开。カメラ") == {"大桥", "桥开", "カメ", "メラ"}


def test_a_character_that_stands_alone_is_a_term():
    assert terms("桥 x") == {"桥", "x"}


def test_scripts_with_spaces_are_compared_word_by_word():
    assert terms("мост 다리 جسر") == {"мост", "다리", "جسر"}


@given(st.text(max_size=40))
def test_a_term_is_never_empty_and_holds_no_space(text: str):
    assert not [term for term in terms(text) if not term or term != "".join(term.split())]


@given(HAN, HAN, HAN)
def test_what_is_said_in_han_is_found_inside_a_longer_text(before: str, said: str, after: str):
    assert terms(said) <= terms(before + said + after)


@given(st.text("abc xyz", max_size=20), st.text("abc xyz", max_size=20))
def test_the_terms_of_two_texts_are_those_of_both_together(one: str, other: str):
    assert terms(f"{one} {other}") == terms(one) | terms(other) == terms(f"{other}, {one}".upper())


# How much each tells


def test_a_word_tells_the_more_the_fewer_passages_hold_it():
    rarity = rarities(["rare", "common"], [0, 9], 10)
    assert rarity == {"rare": pytest.approx(log(1 + 10.5 / 0.5)), "common": pytest.approx(log(1 + 1.5 / 9.5))}


def test_a_word_in_every_passage_still_tells_a_little():
    assert 0 < rarities(["the"], [10], 10)["the"] < 0.1


def test_a_pair_of_characters_tells_the_same_whatever_the_index_knows():
    assert (
        rarities(["大桥开"], [0], 10) == rarities(["大桥开"], [9], 10) == {"大桥": BIGRAM_RARITY, "桥开": BIGRAM_RARITY}
    )


def test_a_term_of_two_words_tells_as_much_as_the_rarer():
    rarity = rarities(["open", "opened"], [9, 0], 10)
    assert rarity == {"open": pytest.approx(log(1 + 10.5 / 0.5))}


# How much of it is there


def test_coverage_is_the_weighted_share_of_the_terms():
    assert coverage(terms("Bridges are long"), {"bridg": 3.0, "open": 1.0}) == 0.75


def test_a_question_without_terms_is_covered_by_nothing():
    assert coverage(terms("anything"), {}) == 0


@given(st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 10)), st.sets(st.sampled_from("abcdefg")))
def test_coverage_is_a_share_and_all_terms_together_are_all_of_it(rarity: dict[str, float], present: set[str]):
    assert 0 <= coverage(present, rarity) <= 1
    assert coverage(set("abcdef"), rarity) == (1 if sum(rarity.values()) else 0)
