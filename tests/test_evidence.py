"""Hits → the sentences that answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragqa.answer_type import expected
from ragqa.chunk import embedded_text
from ragqa.document import Passage
from ragqa.evidence import (
    READ,
    WEIGHTS,
    asked_words,
    enough,
    features,
    heading_at,
    passage_spans,
    read_closely,
    select,
    without_targets,
    word_count,
)
from ragqa.quotable import WHOLE_LINES
from ragqa.types import Evidence, Hit
from tests.fakes import WORD, WordEmbedder, evidence, hit, retrieved

QUESTION = "When was the bridge opened?"
FACTS = "The bridge was opened in 1894. The tower is very tall. Boats pass at noon."


def selected(*hits: Hit, k: int = 99, question: str = QUESTION) -> list[Evidence]:
    return select(retrieved(question, *hits), embedder=WordEmbedder(), question=question, k=k)


def chosen(*hits: Hit, k: int = 99, question: str = QUESTION) -> list[str]:
    return [one.quote for one in selected(*hits, k=k, question=question)]


def weighed(one: Hit, question: str = QUESTION) -> list[dict[str, float]]:
    """What each candidate of a passage is weighed by; every word of the question tells as much as any other."""
    (near,) = retrieved(question, one).near
    candidates = list(read_closely(one, near, WordEmbedder()))
    return list(
        features(
            one, candidates, {"bridg": 1.0, "open": 1.0}, expected(question), asked_words(question, WordEmbedder())
        )
    )


# The best


def test_the_sentence_that_answers_comes_first():
    text = "The tower is very tall. The bridge was opened in 1894. It is red now."
    assert chosen(hit(text), k=1) == ["The bridge was opened in 1894."]


def test_a_sentence_whose_passage_says_more_of_the_question_is_preferred():
    less, more = hit("The bridge is old."), hit("The bridge is red.", heading=("When opened",), ordinal=2)
    assert chosen(less, more)[0] == "The bridge is red."


def test_a_sentence_that_holds_what_is_asked_for_is_preferred():
    assert chosen(hit("The bridge was opened slowly. The bridge was opened in 1894."))[0].endswith("1894.")


def test_the_shares_of_all_sentences_add_up_to_1():
    found = selected(hit(FACTS), hit("The bridge is red. It is old now.", ordinal=2))
    assert len(found) == 5
    assert sum(one.score for one in found) == pytest.approx(1)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(0 < one.score < 1 for one in found)


def test_a_share_is_of_all_that_were_weighed_not_of_those_wanted():
    every, (best,) = selected(hit(FACTS)), selected(hit(FACTS), k=1)
    assert best == every[0]


def test_the_only_sentence_has_the_whole_share():
    assert [one.score for one in selected(hit("The bridge was opened in 1894."))] == [pytest.approx(1)]


def test_two_shares_differ_by_what_the_sentences_are_weighed_by():
    first, second, _third = selected(hit("Boats pass at noon. The bridge is open to boats. Who opened the bridge?"))
    lead = sum(weight * (first.scores[name] - second.scores[name]) for name, weight in WEIGHTS.items())
    assert first.score / second.score == pytest.approx(exp(lead), rel=1e-4)


def test_only_the_best_passages_are_read():
    hits = [hit(f"The bridge has number {n}.", ordinal=n) for n in range(READ + 1)]
    assert sorted(chosen(*hits)) == [f"The bridge has number {n}." for n in range(READ)]


def test_no_hits_give_no_evidence():
    assert selected() == []


# What is quoted


def test_a_quote_is_verbatim_with_its_place_and_lines():
    text = "\n\nThe tower is tall.\nThe bridge was\nopened in 1894.\n"
    one = selected(hit(text), k=1)[0]
    assert one.quote == text[one.start : one.end] == "The bridge was\nopened in 1894."
    assert (one.line_start, one.line_end) == (2, 3)  # the builder's first word stands on line 1


def test_the_same_words_are_quoted_once():
    assert len(chosen(hit("The bridge is red."), hit("- the BRIDGE is red", ordinal=2))) == 1


def test_what_is_said_twice_counts_once_among_the_shares():
    once = selected(hit(FACTS))
    twice = selected(hit(FACTS), hit(FACTS, ordinal=2))
    assert [(one.quote, one.score) for one in once] == [(one.quote, pytest.approx(one.score)) for one in twice]


def test_very_short_sentences_are_not_quoted():
    assert chosen(hit("The bridge. The bridge was opened in 1894.")) == ["The bridge was opened in 1894."]


@pytest.mark.parametrize("line", ["wifi: hunter2", "| attic | 4711 |", "- Router: 192.168.1.1"])
def test_a_short_line_that_pairs_a_name_with_a_value_is_quoted(line: str):
    assert chosen(hit(line)) == [line]


def test_sentences_without_spaces_are_quoted_when_they_say_something():
    assert chosen(hit("是的。大桥于三四年建成。"), question="大桥是什么时候建成的？") == ["大桥于三四年建成。"]


def test_the_sentence_that_answers_in_han_comes_first():
    text = "河边有许多古老的树木。大桥建成于一九三四年。人们每天从城里来。"
    assert chosen(hit(text), question="大桥建成于什么时候？")[0] == "大桥建成于一九三四年。"


def test_headings_alone_give_no_evidence():
    assert chosen(hit("# When was the bridge opened\n")) == []


def test_front_matter_and_headings_are_not_quoted_and_tables_are_with_their_heads():
    text = (
        "---\ntitle: When was the bridge opened\n---\n# When was the bridge opened\n\n"
        "| when the bridge | was opened |\n|---|---|\n| the bridge | 1894 |\n"
    )
    assert chosen(hit(text)) == ["| when the bridge | was opened |\n|---|---|\n| the bridge | 1894 |"]


def test_code_is_quoted_whole_and_as_code():
    code = "".join(f"open(bridge, {n})\n" for n in range(WHOLE_LINES)).rstrip()
    (one,) = selected(hit(f"```\n{code}\n```\n"))
    assert (one.quote, one.code) == (code, True)
    assert [prose.code for prose in selected(hit("The bridge is red."))] == [False]


# What a sentence is weighed by


def test_each_part_of_a_lone_sentence_is_worked_out_by_hand():
    (found,) = weighed(hit("The bridge opened.", score=0.8), question="bridge opened")
    three = WordEmbedder().passage_tokens(["The bridge opened."])[1][0]
    assert found == {
        "max_sim": pytest.approx(1),
        "cosine": pytest.approx(float((three[1:] @ three.T).mean()), abs=1e-6),
        "coverage": 1,
        "window_coverage": 1,
        "passage_coverage": 1,
        "wrong_type": 0,
        "log_words": pytest.approx(log(1 + 3)),
        "least_matched": pytest.approx(1),
    }


def test_a_sentence_is_weighed_by_the_weights_there_are_and_tells_support_one_thing_more():
    assert all(set(found) == {*WEIGHTS, "least_matched"} for found in weighed(hit(FACTS)))


def test_the_word_of_the_question_that_is_missed_most_tells_how_badly():
    (whole,) = weighed(hit("The bridge opened."), question="bridge opened")
    (half,) = weighed(hit("The bridge was painted."), question="bridge opened")
    assert whole["least_matched"] == pytest.approx(1)
    assert half["least_matched"] < 0.5


def test_words_that_carry_no_meaning_are_not_missed():
    question = "When was the bridge opened?"
    (found,) = weighed(hit("A bridge opened there."), question=question)
    assert found["least_matched"] == pytest.approx(1)
    assert [len(rows) for rows in asked_words(question, WordEmbedder())] == [1, 1]


def test_the_kind_of_thing_asked_for_is_there_or_is_missing_or_any_will_do():
    assert [one["wrong_type"] for one in weighed(hit("It opened in 1894. It is very tall."))] == [0, 1]
    (any_will_do,) = weighed(hit("It opened in 1894."), question="What is the bridge?")
    assert any_will_do["wrong_type"] == 0


def test_a_sentence_sees_one_to_each_side_of_it_and_no_further():
    text = "The bridge is red. It is very tall. Boats pass at noon. Gulls sit on it."
    assert [one["window_coverage"] for one in weighed(hit(text))] == [0.5, 0.5, 0, 0]
    assert [one["coverage"] for one in weighed(hit(text))] == [0.5, 0, 0, 0]
    assert [one["passage_coverage"] for one in weighed(hit(text))] == [0.5] * 4


def test_a_pronoun_gains_by_the_noun_in_the_sentence_before():
    text = "The iron bridge is long. It was opened in 1894. Gulls cry. Dogs bark at night. It was opened in 1895."
    found = chosen(hit(text), question="When was the iron bridge opened?")
    assert found.index("It was opened in 1894.") < found.index("It was opened in 1895.")


def test_a_heading_counts_for_the_passage_under_it_and_not_for_its_sentences():
    bare, headed = (weighed(hit("It was opened in 1894.", heading=path))[0] for path in ((), ("The bridge",)))
    assert (bare["passage_coverage"], headed["passage_coverage"]) == (0.5, 1)
    assert bare["coverage"] == headed["coverage"] == 0.5
    assert bare["max_sim"] == pytest.approx(headed["max_sim"])


def test_the_address_of_a_link_is_not_compared():
    shown, hidden = (
        weighed(hit(text))[0]["coverage"]
        for text in ("See [the bridge](https://a.example/x) there.", "See [all of it](https://bridge.example/) there.")
    )
    assert (shown, hidden) == (0.5, 0)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("See [the map](https://a.example/map.html).", "See the map."),
        ('![A plan](plan.png "Plan of it") and [more](b.md)', "A plan and more"),
        ("[brackets] (aside)", "[brackets] (aside)"),
        ("no link", "no link"),
    ],
)
def test_of_a_link_only_what_is_shown_is_read_aloud(text: str, read: str):
    assert without_targets(text) == read


def test_words_are_counted_and_where_no_space_parts_them_estimated():
    assert word_count("The bridge, opened.") == 3
    assert word_count("大桥于一九三四年建。") == pytest.approx(9 / 1.7)


def test_a_passage_that_was_not_read_closely_is_weighed_by_its_words():
    unread = replace(retrieved(QUESTION, hit(FACTS)), near=(np.zeros((5, 0), np.float32),))
    found = select(unread, embedder=WordEmbedder(), question=QUESTION, k=9)
    assert found[0].quote == "The bridge was opened in 1894."
    assert {one.scores["max_sim"] for one in found} == {0}


# Which tokens are whose

TEXT = st.text("aB1 .\n#-|`:漢字。_\u3000", max_size=60)
PROSE = st.lists(
    st.sampled_from(
        ["The bridge is red. ", "It opened in 1894.\n\n", "# Head\n", "- item one two\n", "  ", "大桥建于一九三四年。"]
    ),
    max_size=8,
).map("".join)
HEADINGS = st.lists(st.text("aB 漢.", max_size=8), max_size=3).map(tuple)


def words_of_candidates(one: Hit, embedder: WordEmbedder, kept: int | None = None) -> list[tuple[str, list[str]]]:
    """Each candidate's quote, and the words its columns stand for; `kept`: so many of the tokens have a column."""
    words = WORD.findall(embedded_text(one.passage, embedder.count_tokens, embedder.max_tokens))
    columns = np.arange(len(words), dtype=np.float32)[None, :kept]
    found = read_closely(one, columns, embedder)
    return [(each.quote, [words[int(column)] for column in each.near[0]]) for each in found]


