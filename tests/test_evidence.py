"""Hits → the sentences that answer."""

from __future__ import annotations

from math import log

import pytest

from ragqa.evidence import READ, SUPPORT_WEIGHTS, coverage, select, signals, stems, support, word_rarity
from ragqa.retrieve import Retrieved, search_words
from ragqa.types import Hit
from tests.fakes import WordEmbedder, hit

QUESTION = "When was the bridge opened?"


def retrieved(*hits: Hit, question: str = QUESTION) -> Retrieved:
    words = search_words(question)
    return Retrieved(hits, WordEmbedder().embed_query(question), words, (1,) * len(words), 10)


def chosen(*hits: Hit, k: int = 9, question: str = QUESTION) -> list[str]:
    return [one.quote for one in select(retrieved(*hits, question=question), embedder=WordEmbedder(), k=k)]


def test_the_sentence_that_answers_comes_first():
    text = "The tower is very tall. The bridge was opened in 1894. It is red now."
    assert chosen(hit(text), k=1) == ["The bridge was opened in 1894."]


def test_a_quote_is_verbatim_with_its_place_and_lines():
    text = "\n\nThe tower is tall.\nThe bridge was\nopened in 1894.\n"
    one = select(retrieved(Hit(hit(text).passage, hit(text).path, 0.9)), embedder=WordEmbedder(), k=1)[0]
    assert one.quote == text[one.start : one.end] == "The bridge was\nopened in 1894."
    assert (one.line_start, one.line_end) == (2, 3)  # the builder's first word stands on line 1


def test_the_score_is_the_sum_of_its_parts():
    one = select(retrieved(hit("The bridge was opened in 1894.", score=0.8)), embedder=WordEmbedder(), k=1)[0]
    assert one.scores["coverage"] == pytest.approx(1)
    assert one.score == pytest.approx(one.scores["dense"] + 0.75 * 0.8 + 0.1)


def test_a_sentence_of_a_better_passage_is_preferred():
    worse, better = hit("The bridge is old.", score=0.5), hit("The bridge is red.", score=0.9, ordinal=2)
    assert chosen(worse, better)[0] == "The bridge is red."


def test_very_short_sentences_are_not_quoted():
    assert chosen(hit("The bridge. The bridge was opened in 1894.")) == ["The bridge was opened in 1894."]


@pytest.mark.parametrize("line", ["wifi: hunter2", "| attic | 4711 |", "- Router: 192.168.1.1"])
def test_a_short_line_that_pairs_a_name_with_a_value_is_quoted(line: str):
    assert chosen(hit(line)) == [line]


def test_the_same_words_are_quoted_once():
    assert len(chosen(hit("The bridge is red."), hit("- the BRIDGE is red", ordinal=2))) == 1


def test_only_the_best_passages_are_read():
    hits = [hit(f"The bridge has number {n}.", ordinal=n) for n in range(READ + 1)]
    assert len(chosen(*hits)) == READ


def test_no_hits_give_no_evidence_and_no_support():
    nothing = retrieved()
    assert select(nothing, embedder=WordEmbedder(), k=3) == []
    assert support(signals(nothing, [])) == 0


def test_headings_alone_give_no_evidence():
    assert chosen(hit("# When was the bridge opened\n")) == []


def test_rare_words_weigh_more():
    rarity = word_rarity(Retrieved((), WordEmbedder().embed_query("x"), ("rare", "common"), (0, 9), 10))
    assert rarity == {"rare": pytest.approx(log(1 + 10.5 / 0.5)), "common": pytest.approx(log(1 + 1.5 / 9.5))}


def test_coverage_is_the_weighted_share_of_the_words():
    assert coverage("Bridges are long", {"bridg": 3.0, "open": 1.0}) == 0.75
    assert coverage("anything", {}) == 0


def test_stems_join_forms_of_a_word_and_part_compounds():
    assert stems("Opened opening sqlite-vec") == {"open", "sqlite", "vec"}


def test_support_grows_with_each_signal_and_stays_between_0_and_1():
    low = dict.fromkeys(SUPPORT_WEIGHTS, 0.0) | {"bias": 1.0}
    high = dict.fromkeys(SUPPORT_WEIGHTS, 1.0)
    assert 0 < support(low) < 0.01
    assert 0.99 < support(high) < 1
    assert all(support({**high, name: 0.5}) < support(high) for name in SUPPORT_WEIGHTS if name != "bias")


def test_a_heading_counts_for_the_passage_under_it():
    bare, headed = hit("It was opened in 1894."), hit("It was opened in 1894.", heading=("The bridge",))
    judged = [
        signals(retrieved(one), select(retrieved(one), embedder=WordEmbedder(), k=1))["passage_coverage"]
        for one in (bare, headed)
    ]
    assert judged == [pytest.approx(0.5), pytest.approx(1)]
