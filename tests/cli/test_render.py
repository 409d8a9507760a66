"""What is printed, piece by piece."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from ragqa.cli.answers import Growing, freshness, printed_span, quote_text
from ragqa.cli.render import console, model_rows, print_table, shown
from ragqa.document import Place
from ragqa.manifest import Manifest
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


@pytest.mark.parametrize(
    ("place", "was"),
    [
        (None, "line 1"),
        (Place(0, "page", 3), "page 3"),
        (Place(0, "row", 13, line=1), "line 1, row 13"),
        (Place(0, "line", 1, line=1), "line 1"),
    ],
)
def test_a_quote_that_moved_says_where_it_was(place: Place | None, was: str):
    one = evidence("It opened.")
    passage = replace(one.hit.passage, places=(place,) if place else ())
    moved = Citation(1, replace(one, hit=replace(one.hit, passage=passage)), "moved", 9, 9, stands=True)
    assert freshness(moved) == f"moved: was {was} when indexed"


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


WORDS = "It opened in 1894, or so it is said. [1]", " Boats pass at noon. [2]", " It is painted red each spring. [3]"


@pytest.mark.parametrize("width", [4, 11, 20, 41, 64, 65, 66, 200])
def test_an_answer_that_grows_is_wrapped_as_if_it_had_come_at_once(width: int):
    whole, grown = (Console(file=io.StringIO(), width=width, markup=False, highlight=False) for _ in range(2))
    whole.print("".join(WORDS), end="")
    growing = Growing(grown)
    for n in range(1, len(WORDS) + 1):
        growing.show("".join(WORDS[:n]))
    lines = [[line.rstrip() for line in one.file.getvalue().splitlines()] for one in (whole, grown)]
    assert lines[0] == lines[1]


def test_a_list_grows_line_by_line():
    out = Console(file=io.StringIO(), width=30)
    growing = Growing(out)
    for text in ("- One. [1]", "- One. [1]\n- Two. [2]"):
        growing.show(text)
    assert out.file.getvalue() == "- One. [1]\n- Two. [2]"


# fault 17
@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\u2060", "\ufeff", "\u061c", "\U000e0041"])
def test_what_turns_or_hides_text_is_spelled_out(hidden: str):
    assert shown(f"a{hidden}b") == f"a<U+{ord(hidden):04X}>b"


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


# fault 33
def test_an_answer_with_links_and_pictures_is_text_with_their_addresses(monkeypatch: pytest.MonkeyPatch):
    text = "Go to [the bank](http://evil.example/?q=secret) ![](http://evil.example/x.png) <http://evil.example/a>. [1]"
    screen = Screen()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    out = console()
    Growing(out).show(text)
    assert out.is_terminal
    assert screen.getvalue() == f"\x1b[1m{text}\x1b[0m"  # bold, and no other sequence


# faults 31 and 32
def test_an_answer_that_grows_is_never_obeyed():
    out = Console(file=io.StringIO(), width=80)
    Growing(out).show("A \x1b[2J [bold]b[/x] :smile:")
    assert out.file.getvalue() == "A \\x1b[2J [bold]b[/x] :smile:"


def test_a_llama_that_is_asked_in_plain_text_says_so_in_the_list():
    known, strange = (
        Manifest(name, "generate", "llama.cpp", "", "", (), "", Path("/"), chat_format=name)
        for name in ("chatml", "plain")
    )
    notes = {row[0]: row[6] for row in model_rows([known, strange], ["chatml"], 10**9)}
    assert (notes["chatml *"], notes["plain"]) == ("", "no known chat template: asked in plain text")


@pytest.mark.parametrize("term", ["xterm", "dumb"])
@pytest.mark.parametrize(
    ("columns", "head"), [(("", ""), []), (("name", "size"), ["name   size"]), (("", "size"), ["       size"])]
)
def test_a_table_has_a_head_where_it_is_given_one_and_no_row_ends_in_blanks(
    columns: tuple[str, ...],
    head: list[str],
    term: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(columns, [("one", "1"), ("three", "a longer one")])
    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).split("\n")
    assert [line.rstrip() for line in lines] == [*head, "one    1", "three  a longer one", ""]
    assert lines[-3:-1] == ["one    1", "three  a longer one"]