@given(TEXT | PROSE, HEADINGS, st.sampled_from([8, 512]))
def test_a_candidate_has_the_tokens_whose_characters_lie_in_it(text: str, heading: Sequence[str], limit: int):
    one = Hit(Passage("n/a.md", 1, text, 0, len(text), 1, 1, tuple(heading)), Path("/n/a.md"), 0.9)
    for quote, words in words_of_candidates(one, WordEmbedder(max_tokens=limit)):
        assert words == WORD.findall(quote)


@given((TEXT | PROSE).filter(str.strip), HEADINGS)
def test_the_tokens_of_a_passage_are_told_in_characters_of_its_text(text: str, heading: Sequence[str]):
    one = Hit(Passage("n/a.md", 1, text, 0, len(text), 1, 1, tuple(heading)), Path("/n/a.md"), 0.9)
    spans = passage_spans(one, WordEmbedder())
    first = len(text) - len(text.lstrip())  # headings lie before
    assert [text[start:end] for start, end in spans if start >= first] == WORD.findall(text)
    assert all(end <= first for start, end in spans if start < first)


def test_sentences_past_the_embedders_limit_have_no_tokens():
    assert words_of_candidates(hit("It is red. It is very tall. Boats pass it."), WordEmbedder(), kept=5) == [
        ("It is red.", ["It", "is", "red"]),
        ("It is very tall.", ["It", "is"]),
        ("Boats pass it.", []),
    ]


