"""What is printed, piece by piece."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ragqa.cli.render import freshness, printed_span, quote_text
from ragqa.types import Citation
from tests.fakes import evidence


@pytest.mark.parametrize(
    ("quote", "words", "printed"),
    [
        ("It opened in 1894.", "1894", "1894"),
        ("It   opened\nin\t1894.", "1894", "1894"),
        ("It opened in  18\x1b94.", "18\x1b94", "18\\x1b94"),
        ("It opened in 1894.", " in 1894", "in 1894"),
        ("\x1b[2J It opened in 1894.", "opened in", "opened in"),
        ("It opened in 1894.", "It opened in 1894.", "It opened in 1894."),
    ],
)
def test_the_words_that_answer_stand_out_in_a_quote(quote: str, words: str, printed: str):
    start = quote.index(words)
    one = replace(evidence(quote), span=(start, start + len(words)))
    text = quote_text(one)
    (span,) = text.spans
    assert (text.plain[span.start : span.end], span.style) == (printed, "bold underline")


@pytest.mark.parametrize(("words", "printed"), [("a = 1", "a = 1"), ("b = 2", "b = 2"), ("1\nb", "1\n    b")])
def test_the_words_that_answer_stand_out_in_code(words: str, printed: str):
    one = replace(evidence("a = 1\r\nb = 2".replace("\r", "")), code=True)
    start = one.quote.index(words)
    first, last = printed_span(one, start, start + len(words))
    assert quote_text(one).plain[first:last] == printed


def test_a_quote_without_a_span_is_plain():
    assert quote_text(evidence("It opened.")).spans == []


def test_every_kind_of_staleness_has_words_of_its_own():
    states = [("moved", True, ""), ("changed", True, ""), ("changed", False, ""), ("changed", False, "too large")]
    states += [("deleted", False, "")]
    said = [freshness(Citation(1, evidence("It opened."), f, 4, 4, stands, why)) for f, stands, why in states]
    assert len(set(said)) == 5
    assert said[0] == "moved: was line 1 when indexed"
    assert freshness(Citation(1, evidence("It opened."), "same", 1, 1, True)) == ""
