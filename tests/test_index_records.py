"""Records → store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from ragqa.document import record_path
from ragqa.index import update_index
from ragqa.index.records import index_records
from ragqa.index.summary import Summary
from ragqa.read.freshness import cite
from ragqa.read.records import Record, Unread
from ragqa.store.opening import create_index
from ragqa.store.sqlite import SQLiteStore
from ragqa.types import Evidence
from tests.fakes import WordEmbedder

TOKEN = "ghp_" + "k3J9xQ2mZ7vB1nC8tR5wL0yD4fG6hS1aP2oE"
LAMP, BREAD = Record("1", "The lamp was lit in 1894."), Record("2", "Bread keeps in a box.")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    opened = create_index(tmp_path / "index.db", fingerprint="f", model="words", dim=64)
    yield opened
    assert list(opened.faults()) == []
    opened.close()


def index(
    store: SQLiteStore,
    *records: Record | Unread,
    collection: str = "posts",
    embedder: WordEmbedder | None = None,
    prune: bool = False,
    secrets: bool = False,
) -> dict[str, int]:
    summary = Summary()
    index_records(
        iter(records),
        collection=collection,
        store=store,
        embedder=embedder or WordEmbedder(),
        summary=summary,
        prune=prune,
        secrets=secrets,
    )
    return did(summary)


def did(summary: Summary) -> dict[str, int]:
    counts = {name: getattr(summary, name) for name in ("indexed", "unchanged", "removed")}
    return {name: n for name, n in (counts | {"skipped": len(summary.skipped)}).items() if n}


def texts(store: SQLiteStore) -> dict[str, str]:
    return {id: store.text_of(id) for id in store.known()}


def test_a_record_is_a_document_that_no_file_holds(store: SQLiteStore):
    assert index(store, LAMP, BREAD) == {"indexed": 2}
    found = store.known()["1"]
    assert (found.path, found.collection, found.type) == (Path("-/posts/1"), "posts", "record")
    assert texts(store) == {"1": LAMP.text, "2": BREAD.text}


def test_new_changed_and_unchanged_records_are_told_apart(store: SQLiteStore):
    index(store, LAMP, BREAD)
    embedder = WordEmbedder()
    assert index(store, LAMP, Record("2", "New."), Record("3", "Three."), embedder=embedder) == {
        "indexed": 2,
        "unchanged": 1,
    }
    assert embedder.embedded == ["New.", "Three."]
    assert texts(store) == {"1": LAMP.text, "2": "New.", "3": "Three."}


def test_where_none_come_at_all_none_are_removed_even_with_prune(store: SQLiteStore):
    index(store, LAMP, BREAD)
    assert index(store, prune=True) == {"skipped": 1}
    assert len(store.known()) == 2


def test_those_that_did_not_come_are_removed_with_prune_only(store: SQLiteStore):
    index(store, LAMP, BREAD)
    index(store, BREAD, collection="other")
    assert index(store, LAMP) == {"unchanged": 1}
    assert index(store, LAMP, prune=True) == {"unchanged": 1, "removed": 1}
    assert sorted(texts(store)) == ["1", "other/2"]


def test_nothing_is_pruned_where_a_line_could_not_be_read(store: SQLiteStore):
    index(store, LAMP, BREAD)
    assert index(store, LAMP, Unread("line 2", "no JSON"), prune=True) == {"unchanged": 1, "skipped": 1}
    assert len(texts(store)) == 2


def test_a_record_that_says_nothing_now_is_removed(store: SQLiteStore):
    index(store, LAMP, BREAD)
    assert index(store, Record("1", " \n")) == {"removed": 1, "skipped": 1}
    assert texts(store) == {"2": BREAD.text}


@pytest.mark.parametrize("secret", [Record("1", TOKEN), Record(TOKEN, "Text."), Record("1", "Text.", TOKEN)])
def test_a_record_that_holds_a_secret_is_not_taken(store: SQLiteStore, secret: Record):  # fault 9
    assert index(store, secret, BREAD) == {"indexed": 1, "skipped": 1}
    assert texts(store) == {"2": BREAD.text}
    assert index(store, secret, BREAD, secrets=True) == {"indexed": 1, "unchanged": 1}


def test_a_record_that_becomes_secret_is_removed(store: SQLiteStore):  # fault 9
    index(store, LAMP, BREAD)
    assert index(store, Record("1", TOKEN)) == {"removed": 1, "skipped": 1}
    assert texts(store) == {"2": BREAD.text}


def test_an_id_that_another_document_has_is_put_under_its_collection(store: SQLiteStore, tmp_path: Path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("A file.")
    update_index([tmp_path / "notes"], store=store, embedder=WordEmbedder(), summary=Summary())
    named = Record("notes/a.md", "A record.")
    index(store, named)
    index(store, named, Record("posts/notes/a.md", "Another."), collection="other")
    assert texts(store) == {
        "notes/a.md": "A file.",
        "posts/notes/a.md": "A record.",
        "other/notes/a.md": "A record.",
        "other/posts/notes/a.md": "Another.",
    }
    assert index(store, named) == {"unchanged": 1}


@pytest.mark.parametrize(
    "id", ["../1", "a//b", "/etc/passwd", ".", "..", "a/./b", "1/", "%2F", "\n\x1b[2J", "x" * 5000]
)
def test_an_id_of_any_kind_is_a_place_of_its_own(store: SQLiteStore, id: str):
    assert index(store, Record(id, "One."), Record("a/b", "Two."), Record("1", "Three.")) == {"indexed": 3}
    assert index(store, Record(id, "One.")) == {"unchanged": 1}
    assert not store.known()[id].path.is_absolute()


def test_places_of_records_differ():
    ids = ["a/b", "a//b", "a/./b", "a%2Fb", "a/../b", "a/%2E/b", "a/%/b", ".", "..", "%", "/", "//"]
    places = {record_path(collection, id) for collection in ("c", "c/a", "c%2Fa") for id in ids}
    assert len(places) == 3 * len(ids)


def test_records_are_not_gone_because_no_file_is_there(store: SQLiteStore, tmp_path: Path):
    index(store, LAMP)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("A file.")
    summary = Summary()
    for root in (tmp_path / "notes", tmp_path):
        update_index([root], store=store, embedder=WordEmbedder(), summary=summary)
    assert "1" in texts(store)


def test_a_collection_with_another_name_keeps_its_records_and_the_old_name_is_free(store: SQLiteStore):
    index(store, LAMP, BREAD, collection="posts/2024")
    store.rename_collection("posts/2024", "blog")
    assert store.known()["1"].path == Path("-/blog/1")
    assert index(store, LAMP, collection="blog", prune=True) == {"unchanged": 1, "removed": 1}
    assert index(store, LAMP, collection="posts/2024") == {"indexed": 1}
    assert sorted(store.known()) == ["1", "posts/2024/1"]


def test_what_a_record_says_is_quoted_as_it_is(store: SQLiteStore):
    index(store, LAMP)
    (hit,) = store.search(WordEmbedder().embed_query(LAMP.text), 1)
    quoted = Evidence(hit, LAMP.text, 0, len(LAMP.text), 1, 1, 0.9)
    (citation,) = cite([quoted], store.record)
    assert (citation.fresh, citation.stands) == ("same", True)


def test_what_was_done_is_kept_when_it_is_broken_off(store: SQLiteStore):
    def until_interrupted() -> Iterable[Record]:
        for n in range(1000):
            if n == 500:
                raise KeyboardInterrupt
            yield Record(str(n), f"Lamp number {n}.")

    summary = Summary()
    with pytest.raises(KeyboardInterrupt):
        index_records(until_interrupted(), collection="c", store=store, embedder=WordEmbedder(), summary=summary)
    assert 300 < summary.indexed == len(texts(store)) < 500


def test_what_is_known_of_a_record_is_told_before_it_and_not_quoted(store: SQLiteStore):
    index(store, Record("1", "The lamp.", "author: Anna"))
    (passage,) = store.passages_of("1")
    assert [(block.kind, passage.text[block.start : block.end]) for block in passage.blocks] == [
        ("front", "author: Anna\n\n"),
        ("paragraph", "The lamp."),
    ]


def test_an_id_that_is_given_twice_is_said_and_the_first_one_kept(store: SQLiteStore):
    assert index(store, LAMP, Record("1", "Another."), BREAD) == {"indexed": 2, "skipped": 1}
    assert texts(store) == {"1": LAMP.text, "2": BREAD.text}