# How many are quoted


@pytest.mark.parametrize(
    ("shares", "most", "quoted"),
    [
        ((0.97, 0.02), 3, 1),
        ((0.6, 0.36, 0.04), 3, 2),
        ((0.4, 0.3, 0.2, 0.1), 3, 3),
        ((0.4, 0.3, 0.2, 0.1), 1, 1),
        ((0.5, 0.4), 3, 2),
        ((), 3, 0),
    ],
)
def test_quotes_stop_where_one_of_them_very_likely_answers(shares: tuple[float, ...], most: int, quoted: int):
    assert enough([replace(evidence("x"), score=share) for share in shares], most) == quoted


def test_a_quote_that_lacks_what_is_asked_for_does_not_end_the_quotes():
    repeats = replace(evidence("x"), score=0.99, scores={"wrong_type": 1.0})
    assert enough([repeats, replace(evidence("y"), score=0.01, scores={"wrong_type": 0.0})], 3) == 2


# Under which heading

ORCHARD = """# Orchard

## Apples

They are picked in October.

```bash
# no heading
```

## Pears

They are picked in August.
"""


def test_a_sentence_stands_under_the_last_heading_before_it():
    found = hit(ORCHARD)
    places = [heading_at(found.passage, ORCHARD.index(part)) for part in ("October", "August")]
    assert places == [("Orchard", "Apples"), ("Orchard", "Pears")]


def test_a_heading_inside_a_passage_counts_for_the_sentences_under_it():
    found = replace(hit(ORCHARD), passage=replace(hit(ORCHARD).passage, heading=("Orchard", "Apples")))
    near = retrieved("pears", found).near[0]
    candidates = list(read_closely(found, near, WordEmbedder()))
    covered = [one["window_coverage"] for one in features(found, candidates, {"pear": 1.0}, None, [])]
    assert covered == [0, 1]
