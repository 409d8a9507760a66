"""What the Llama is given, and how what it writes is taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ragqa.prompt import load_template
from ragqa.types import Evidence
from ragqa.write import Writing, excerpt, write
from tests.fakes import EchoGenerator, hit

FIRST = "The bridge was opened in 1894. Boats pass. It is painted [red](https://a.example/red) each spring."


def quoted(text: str, quote: str, ordinal: int = 1) -> Evidence:
    found = hit(text, heading=("Bridges",))
    found = replace(found, passage=replace(found.passage, ordinal=ordinal))
    start = text.index(quote)
    return Evidence(found, quote, start, start + len(quote), 1, 1, 0.5)


def test_an_excerpt_keeps_the_order_of_a_passage_and_begins_with_the_best_one():
    painted, opened = quoted(FIRST, FIRST[43:]), quoted(FIRST, FIRST[:30])
    other = quoted("Gulls cry.", "Gulls cry.", ordinal=2)
    text = excerpt([painted, other, opened]).passage.text
    assert text.splitlines() == ["The bridge was opened in 1894.", "It is painted red each spring.", "Gulls cry."]


def test_an_excerpt_is_the_best_ones_passage_without_its_headings():
    best = quoted(FIRST, FIRST[:30])
    made = excerpt([best])
    assert (made.passage.id, made.passage.heading) == (best.hit.passage.id, ())


def written(budget: int) -> tuple[EchoGenerator, int]:
    """A generator that was offered three sentences, and how many passages its prompt held."""
    generator = EchoGenerator("The bridge was opened in 1894.")
    writing = Writing(generator, load_template("short", Path("none")), budget, 20, system="Be brief.", excerpt=3)
    parts = [quoted(FIRST, FIRST[:30]), quoted(FIRST, FIRST[31:42]), quoted(FIRST, FIRST[43:])]
    prompt = write("When was it opened?", [], parts, writing).prompt
    assert prompt
    return generator, len(prompt.passages)


def test_of_an_excerpt_as_many_sentences_are_given_as_fit():
    whole = written(100)[0].prompts[0]
    cut, passages = written(whole.tokens - 1)
    assert passages == 1
    assert "1894" in cut.prompts[0].text
    assert "painted" not in cut.prompts[0].text


def test_where_no_sentence_fits_the_llama_is_not_asked():
    whole = written(100)[0].prompts[0]
    generator, passages = written(whole.tokens - whole.spent["passages"])
    assert (passages, generator.prompts) == (0, [])
