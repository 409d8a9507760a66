"""An index made anew beside the old one: the same documents, cut and embedded by another model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ragqa.chunk import join, split
from ragqa.document import Block, DocumentRecord, Place
from ragqa.embed import Embedder
from ragqa.index import fingerprint
from ragqa.index.again import reindex
from ragqa.index.intake import Intake
from ragqa.index.summary import Summary
from ragqa.read.diff import diff_blocks
from ragqa.read.markdown import markdown_blocks
from ragqa.read.text import text_blocks
from ragqa.store.opening import create_index
from ragqa.store.sqlite import SQLiteStore
from ragqa.types import Matrix
from tests.conftest import CORPUS
from tests.fakes import WordEmbedder, document, letters


class OtherEmbedder(WordEmbedder):
    name = "other words"
    fingerprint = "other-words-64"


def made(path: Path, embedder: Embedder) -> SQLiteStore:
    return create_index(path, fingerprint=fingerprint(embedder), model=embedder.name, dim=embedder.dim)


@pytest.fixture
def old(tmp_path: Path) -> SQLiteStore:
    store = made(tmp_path / "index.db", WordEmbedder())
    with Intake(store, WordEmbedder(), Summary()) as intake:
        intake.take(document("# The light\n\nIt was lit in 1894.\n", id="n/a.md"))
        intake.take(document("Bread keeps in a box.\n", id="n/b.md", collection="kitchen"))
    return store


def record_of(text: str) -> DocumentRecord:
    one = document(text)
    return DocumentRecord(one.id, one.path, one.collection, one.sha256, one.size, one.mtime_ns, 1, "")


@pytest.mark.parametrize("name", sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*.md")))
@pytest.mark.parametrize("limit", [48, 160, 512])
def test_a_document_put_together_from_its_passages_is_cut_as_before(name: str, limit: int):
    text = (CORPUS / name).read_text()
    passages = split(document(text), letters, limit)
    again = join(record_of(text), passages)
    assert again.text == text
    assert split(again, letters, limit) == passages


@pytest.mark.parametrize("reader", [markdown_blocks, text_blocks, diff_blocks])
def test_blocks_that_were_divided_between_passages_are_whole_again(reader):
    text = "# A\n\n" + "A sentence of six words here. " * 20 + "\n\n```\n" + "a = b\n" * 40 + "```\n```\nc\n```\nEnd.\n"
    whole = document(text, reader=reader)
    assert join(record_of(text), split(whole, letters, 40)).blocks == whole.blocks


def test_places_that_a_passage_repeats_are_one_again():
    places = (Place(0, "page", 1), Place(260, "page", 2), Place(300, "page", 3))
    text = "A sentence of six words here. " * 20
    whole = document(text, reader=lambda text: (Block("paragraph", 0, len(text)),))
    passages = split(replace(whole, places=places), letters, 40)
    assert len(passages) > 3
    assert join(record_of(text), passages).places == places


def test_every_document_is_embedded_anew_from_its_stored_text(old: SQLiteStore, tmp_path: Path):
    target, embedder, summary = made(tmp_path / "new.db", OtherEmbedder()), OtherEmbedder(), Summary()
    reindex(old, target, embedder=embedder, summary=summary)
    assert (summary.indexed, summary.unchanged) == (2, 0)
    assert [target.text_of(id) for id in target.known()] == [old.text_of(id) for id in old.known()]
    assert [record.collection for record in target.known().values()] == ["default", "kitchen"]
    assert list(target.faults()) == []


def test_a_run_that_was_broken_off_goes_on_with_what_is_left(old: SQLiteStore, tmp_path: Path):  # fault 62
    target = made(tmp_path / "new.db", OtherEmbedder())
    with Intake(target, OtherEmbedder(), Summary()) as intake:
        intake.take(join(old.known()["n/a.md"], old.passages_of("n/a.md")))
    embedder, summary = OtherEmbedder(), Summary()
    reindex(old, target, embedder=embedder, summary=summary)
    assert (summary.indexed, summary.unchanged) == (1, 1)
    assert embedder.embedded == ["Bread keeps in a box."]


@pytest.mark.parametrize("change", ["n/a.md", "gone"])
def test_what_has_changed_since_a_run_was_broken_off_is_made_again(old: SQLiteStore, tmp_path: Path, change: str):
    target = made(tmp_path / "new.db", OtherEmbedder())
    reindex(old, target, embedder=OtherEmbedder(), summary=Summary())
    if change == "gone":
        old.remove("n/a.md")
    else:
        with Intake(old, WordEmbedder(), Summary()) as intake:
            intake.take(document("The light is out.\n", id=change))
    summary = Summary()
    reindex(old, target, embedder=OtherEmbedder(), summary=summary)
    assert (summary.indexed, summary.unchanged) == (int(change != "gone"), 1)
    assert {id: target.text_of(id) for id in target.known()} == {id: old.text_of(id) for id in old.known()}


class Failing(OtherEmbedder):
    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        vectors = super().embed_passages(texts)
        vectors[["Bread" in text for text in texts]] = np.nan
        return vectors


def test_a_document_whose_vectors_are_no_numbers_is_skipped_and_named(old: SQLiteStore, tmp_path: Path):  # fault 48
    target, summary = made(tmp_path / "new.db", OtherEmbedder()), Summary()
    reindex(old, target, embedder=Failing(), summary=summary)
    assert summary.skipped == [(Path("/n/b.md"), "bad vector")]
    assert list(target.known()) == ["n/a.md"]
