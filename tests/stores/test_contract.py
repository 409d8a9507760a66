"""What every store keeps, checked against NumPy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest

from ragqa.calibrate import CalibratedStore
from ragqa.document import Block, Document, Passage
from ragqa.store import HidingStore
from ragqa.store.exact import ExactStore
from ragqa.store.opening import create_index
from ragqa.types import Calibration, Filter, Matrix, Signs
from tests.fakes import document, passage, placed

DIM = 8
STORES: dict[str, Callable[[Path], HidingStore]] = {
    "exact": lambda folder: ExactStore("f", np.zeros(DIM, np.float32)),
    "sqlite": lambda folder: create_index(folder / "index.db", fingerprint="f", model="words", dim=DIM),
    "sqlite, sketches": lambda folder: create_index(
        folder / "index.db", fingerprint="f", model="words", dim=DIM, exact=0
    ),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HidingStore]:
    opened = STORES[request.param](tmp_path)
    yield opened
    opened.close()


def unit(rows: int, seed: int = 0) -> Matrix:
    vectors = np.random.default_rng(seed).standard_normal((rows, DIM)).astype(np.float32)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def random_signs(*tokens: int) -> list[Signs]:
    """For each passage as many rows as it has tokens."""
    random = np.random.default_rng(3)
    return [random.integers(0, 256, (count, DIM // 8), np.uint8) for count in tokens]


def cut(text: str, id: str = "n/a.md", collection: str = "default") -> tuple[Document, list[Passage]]:
    """A document of one passage a line."""
    whole = document(text, id=id, collection=collection)
    return whole, placed([passage(line, document=id, ordinal=n) for n, line in enumerate(text.split("\n"), start=1)])


def test_an_empty_store_finds_nothing(store: HidingStore):
    assert store.known() == {}
    assert store.record("n/a.md") is None
    assert store.count_documents() == 0
    assert store.search(unit(1)[0], 3) == []
    assert store.match(["word"], 3) == []
    assert store.frequencies(["word"]) == ([0], 0)
    assert list(store.mentions(["word"])) == []
    assert list(store.vectors()) == []


def test_what_was_added_is_known(store: HidingStore):
    whole, passages = cut("one\ntwo", collection="kitchen")
    store.add(whole, passages, unit(2))
    record = store.known()["n/a.md"]
    assert store.record("n/a.md") == record
    assert (record.path, record.collection, record.passages) == (Path("/n/a.md"), "kitchen", 2)
    assert (record.sha256, record.size, record.mtime_ns) == (whole.sha256, 7, 1)


def test_a_passage_comes_back_as_it_was(store: HidingStore):
    text = "naïve 漢字\r\n\ttext\u2028"
    blocks = (Block("heading", 0, 9, ("One",)), Block("code", 9, len(text), ("One", 'T"wo', "漢")))
    kept = Passage("n/a.md", 1, text, 3, 20, 2, 4, ("One", 'T"wo', "漢"), blocks)
    store.add(document("x", id="n/a.md"), [kept], unit(1))
    (hit,) = store.search(unit(1)[0], 1)
    assert hit.passage == kept
    assert hit.path == Path("/n/a.md")


def test_a_path_that_is_not_utf8_comes_back_as_it_was(store: HidingStore):
    path = Path("/n/caf\udce9.md")
    store.add(document("x", path=path), [passage("x")], unit(1))
    assert store.known()["notes/a.md"].path == path


def test_a_document_with_the_same_id_is_replaced(store: HidingStore):
    store.add(*cut("one\ntwo"), unit(2))
    store.add(*cut("three"), unit(1))
    assert [hit.passage.text for hit in store.search(unit(1)[0], 9)] == ["three"]
    assert store.match(["one"], 9) == []


def test_a_document_with_the_same_path_is_replaced(store: HidingStore):
    whole, passages = cut("one")
    store.add(whole, passages, unit(1))
    store.add(replace(whole, id="other/a.md"), [replace(passages[0], document_id="other/a.md")], unit(1))
    assert list(store.known()) == ["other/a.md"]
    assert [hit.passage.document_id for hit in store.match(["one"], 9)] == ["other/a.md"]


def test_what_was_removed_is_not_found(store: HidingStore):
    store.add(*cut("one", "n/a.md"), unit(1))
    store.add(*cut("one", "n/b.md"), unit(1))
    store.remove("n/a.md")
    assert list(store.known()) == ["n/b.md"]
    assert [hit.passage.document_id for hit in store.search(unit(1)[0], 9)] == ["n/b.md"]
    assert [hit.passage.document_id for hit in store.match(["one"], 9)] == ["n/b.md"]


def test_removing_what_is_not_there_changes_nothing(store: HidingStore):
    store.add(*cut("one"), unit(1))
    store.remove("n/other.md")
    assert list(store.known()) == ["n/a.md"]


def test_search_equals_exact_cosine(store: HidingStore):
    vectors, question = unit(40, seed=1), unit(1, seed=2)[0]
    store.add(*cut("\n".join(f"passage {n}" for n in range(40))), vectors)
    exact = vectors.astype(np.float64) @ question
    order = np.argsort(-exact)[:7]
    hits = store.search(question, 7)
    assert [hit.passage.ordinal for hit in hits] == [n + 1 for n in order]
    assert [hit.score for hit in hits] == pytest.approx(exact[order], abs=1e-6)
    assert all(hit.scores["dense"] == hit.score for hit in hits)


def test_similarities_equal_exact_cosine_in_the_order_asked(store: HidingStore):
    vectors, question = unit(5, seed=1), unit(1, seed=2)[0]
    whole, passages = cut("a\nb\nc\nd\ne")
    store.add(whole, passages, vectors)
    asked = [passages[3], passages[0]]
    assert store.similarities(question, asked) == pytest.approx(
        [vectors[3] @ question, vectors[0] @ question], abs=1e-6
    )
    assert store.similarities(question, []) == []


def test_signs_come_back_as_they_were_stored_in_the_order_asked(store: HidingStore):
    whole, passages = cut("a\nb\nc")
    kept = random_signs(4, 0, 7)
    store.add(whole, passages, unit(3), kept)
    found = store.signs([passages[2], passages[0], passages[1]])
    assert [(one.shape, one.dtype) for one in found] == [((7, 1), np.uint8), ((4, 1), np.uint8), ((0, 1), np.uint8)]
    assert all(np.array_equal(one, kept[n]) for one, n in zip(found, (2, 0, 1), strict=True))
    assert store.signs([]) == []


def test_a_passage_stored_without_signs_has_none(store: HidingStore):
    whole, passages = cut("a\nb")
    store.add(whole, passages, unit(2))
    assert [one.shape for one in store.signs(passages)] == [(0, 1), (0, 1)]


def test_signs_are_replaced_with_their_document(store: HidingStore):
    whole, passages = cut("a\nb")
    first, second = random_signs(3, 3), random_signs(5)
    store.add(whole, passages, unit(2), first)
    store.add(*cut("c"), unit(1), second)
    (found,) = store.signs(passages[:1])
    assert np.array_equal(found, second[0])
    store.add(*cut("d"), unit(1))
    assert [len(one) for one in store.signs(passages[:1])] == [0]


def test_a_document_that_was_removed_meanwhile_has_no_signs(store: HidingStore):
    whole, passages = cut("a")
    store.add(whole, passages, unit(1), random_signs(3))
    store.remove(whole.id)
    assert [one.shape for one in store.signs(passages)] == [(0, 1)]


def test_hidden_documents_have_their_signs_again_afterwards(store: HidingStore):
    whole, passages = cut("a")
    store.add(whole, passages, unit(1), random_signs(3))
    with store.without([whole.id]):
        pass
    assert [len(one) for one in store.signs(passages)] == [3]


def test_a_new_store_measures_from_the_origin(store: HidingStore):
    assert (store.centre.dtype, store.centre.tolist()) == (np.float32, [0] * DIM)


def test_a_filter_hides_other_collections_before_the_best_are_taken(store: HidingStore):
    near, far = unit(1)[0], -unit(1)[0]
    store.add(*cut("word near\nword near", "n/a.md", "one"), np.array([near, near]))
    store.add(*cut("word far", "n/b.md", "two"), np.array([far]))
    store.add(*cut("word", "n/c.md", "o'three"), np.array([far]))
    only = Filter(("two",))
    assert [hit.passage.document_id for hit in store.search(near, 1, only)] == ["n/b.md"]
    assert [hit.passage.document_id for hit in store.match(["word"], 1, only)] == ["n/b.md"]
    assert store.count_documents(only) == 1
    assert [len(rows) for _passages, rows in store.vectors(only)] == [1]
    both = Filter(("two", "o'three"))
    assert {hit.passage.document_id for hit in store.search(near, 9, both)} == {"n/b.md", "n/c.md"}
    assert store.search(near, 9, Filter(("none",))) == []
    assert len(store.search(near, 9, Filter())) == 4


NEAR = unit(1)[0]
# Two passages near what is searched for, then six far from it; each document has its own date, type, tags and folder.
MADE = {
    "notes/2023/a.md": {"date": "2023-05-01", "type": "markdown", "tags": ("sea",)},
    "notes/2024/b.pdf": {"date": "2024-01-31", "type": "pdf", "tags": ("light", "sea")},
    "notes/2024/[c].md": {"date": "", "type": "markdown", "tags": ()},
    "letters/d.txt": {"date": "2025-12-31", "type": "text", "tags": ("light",)},
}


@pytest.fixture
def shelf(store: HidingStore) -> HidingStore:
    """The first document is nearest to what is searched for; the file of the third is of 1970-01-01."""
    for n, (id, about) in enumerate(MADE.items()):
        whole, passages = cut("word one\nword two", id, "notes" if id.startswith("notes") else "post")
        vectors = np.array([NEAR, NEAR]) if not n else unit(2, seed=n)
        store.add(replace(whole, **about), passages, vectors)
    return store


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        (Filter(types=("pdf",)), "b"),
        (Filter(types=("pdf", "text")), "bd"),
        (Filter(tags=("light",)), "bd"),
        (Filter(tags=("light", "sea")), "abd"),
        (Filter(tags=("light",), types=("pdf",)), "b"),
        (Filter(paths=("notes/2024/*",)), "bc"),
        (Filter(paths=("notes/2024",)), "bc"),
        (Filter(paths=("notes/2024/",)), "bc"),
        (Filter(paths=("notes",), types=("markdown",)), "ac"),
        (Filter(paths=("letters/d.txt", "notes/2023")), "ad"),
        (Filter(paths=("/letters/d.txt",)), "d"),
        (Filter(paths=("**/b.pdf",)), "b"),
        (Filter(paths=("**/2024",)), "bc"),
        (Filter(paths=("*.md",)), "ac"),
        (Filter(paths=("notes/2024/[[]c].md",)), "c"),
        (Filter(paths=("notes/20",)), ""),
        (Filter(paths=("Notes",)), ""),
        (Filter(paths=("/",)), "abcd"),
        (Filter(paths=("//",)), "abcd"),
        (Filter(after="2024-01-31"), "bd"),
        (Filter(after="2024-02-01"), "d"),
        (Filter(before="2024-01-31"), "abc"),
        (Filter(before="1970-01-01"), "c"),
        (Filter(after="2023-01-01", before="2024-12-31"), "ab"),
        (Filter(collections=("post",), tags=("light",)), "d"),
        (Filter(collections=("post",), types=("pdf",)), ""),
        (Filter(tags=("none",)), ""),
    ],
    ids=str,
)
def test_only_documents_that_fulfil_a_filter_are_seen_by_anything(shelf: HidingStore, where: Filter, ids: str):
    allowed = {id for id in MADE if Path(id).stem.strip("[]") in ids}
    assert set(shelf.known(where)) == allowed
    assert shelf.count_documents(where) == len(allowed)
    assert {hit.passage.document_id for hit in shelf.search(NEAR, 99, where)} == allowed
    assert {hit.passage.document_id for hit in shelf.match(["word"], 99, where)} == allowed
    assert {one.passage.document_id for one in shelf.mentions(["word"], where)} == allowed
    assert {one.document_id for some, _rows in shelf.vectors(where) for one in some} == allowed
    assert shelf.frequencies(["one"], where) == ([len(allowed)], 2 * len(allowed))


def test_the_date_of_a_file_is_the_day_it_was_here(store: HidingStore, monkeypatch: pytest.MonkeyPatch):
    whole, passages = cut("word one\nword two", "a.md", "notes")
    late = replace(whole, mtime_ns=int(datetime(2024, 1, 30, 20, 0, tzinfo=UTC).timestamp()) * 10**9)
    store.add(late, passages, unit(2))
    with clock_of("Asia/Tokyo", monkeypatch):
        assert (store.count_documents(Filter(after="2024-01-31", before="2024-01-31"))) == 1
    with clock_of("America/New_York", monkeypatch):
        assert (store.count_documents(Filter(after="2024-01-30", before="2024-01-30"))) == 1


@contextmanager
def clock_of(zone: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        yield
    time.tzset()


def test_any_number_of_paths_is_compared(shelf: HidingStore):
    assert set(shelf.known(Filter(paths=(*map(str, range(1500)), "letters")))) == {"letters/d.txt"}


def test_a_path_is_found_however_its_accents_were_written(store: HidingStore):
    apart = normalize("NFD", "Bücher/Käse.md")
    for n, id in enumerate((apart, f"{apart[:7]}/Käse.txt")):
        whole, passages = cut("word one\nword two", id, "notes")
        store.add(whole, passages, unit(2, seed=n))
    assert store.count_documents(Filter(paths=("Bücher",))) == 2
    assert store.count_documents(Filter(paths=("Bücher/K?se.md",))) == 1


@pytest.mark.parametrize(
    "where", [Filter(tags=("light",)), Filter(paths=("letters",)), Filter(after="2025-01-01")], ids=str
)
def test_a_filter_holds_before_the_best_are_taken(shelf: HidingStore, where: Filter):
    (hit,) = shelf.search(NEAR, 1, where)
    assert hit.passage.document_id in shelf.known(where)
    assert hit.score == max(one.score for one in shelf.search(NEAR, 99, where))


def test_match_finds_any_of_the_words_rare_ones_first(store: HidingStore):
    store.add(*cut("common rare\ncommon thing\ncommon other\nnothing here\nnor here\nnor there"), unit(6))
    hits = store.match(["common", "rare"], 9)
    assert {hit.passage.ordinal for hit in hits} == {1, 2, 3}
    assert hits[0].passage.ordinal == 1
    assert all(hit.score == hit.scores["lexical"] > 0 for hit in hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(store.match(["common"], 2)) == 2


def test_match_ignores_case_and_finds_nothing_for_no_words(store: HidingStore):
    store.add(*cut("Bridge"), unit(1))
    assert len(store.match(["bridge"], 9)) == 1
    assert store.match([], 9) == []


def test_frequencies_count_passages_not_words(store: HidingStore):
    store.add(*cut("one one one\none two\nthree"), unit(3))
    assert store.frequencies(["one", "three", "four"]) == ([2, 1, 0], 3)
    assert store.frequencies([]) == ([], 3)


def test_frequencies_obey_the_filter(store: HidingStore):
    store.add(*cut("one\none", "n/a.md", "a"), unit(2))
    store.add(*cut("one\ntwo", "n/b.md", "b"), unit(2))
    assert store.frequencies(["one"], Filter(("b",))) == ([1], 2)


def found(store: HidingStore, *words: str, where: Filter | None = None) -> list[tuple[str, list[str]]]:
    """Id of each passage that mentions the words, and what was found in it."""
    return [
        (one.passage.id, [one.passage.text[start:end] for start, end in one.spans])
        for one in store.mentions(words, where)
    ]


def test_mentions_are_all_passages_with_all_of_the_words_and_where_they_stand(store: HidingStore):
    store.add(*cut("Red house, red roof\nred\nhouse, REDHOUSE", "n/a.md"), unit(3))
    assert found(store, "red") == [("n/a.md#1", ["Red", "red"]), ("n/a.md#2", ["red"])]
    assert found(store, "roof", "red") == [("n/a.md#1", ["Red", "red", "roof"])]
    assert found(store, "barn") == []
    assert [one.path for one in store.mentions(["roof"])] == [Path("/n/a.md")]


def test_a_phrase_is_mentioned_where_its_words_follow_each_other(store: HidingStore):
    store.add(*cut("the write-ahead log\nahead of the write\nI write\nWRITE  ahead"), unit(4))
    assert found(store, "write ahead") == [("n/a.md#1", ["write-ahead"]), ("n/a.md#4", ["WRITE  ahead"])]
    assert found(store, "Write-Ahead") == found(store, "write ahead")


def test_a_heading_above_a_passage_is_no_mention_in_it(store: HidingStore):
    store.add(document("x"), [passage("text", heading=("Red",))], unit(1))
    assert found(store, "red") == []


def test_mentions_obey_the_filter(store: HidingStore):
    store.add(*cut("one", "n/a.md", "a"), unit(1))
    store.add(*cut("one", "n/b.md", "b"), unit(1))
    assert found(store, "one", where=Filter(("b",))) == [("n/b.md#1", ["one"])]
    assert len(found(store, "one", where=Filter(("a", "b")))) == 2


# fault 38
@pytest.mark.parametrize("word", ['"', 'a" OR "b', "a*", "text:a", "NEAR(a b)", "?1", ""])
def test_no_word_that_is_looked_for_is_an_operator(store: HidingStore, word: str):
    store.add(*cut("a b\nb c"), unit(2))
    assert found(store, word) in ([], [("n/a.md#1", ["a"])])


def test_vectors_give_all_passages_with_their_rows(store: HidingStore):
    vectors = unit(3)
    store.add(*cut("a\nb", "n/a.md"), vectors[:2])
    store.add(*cut("c", "n/c.md"), vectors[2:])
    batches = list(store.vectors())
    assert [one.text for passages, _ in batches for one in passages] == ["a", "b", "c"]
    assert np.array_equal(np.concatenate([rows for _, rows in batches]), vectors)


@pytest.mark.parametrize("bad", [np.nan, 0.0, np.inf, 2.0])
def test_a_bad_vector_is_refused_and_nothing_is_stored(store: HidingStore, bad: float):
    vectors = unit(2)
    vectors[1] *= bad
    with pytest.raises(ValueError, match="unit length"), np.errstate(invalid="ignore"):
        store.add(*cut("one\ntwo"), vectors)
    assert store.known() == {}
    assert store.match(["one"], 9) == []


def test_a_bad_vector_leaves_what_was_there(store: HidingStore):
    store.add(*cut("one"), unit(1))
    with pytest.raises(ValueError, match="unit length"):
        store.add(*cut("two"), np.zeros((1, DIM), np.float32))
    assert [hit.passage.text for hit in store.search(unit(1)[0], 9)] == ["one"]


def seen(store: HidingStore) -> tuple[object, ...]:
    """All that a search can tell of a store."""
    words = ["bread", "tower"]
    found = [*store.search(unit(1)[0], 9), *store.match(words, 9)]
    return ([(hit.passage.id, hit.score) for hit in found], store.frequencies(words), store.count_documents())


def test_without_a_document_all_is_as_if_it_had_never_been_added(store: HidingStore):
    store.add(*cut("bread and wine\nthe tower"), unit(2))
    before = seen(store)
    store.add(*cut("bread of the tower\nbread", id="n/b.md"), unit(2, seed=1))
    with store.without(["n/b.md"]):
        assert seen(store) == before
        assert store.record("n/b.md") is None
    assert seen(store) != before


def test_what_was_hidden_is_back_even_after_an_error(store: HidingStore):
    store.add(*cut("bread\nthe tower"), unit(2))
    before = seen(store)
    with pytest.raises(ZeroDivisionError), store.without(["n/a.md"]):
        1 / len(store.search(unit(1)[0], 9))
    assert seen(store) == before


def test_the_passages_of_a_document_come_in_order(store: HidingStore):
    store.add(*cut("one\ntwo\nthree"), unit(3))
    store.add(*cut("four", "n/b.md"), unit(1))
    assert [kept.text for kept in store.passages_of("n/a.md")] == ["one", "two", "three"]
    assert store.passages_of("n/other.md") == []


def test_a_calibration_is_kept_in_place_of_the_one_before(store: CalibratedStore):
    assert store.calibration == Calibration()
    for kept in (Calibration(1.5, -0.5, "w", 30, 40), Calibration(1.0, 0.0, "w", 60, 40)):
        store.calibrate(kept)
        assert store.calibration == kept
