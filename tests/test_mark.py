"""Evidence → evidence with its short answer marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragqa import mark as marking
from ragqa.evidence import select
from ragqa.mark import mark
from ragqa.retrieve import Retrieved
from ragqa.types import Evidence
from tests.fakes import EchoGenerator, WordEmbedder, hit, retrieved


def read(
    question: str, *texts: str, quotes: int = 2, generator: EchoGenerator | None = None
) -> tuple[list[Evidence], Retrieved]:
    found = retrieved(question, *(hit(text, ordinal=n) for n, text in enumerate(texts, start=1)))
    chosen = select(found, embedder=WordEmbedder(), question=question, k=9)
    return mark(question, chosen, retrieved=found, embedder=WordEmbedder(), generator=generator, quotes=quotes), found


def marked(question: str, *texts: str, quotes: int = 2, generator: EchoGenerator | None = None) -> list[str]:
    return [
        one.quote[slice(*one.span)] for one in read(question, *texts, quotes=quotes, generator=generator)[0] if one.span
    ]


def test_a_year_answers_when():
    assert marked("When was the bridge opened?", "The bridge was opened in 1894 by the mayor.") == ["1894"]


def test_a_number_answers_how_many():
    (found,) = marked("How many boats pass the bridge?", "Each day 37 boats pass the bridge at noon.")
    assert "37" in found


def test_no_more_than_one_sentence_is_marked():
    assert len(marked("Who built it?", "Anna Lind built it in May.", "Karl Berg built it in June.")) == 1


def test_only_what_is_shown_is_marked():
    assert marked("Who built it?", "Anna Lind built it in May.", quotes=0) == []


def test_where_nothing_stands_out_nothing_is_marked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(marking, "MIN_SHARE", 1.1)
    assert marked("When was it opened?", "It was opened in 1894.") == []


def test_nothing_but_the_span_changes():
    after, found = read("When was it opened?", "It was opened in 1894.")
    before = select(found, embedder=WordEmbedder(), question="When was it opened?", k=9)
    assert [replace(one, span=None) for one in after] == before


def test_no_evidence_is_no_evidence():
    nothing = retrieved("Who?", hit("Anna Lind built it."))
    assert mark("Who?", [], retrieved=nothing, embedder=WordEmbedder()) == []


def test_a_link_is_marked_by_what_is_shown_of_it():
    text = f"The bridge was opened by [Anna Lind](https://example.org/{'a/' * 900}1894) in 1894."
    (found,) = marked("When was the bridge opened?", text)
    assert found == "1894"
    (found,) = marked("Who opened the bridge?", text, generator=Knowing("Anna Lind"))
    assert found == "Anna Lind"


MARKS = [
    "```",
    "```sh\n",
    "`",
    "](",
    "[bridge](http://a.org/94)",
    "\n",
    "\n\n",
    "| 1894 |",
    "bridge",
    "1894",
    " ",
    ".",
]


@settings(max_examples=100)
@given(st.text(max_size=40), st.text(max_size=120) | st.lists(st.sampled_from(MARKS), max_size=30).map("".join))
def test_a_span_lies_in_its_quote_on_the_boundaries_of_words(question: str, text: str):
    quoted = [one for one in read(question or "?", text or "x")[0] if one.span]
    for one in quoted:
        start, end = one.span or (0, 0)
        marked = one.quote[start:end]
        assert 0 <= start < end <= len(one.quote)
        assert re.search(r"\w", marked)
        assert len(marked) <= marking.LONGEST
        assert "](" not in marked
        assert not (one.code and "\n" in marked)


def test_no_more_than_the_best_runs_are_weighed_and_all_of_them_stand_in_the_prompt():
    class Listening(EchoGenerator):
        def log_likelihoods(self, prompt: str, texts: Sequence[str], *, head: str = "") -> list[float]:
            assert len(texts) == marking.WEIGHED_AGAIN
            assert all(text in prompt for text in texts)
            return super().log_likelihoods(prompt, texts, head=head)

    knowing = Listening("x")
    marked(WHO, f"{TEXT} See [the town's page](https://example.org/bridge/opened/1894).", generator=knowing)
    assert len(knowing.weighed) == 2


# With a Llama


class Knowing(EchoGenerator):
    """Finds one text likely, and the likelier where it is asked for."""

    def log_likelihoods(self, prompt: str, texts: Sequence[str], *, head: str = "") -> list[float]:
        self.weighed.append(prompt)
        asked = "What is this about?" not in prompt
        return [(-1.0 if asked else -20.0) if text == self.script[0] else -20.0 for text in texts]


WHO = "Who opened the bridge?"
TEXT = "The bridge was opened in 1894 by Anna Lind, a friend of Karl Berg."


def test_the_llama_may_choose_another_run_of_the_same_sentences():
    assert marked(WHO, TEXT, generator=Knowing("Karl Berg")) == ["Karl Berg"]
    assert marked(WHO, TEXT, generator=Knowing("Anna Lind")) == ["Anna Lind"]


def test_a_llama_that_finds_all_equally_likely_changes_little():
    assert marked("When was it opened?", "It was opened in 1894.", generator=Knowing("nothing")) == ["1894"]


def test_the_llama_is_asked_with_and_without_the_question():
    knowing = Knowing("Anna Lind")
    marked(WHO, TEXT, generator=knowing)
    asked, unasked = knowing.weighed
    assert TEXT in asked
    assert asked.replace(WHO, "What is this about?") == unasked
    assert asked.endswith("\nAnswer:")


def test_the_llama_is_not_given_more_than_it_reads_in_a_moment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(marking, "READABLE", 5)
    knowing = Knowing("Karl Berg")
    assert marked(WHO, TEXT, generator=knowing) == marked(WHO, TEXT)
    assert knowing.weighed == []


def test_likelihoods_that_are_no_numbers_are_passed_over():
    class Full(EchoGenerator):
        def log_likelihoods(self, prompt: str, texts: Sequence[str], *, head: str = "") -> list[float]:
            return [float("-inf")] * len(texts)

    assert marked(WHO, TEXT, generator=Full()) == marked(WHO, TEXT)
