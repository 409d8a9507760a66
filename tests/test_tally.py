"""What is counted, on documents small enough to count by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ragqa.store import VectorStore
from ragqa.store.exact import ExactStore
from ragqa.store.opening import create_index
from ragqa.tally import QUOTED, searched, tally
from ragqa.types import Filter, Tally
from ragqa.whole import recognise
from tests.fakes import WordEmbedder, document, passage

# Id, collection, passages.
LIBRARY = [
    ("n/red.md", "notes", ["# Red\n\nA red barn. It is old.", "The roof is red, too.", "A door of oak."]),
    ("n/blue.md", "notes", ["A blue door.", "The barn has a red roof and a red gate."]),
    ("k/bread.md", "kitchen", ["Rye bread.\n\n```\nred = 1\nrye = 2\n```\n", "Red beet bread."]),
    ("k/soup.md", "kitchen", ["Hot soup."]),
]
STORES: dict[str, Callable[[Path], VectorStore]] = {
    "exact": lambda folder: ExactStore(),
    "sqlite": lambda folder: create_index(folder / "index.db", fingerprint="f", model="words", dim=64),
}


def fill(store: VectorStore, library: list[tuple[str, str, list[str]]]) -> None:
    for id, collection, texts in library:
        passages, line = [], 1
        for n, text in enumerate(texts, start=1):
            passages.append(passage(text, document=id, ordinal=n, line=line))
            line += text.count("\n") + 1
        store.add(
            document("\n".join(texts), id=id, collection=collection), passages, WordEmbedder().embed_passages(texts)
        )


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> VectorStore:
    opened = STORES[request.param](tmp_path)
    fill(opened, LIBRARY)
    return opened


def count(store: VectorStore, question: str, *collections: str) -> Tally:
    asked = recognise(question)
    assert asked
    counted = tally(asked, store=store, where=Filter(collections) if collections else None)
    assert counted
    return counted


def test_documents_that_mention_a_word_are_counted_those_with_most_passages_first(store: VectorStore):
    found = count(store, "How many notes mention Red?")
    assert (found.count, found.of, found.query, found.forms) == (3, 4, "red", ("red",))
    assert [(one.id, one.passages, one.mentions, one.line) for one in found.listed] == [
        ("k/bread.md", 2, 2, 4),
        ("n/red.md", 2, 3, 1),
        ("n/blue.md", 1, 2, 2),
    ]
    assert found.text == "3 of 4 documents mention “Red” (searched: red)"


def test_a_single_document_mentions_in_the_singular(store: VectorStore):
    assert count(store, "Which notes mention soup?").text == "1 of 4 documents mentions “soup” (searched: soup)"


def test_what_no_document_mentions_is_said_with_what_was_searched(store: VectorStore):
    found = count(store, "Which notes mention sourdough?")
    assert (found.count, found.of, found.listed) == (0, 4, ())
    assert found.text == "No document mentions “sourdough” (searched: sourdough)"


def test_two_subjects_may_stand_anywhere_in_a_document(store: VectorStore):
    found = count(store, "Which notes mention red and door?")
    assert [(one.id, one.passages) for one in found.listed] == [("n/red.md", 3), ("n/blue.md", 2)]
    assert found.text == "2 of 4 documents mention “red” and “door” (searched: red AND door)"


def test_one_of_two_subjects_is_enough_with_or(store: VectorStore):
    found = count(store, "Which notes mention soup or door?")
    assert {one.id for one in found.listed} == {"k/soup.md", "n/red.md", "n/blue.md"}
    assert found.text.startswith("3 of 4 documents mention “soup” or “door” (searched: soup OR door")


def test_the_words_of_one_subject_must_stand_in_one_passage(store: VectorStore):
    found = count(store, "Which notes mention barn door?")
    assert (found.count, found.query) == (0, "barn AND door")
    found = count(store, "Which notes mention roof gate?")
    assert [one.id for one in found.listed] == ["n/blue.md"]
    assert found.text.endswith(" mentions “roof gate” (searched: roof AND gate, in one passage)")


def test_a_phrase_must_stand_as_it_is(store: VectorStore):
    assert [one.id for one in count(store, "Which notes mention “red roof”?").listed] == ["n/blue.md"]
    assert count(store, "Which notes mention “roof red”?").count == 0


def test_passages_are_counted_of_passages(store: VectorStore):
    found = count(store, "How many passages mention red?")
    assert (found.counted, found.count, found.of) == ("passages", 5, 8)
    assert found.text == "5 of 8 passages mention “red”, in 3 documents (searched: red)"
    assert count(store, "How many passages mention red and roof?").count == 2


def test_mentions_are_counted_in_the_text_most_first(store: VectorStore):
    found = count(store, "How many times is red mentioned?")
    assert (found.counted, found.count, found.of) == ("mentions", 7, 4)
    assert [(one.id, one.mentions) for one in found.listed] == [("n/red.md", 3), ("k/bread.md", 2), ("n/blue.md", 2)]
    assert found.text == "“red” is mentioned 7 times in 3 of 4 documents (searched: red)"
    assert count(store, "How many times are red and door mentioned?").count == 9


def test_a_filter_and_a_collection_in_the_question_narrow_what_is_counted(store: VectorStore):
    found = count(store, "How many documents mention red?", "kitchen")
    assert (found.count, found.of, found.text[:41]) == (1, 2, "1 of 2 documents in collection “kitchen” ")
    asked = count(store, "How many documents mention red in collection Kitchen?")
    assert asked == found
    assert count(store, "How many documents are in collection kitchen?", "kitchen", "notes").count == 2


@pytest.mark.parametrize("collections", [(), ("notes",)])
def test_a_collection_that_may_not_be_seen_is_not_counted(store: VectorStore, collections: tuple[str, ...]):
    asked = recognise(f"How many files in collection {'kitchen' if collections else 'garden'}?")
    assert asked
    assert tally(asked, store=store, where=Filter(collections)) is None


def test_all_documents_are_counted_from_what_is_known_of_them(store: VectorStore):
    found = count(store, "How many documents are there?")
    assert (found.count, found.of, found.listed, found.query, found.text) == (4, 4, (), "", "4 documents")
    found = count(store, "How many passages are there?", "notes")
    assert (found.count, found.text) == (5, "5 passages in 2 documents in collection “notes”")


def test_all_documents_are_listed_where_they_are_asked_for(store: VectorStore):
    found = count(store, "What documents do I have?")
    assert [(one.id, one.passages) for one in found.listed] == [
        ("k/bread.md", 2),
        ("k/soup.md", 1),
        ("n/blue.md", 2),
        ("n/red.md", 3),
    ]
    assert {one.evidence for one in found.listed} == {None}


def test_a_document_is_quoted_with_its_first_sentence_that_mentions_it(store: VectorStore):
    quotes = {one.id: one.evidence for one in count(store, "Which notes mention red?").listed}
    shown = {id: (one.quote, one.line_start, one.hit.passage.ordinal) for id, one in quotes.items() if one}
    assert shown["n/red.md"] == ("A red barn.", 3, 1)  # not the heading
    assert shown["k/bread.md"] == ("Red beet bread.", 8, 2)  # not the code
    for one in quotes.values():
        assert one
        assert one.hit.passage.text[one.start : one.end] == one.quote


def test_where_no_sentence_mentions_it_the_line_is_quoted(store: VectorStore):
    fill(store, [("n/title.md", "notes", ["# The Quince \n\nA tree."])])
    (found,) = count(store, "Which notes mention quince?").listed
    assert found.evidence
    assert (found.evidence.quote, found.evidence.line_start, found.line) == ("# The Quince", 1, 1)


def test_only_the_first_documents_are_quoted_and_all_are_listed(store: VectorStore):
    fill(store, [(f"n/{n:02}.md", "notes", ["A fig."]) for n in range(QUOTED + 3)])
    listed = count(store, "Which notes mention figs or fig?").listed
    assert [bool(one.evidence) for one in listed] == [True] * QUOTED + [False] * 3


def test_other_forms_of_a_word_are_counted_and_said(tmp_path: Path):
    store = STORES["sqlite"](tmp_path)
    fill(store, [("n/a.md", "notes", ["Two universities. A universe."]), ("n/b.md", "notes", ["Its universities."])])
    found = count(store, "Which notes mention university?")
    assert found.forms == ("universities", "universe")
    assert found.text.endswith("(searched: university; found: universities, universe)")


def test_a_query_is_written_as_fts5_takes_it():
    assert searched([("docker",)], True) == "docker"
    assert searched([("write-ahead", "log"), ('the "log"',)], False) == '("write-ahead" AND log) OR "the ""log"""'
    assert searched([("NOT",)], True) == '"NOT"'


def test_only_documents_that_the_filter_allows_are_counted(store: VectorStore):
    where = Filter(paths=("n",), terms=("n",))
    asked, every = recognise("How many notes mention Red?"), recognise("List all documents")
    assert asked
    assert every
    some, all_of_them = tally(asked, store=store, where=where), tally(every, store=store, where=where)
    assert some
    assert all_of_them
    assert (some.count, some.of) == (2, 2)
    assert some.text.startswith("2 of 2 documents (only n) mention “Red”")
    assert [one.id for one in all_of_them.listed] == ["n/blue.md", "n/red.md"]


def test_a_collection_that_the_question_names_narrows_the_filter_further(store: VectorStore):
    asked = recognise("How many documents mention bread in collection kitchen?")
    assert asked
    found = tally(asked, store=store, where=Filter(paths=("k/soup.md",)))
    assert found
    assert (found.count, found.of) == (0, 1)
