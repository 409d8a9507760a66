"""`--where` at the door: what it narrows, and what is said where it leaves nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from ragqa.store.opening import create_index
from ragqa.where import LONGEST
from tests.conftest import Done, Ragqa
from tests.fakes import WordEmbedder, document, passage

MADE = {
    "notes/light.md": {"type": "markdown", "tags": ("light", "sea"), "date": "2024-01-31"},
    "notes/boat.pdf": {"tags": ("sea",), "type": "pdf"},
    "post/letter.md": {"collection": "post"},
}


@pytest.fixture
def shelf(ragqa: Ragqa) -> Ragqa:
    """Three documents, of an embedder that is not there: whoever loads a model fails."""
    ragqa.home.mkdir()
    with closing(create_index(ragqa.db, fingerprint="f", model="nobody", dim=64)) as store:
        for id, about in MADE.items():
            whole = replace(document("Lit.", id=id, path=ragqa.cwd / id), **about)  # type: ignore[arg-type]
            store.add(whole, [passage("Lit.", document=id)], WordEmbedder().embed_passages(["Lit."]))
    return ragqa


Quick = Callable[..., Done]


def listed(quick: Quick, *terms: str) -> list[str]:
    done = quick("ls", "--nl", *(word for term in terms for word in ("--where", term)))
    assert done.code == 0
    return [line["id"] for line in done.lines]


def test_documents_are_listed_by_what_they_are(shelf: Ragqa, quick: Quick):
    assert listed(quick, "tag:sea") == ["notes/boat.pdf", "notes/light.md"]
    assert listed(quick, "tag:sea", "type:md") == ["notes/light.md"]
    assert listed(quick, "notes") == listed(quick, "notes/*") == ["notes/boat.pdf", "notes/light.md"]
    assert listed(quick, "letter.md", "boat.pdf") == ["notes/boat.pdf", "post/letter.md"]
    assert listed(quick, "after:2024-01", "before:2024") == ["notes/light.md"]
    assert listed(quick, str(shelf.cwd / "post")) == ["post/letter.md"]


@pytest.mark.parametrize("command", ["ask", "search", "ls"])
def test_where_no_document_is_left_it_is_said_before_a_model_is_opened(shelf: Ragqa, quick: Quick, command: str):
    words = ["Lit?"] if command != "ls" else []
    done = quick(command, *words, "--where", "tag:see")
    assert (done.code, done.out) == (4, "")
    assert done.err == "ragqa: no document fulfils tag:see\n  hint: there are: sea, light\n"


def test_of_several_terms_it_is_said_how_many_each_leaves(shelf: Ragqa, quick: Quick):
    done = quick("ls", "--where", "tag:light", "--where", "letter.md")
    assert done.code == 4
    assert "hint: alone: tag:light 1, letter.md 1" in done.err


def test_similar_compares_within_them(shelf: Ragqa, quick: Quick):
    done = quick("similar", "post", "-c", "x", "--where", "tag:sea")
    assert (done.code, "no document fulfils tag:sea" in done.err) == (4, True)


def test_the_root_holds_all_files(shelf: Ragqa, quick: Quick, monkeypatch: pytest.MonkeyPatch):
    assert listed(quick, "/") == sorted(MADE)
    monkeypatch.chdir("/")
    assert listed(quick, ".") == sorted(MADE)


def test_the_longest_pattern_is_compared(shelf: Ragqa, quick: Quick):
    assert quick("ls", "--where", f"{'x' * (LONGEST - len(str(shelf.cwd)) - 1)}").code == 4


@pytest.mark.parametrize("term", ["tags:sea", "after:soon", "type:floppy", "", "tag:\udcff", "x" * 60_000])
def test_what_makes_no_sense_is_a_mistake_of_the_command_line(shelf: Ragqa, quick: Quick, term: str):
    assert quick("ls", "--where", term).code == 2


def test_what_is_given_with_the_question_has_no_documents_to_choose_from(shelf: Ragqa, quick: Quick):
    done = quick("ask", "Lit?", "--with", "a.md", "--where", "tag:sea")
    assert (done.code, "--where" in done.err) == (2, True)


def test_counting_respects_it_and_opens_no_model(shelf: Ragqa, quick: Quick):
    done = quick("ask", "How many documents mention Lit?", "--where", "tag:sea", "--no-log", "--json")
    assert (done.code, done.json["tally"]["count"], done.json["tally"]["of"]) == (0, 2, 2)
    assert "(only tag:sea)" in done.json["answer"]
