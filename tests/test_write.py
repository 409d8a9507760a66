"""What the Llama is given, and how what it writes is taken."""

from __future__ import annotations

from dataclasses import replace

from ragqa.types import Evidence
from ragqa.write import excerpt
from tests.fakes import hit

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
