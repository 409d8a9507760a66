"""Collections of llm → store: the files are made by llm itself, with a small embedding model."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import llm
import pytest
import sqlite_utils

from ragqa.errors import UsageError
from ragqa.foreign import open_foreign
from ragqa.index.summary import Summary
from ragqa.index.takeover import take_over
from ragqa.read.embeddings import PREFIX, collections_in
from ragqa.store.opening import create_index
from ragqa.store.sqlite import SQLiteStore
from tests.fakes import WordEmbedder

TEXTS = {str(n): f"Lamp number {n} was lit in {1890 + n}." for n in range(1, 21)}


class Words(llm.EmbeddingModel):
    """`WordEmbedder` as llm knows models: what puts the prefix before a text is whoever calls it.

    Args:
        turned: Whether its vectors are another model's.
    """

    model_id = "sentence-transformers/words"
    supports_binary = True

    def __init__(self, *, turned: bool = False, length: float = 1.0) -> None:
        self.turned = turned
        self.length = length

    def embed_batch(self, items: Iterable[str | bytes]) -> Iterator[list[float]]:
        for item in items:
            vector = WordEmbedder().embed_query(str(item).removeprefix(PREFIX)) * self.length
            yield [float(value) for value in (vector[::-1] if self.turned else vector)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    opened = create_index(tmp_path / "index.db", fingerprint="f", model="words", dim=64)
    yield opened
    assert list(opened.faults()) == []
    opened.close()


def made(path: Path, texts: dict[str, str], *, model: Words | None = None, name: str = "lamps", **options: Any) -> Path:
    db = sqlite_utils.Database(path)
    llm.Collection(name, db, model=model or Words()).embed_multi(texts.items(), store=True, **options)
    db.close()
    return path


def taken(store: SQLiteStore, path: Path, embedder: WordEmbedder | None = None) -> Summary:
    summary = Summary()
    with open_foreign(path) as file:
        take_over(file, collections_in(file), store=store, embedder=embedder or WordEmbedder(), summary=summary)
    return summary


def test_vectors_that_are_the_embedders_own_are_not_made_again(store: SQLiteStore, tmp_path: Path):
    path = made(tmp_path / "e.db", {id: PREFIX + text for id, text in TEXTS.items()})
    before, embedder = path.read_bytes(), WordEmbedder()
    summary = taken(store, path, embedder)
    assert (summary.indexed, summary.reused, summary.passages, summary.notes) == (20, 20, 20, [])
    assert len(embedder.embedded) == 8  # the sample
    assert {id: store.text_of(id) for id in store.known()} == TEXTS
    (hit,) = store.search(WordEmbedder().embed_query(TEXTS["7"]), 1)
    assert (hit.passage.document_id, round(hit.score, 5)) == ("7", 1.0)
    assert path.read_bytes() == before


def test_a_second_time_all_are_unchanged(store: SQLiteStore, tmp_path: Path):
    path = made(tmp_path / "e.db", TEXTS)
    taken(store, path)
    again = taken(store, path)
    assert (again.indexed, again.unchanged, again.reused) == (0, 20, 0)


@pytest.mark.parametrize("model", [Words(turned=True), Words(length=2.0)], ids=["another model", "no unit length"])
def test_vectors_of_another_kind_are_made_again_and_that_is_said(store: SQLiteStore, tmp_path: Path, model: Words):
    summary = taken(store, made(tmp_path / "e.db", TEXTS, model=model))
    assert (summary.indexed, summary.reused) == (20, 0)
    assert summary.notes == [
        "lamps: vectors of sentence-transformers/words, of texts without the prefix, are not those of words: "
        "embedded anew"
    ]
    (hit,) = store.search(WordEmbedder().embed_query(TEXTS["7"]), 1)
    assert hit.passage.document_id == "7"


def test_one_text_of_the_sample_that_disagrees_is_enough(store: SQLiteStore, tmp_path: Path):
    path = made(tmp_path / "e.db", TEXTS)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE embeddings SET embedding = (SELECT embedding FROM embeddings WHERE id = '2') WHERE id = '1'")
    assert taken(store, path).reused == 0


def test_texts_with_the_prefix_and_without_are_judged_apart(store: SQLiteStore, tmp_path: Path):
    made(tmp_path / "e.db", {id: PREFIX + text for id, text in TEXTS.items()})
    made(tmp_path / "e.db", {f"bare {id}": text for id, text in TEXTS.items()}, model=Words(turned=True))
    summary = taken(store, tmp_path / "e.db")
    assert (summary.indexed, summary.reused, len(summary.notes)) == (40, 20, 1)


def test_a_text_that_is_longer_than_a_passage_is_embedded(store: SQLiteStore, tmp_path: Path):
    long = " ".join(f"Word{n} and more." for n in range(400))
    summary = taken(store, made(tmp_path / "e.db", TEXTS | {"long": long}))
    assert (summary.indexed, summary.reused) == (21, 20)
    assert store.text_of("long") == long


def test_a_text_that_llm_did_not_store_is_skipped_with_its_id(store: SQLiteStore, tmp_path: Path):
    path = made(tmp_path / "e.db", TEXTS)
    db = sqlite_utils.Database(path)
    other = llm.Collection("lamps", db, model=Words())
    other.embed("gone", "Not stored.", store=False)
    other.embed("bytes", b"\x00\x01", store=True)
    db.close()
    summary = taken(store, path)
    assert summary.indexed == 20
    assert summary.skipped == [(Path("gone"), "its text was not stored"), (Path("bytes"), "its text was not stored")]


def test_a_text_that_holds_a_secret_is_not_taken(store: SQLiteStore, tmp_path: Path):  # fault 9
    path = made(tmp_path / "e.db", {"1": PREFIX + "ghp_" + "k3J9xQ2mZ7vB1nC8tR5wL0yD4fG6hS1aP2oE", "2": "Bread."})
    summary = taken(store, path)
    assert (summary.indexed, summary.reasons) == (1, {"secret": 1})
    assert list(store.known()) == ["2"]


def test_what_llm_keeps_beside_a_text_is_told_with_it(store: SQLiteStore, tmp_path: Path):
    db = sqlite_utils.Database(tmp_path / "e.db")
    llm.Collection("lamps", db, model=Words()).embed(
        "1", "The lamp.", {"by": {"name": "Anna"}, "year": 1894}, store=True
    )
    db.close()
    assert taken(store, tmp_path / "e.db").indexed == 1
    assert store.text_of("1") == "by.name: Anna\nyear: 1894\n\nThe lamp."


def test_texts_with_the_same_id_in_two_collections_are_two(store: SQLiteStore, tmp_path: Path):
    for name in ("a", "b"):
        made(tmp_path / "e.db", {"1": f"Of {name}."}, name=name)
    taken(store, tmp_path / "e.db")
    assert {id: record.collection for id, record in store.known().items()} == {"1": "a", "b/1": "b"}


def test_a_collection_without_a_name_is_skipped(store: SQLiteStore, tmp_path: Path):
    path = made(tmp_path / "llm.db", {"1": "Lamp."}, name="")
    made(path, {"1": "Boat."}, name="boats")
    with open_foreign(path) as file:
        take_over(file, collections_in(file), store=store, embedder=WordEmbedder(), summary=(summary := Summary()))
    assert (store.collections(), summary.skipped) == (["boats"], [(path, "a collection without a name")])


def test_a_vector_of_nonsense_is_not_taken(store: SQLiteStore, tmp_path: Path):
    path = made(tmp_path / "e.db", TEXTS)
    with sqlite3.connect(path) as db:  # rows that no sample of eight in twenty sees
        for id, blob in (("2", b""), ("4", b"\xff" * 256), ("5", b"\0" * 256)):
            db.execute("UPDATE embeddings SET embedding = ? WHERE id = ?", (blob, id))
    summary = taken(store, path)
    assert (summary.indexed, summary.reused) == (20, 17)


def test_a_database_of_something_else_is_refused(tmp_path: Path):
    with sqlite3.connect(tmp_path / "e.db") as db:
        db.execute("CREATE TABLE posts (id)")
    with open_foreign(tmp_path / "e.db") as file, pytest.raises(UsageError, match="not llm's"):
        collections_in(file)
