"""A document's text as it was indexed, and collections as a whole; none of it needs a model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from ragqa.document import Document, Place, record_path
from ragqa.store.opening import create_index, open_index
from ragqa.types import Filter
from tests.cli.test_care import index, kept, stored_bytes
from tests.conftest import BREAD, LIGHTHOUSE, Done, Ragqa
from tests.fakes import WordEmbedder, document, passage

Quick = Callable[..., Done]
APART, TOGETHER = "Bu\u0308cher", "B\u00fccher"  # as a Mac may write it, and as keyboards do
LIGHT = f"# The light\n\n{LIGHTHOUSE}"


def add(ragqa: Ragqa, one: Document) -> None:
    """Put a document of one passage into the index."""
    ragqa.home.mkdir(exist_ok=True)
    with closing(create_index(ragqa.db, fingerprint="f", model="nobody", dim=64)) as store:
        store.add(one, [passage(one.text, document=one.id)], WordEmbedder().embed_passages([one.text]))


@pytest.fixture
def shelf(ragqa: Ragqa) -> Ragqa:
    ragqa.write("notes/light.md", LIGHT)
    ragqa.write("notes/lamp.md", "The lamp burned oil. \x1b[31m\r\n" * 300)
    ragqa.write("kitchen/bread.md", BREAD)
    index(ragqa, ragqa.cwd / "notes", collection="notes")
    index(ragqa, ragqa.cwd / "kitchen", collection="kitchen")
    return ragqa


# Texts


@pytest.mark.parametrize("name", ["notes/light.md", "notes/lamp.md"])
def test_in_a_pipe_a_document_is_what_was_indexed_byte_for_byte(shelf: Ragqa, name: str):
    done = shelf.shell(f"ragqa get {name} | cmp - {name}")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_passage_is_a_part_of_its_document(shelf: Ragqa, quick: Quick):
    whole = quick("get", "notes/lamp.md", "--json").json
    assert [part["id"] for part in whole["parts"]] == [f"notes/lamp.md#{n}" for n in range(1, whole["passages"] + 1)]
    assert "".join(part["content"] for part in whole["parts"]) == (shelf.cwd / "notes/lamp.md").read_bytes().decode()
    assert quick("get", "notes/lamp.md#2", "--json").json == whole["parts"][1]
    assert whole["passages"] > 1


def test_a_file_that_is_indexed_is_found_by_its_path(shelf: Ragqa):
    assert shelf("get", shelf.cwd / "kitchen" / "bread.md").out == BREAD
    assert shelf("get", "bread.md", cwd=shelf.cwd / "kitchen").out == BREAD


def test_json_says_where_each_part_stands(ragqa: Ragqa, quick: Quick):
    ragqa.home.mkdir()
    with closing(create_index(ragqa.db, fingerprint="f", model="nobody", dim=64)) as store:
        pages = (Place(0, "page", 3), Place(5, "page", 4))
        part = replace(passage("One. Two.", document="a.pdf"), places=pages)
        store.add(document("One. Two.", id="a.pdf"), [part], WordEmbedder().embed_passages(["x"]))
    found = quick("get", "a.pdf#1", "--json").json
    assert (found["page"], found["content"]) == (3, "One. Two.")
    assert found["place"] == {"kind": "page", "number": 3, "name": "", "label": "pages 3-4"}


def test_a_file_whose_name_is_not_utf8_is_found_by_its_path(ragqa: Ragqa, quick: Quick):
    path = ragqa.write("caf\udce9.md", BREAD)
    index(ragqa, path.parent)
    assert [ragqa("get", name).out for name in (b"caf\xe9.md", b"work/caf\xe9.md", r"work/caf\xe9.md")] == [BREAD] * 3
    assert quick("get", "caf\udce9.md#1", "--json").json["content"] == BREAD


def test_accents_are_found_however_they_are_written(ragqa: Ragqa, quick: Quick):
    index(ragqa, ragqa.write(f"{APART}/a.md", BREAD).parent)
    index(ragqa, ragqa.write("b.md", BREAD))
    assert quick("get", f"{TOGETHER}/a.md").code == 0  # by its id, and below by its path
    assert quick("get", f"{ragqa.cwd}/{TOGETHER}/a.md#1", "--json").json["content"] == BREAD
    assert quick("get", TOGETHER).code == 2  # a folder
    assert quick("forget", TOGETHER).out == "forgot 1 document\n"


def test_of_two_names_that_look_the_same_the_one_that_is_written_is_meant(ragqa: Ragqa, quick: Quick):
    for name in (APART, TOGETHER):
        index(ragqa, ragqa.write(f"{name}/a.md", name).parent)
    assert [quick("get", f"{name}/a.md").out for name in (APART, TOGETHER)] == [APART, TOGETHER]
    assert quick("forget", TOGETHER).out == "forgot 1 document\n"
    assert quick("get", f"{APART}/a.md").out == APART


def test_a_name_with_a_line_break_is_found_as_ls_prints_it(ragqa: Ragqa, quick: Quick):
    index(ragqa, ragqa.write("notes/two\nlines.md", LIGHTHOUSE).parent)
    printed = quick("ls").out.split("\t")[0]
    assert printed == "notes/two\\nlines.md"
    assert quick("get", printed).out == LIGHTHOUSE
    assert quick("forget", printed).out == "forgot 1 document\n"


def test_records_are_forgotten_by_what_is_cited(ragqa: Ragqa, quick: Quick):
    for id in ("posts/12", "posts/13", "news/1"):
        add(ragqa, replace(document("x", id=id), path=record_path(*id.split("/")), type="record"))
    assert quick("get", "--", "-/posts/12").code == 0
    assert quick("forget", "--", "-").code == 2  # what might be meant as standard input
    assert quick("forget", ".").code == 2
    assert quick("forget", "--", "-/posts/12").out == "forgot 1 document\n"
    assert quick("forget", "--", "-/posts").out == "forgot 1 document\n"
    assert [line["id"] for line in quick("ls", "--nl").lines] == ["news/1"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["get", "n\udcff.md"],
        ["forget", "n\udcff.md"],
        ["forget", "~nobody/x"],
        ["forget", "-c", "n\udcff"],
        ["ls", "-c", "n\udcff"],
        ["search", "x", "-c", "n\udcff"],
        ["similar", "n\udcff", "x"],
        ["index", ".", "-c", "n\udcff"],
        ["index", ".", "-c", ""],
        ["index", "--stdin", "-c", "n\udcff"],
        ["watch", ".", "-c", " "],
        ["collections", "rename", "notes", "n\udcff"],
        ["collections", "rename", "n\udcff", "new"],
    ],
)
def test_a_name_that_cannot_be_is_a_mistake_of_the_command_line(shelf: Ragqa, quick: Quick, arguments: list[str]):
    done = quick(*arguments)
    assert (done.code, done.out, "damaged" in done.err) == (2, "", False)
    assert kept(shelf) == ["kitchen/bread.md", "notes/lamp.md", "notes/light.md"]


@pytest.mark.parametrize("id", ["notes/none.md", "notes/light.md#9", "notes/light.md#", "#1", "", "~nobody/x", "a\0b"])
def test_what_is_not_there_is_refused(shelf: Ragqa, quick: Quick, id: str):
    done = quick("get", id)
    assert (done.code, done.out) == (2, "")
    assert "ragqa ls" in done.err


# Lists


def test_ls_has_columns_for_tags_and_dates_where_a_document_has_some(ragqa: Ragqa, quick: Quick):
    add(ragqa, document("a", id="n/a.md"))
    assert [line.split("\t")[5:] for line in quick("ls").out.splitlines()] == [["text"]]
    add(ragqa, replace(document("b", id="n/b.pdf"), type="pdf", tags=("sea", "ship"), date="2024-01-31"))
    assert [line.split("\t")[5:] for line in quick("ls").out.splitlines()] == [
        ["text", "", ""],
        ["pdf", "sea, ship", "2024-01-31"],
    ]


# Collections


def test_collections_are_counted(shelf: Ragqa, quick: Quick):
    rows = quick("collections", "--json").json
    assert [(row["name"], row["documents"]) for row in rows] == [("kitchen", 1), ("notes", 2)]
    assert rows[0]["passages"] == 1
    assert quick("collections", "--nl").lines == rows
    assert [line.split("\t")[:2] for line in quick("collections").out.splitlines()] == [
        ["kitchen", "1"],
        ["notes", "2"],
    ]


def test_a_renamed_collection_is_searched_by_its_new_name_alone(shelf: Ragqa, quick: Quick):
    assert quick("collections", "rename", "notes", "sea notes").out == "notes is now sea notes: 2 documents\n"
    assert quick("ls", "-c", "notes").code == 2
    with closing(open_index(shelf.db)) as store:
        vector = WordEmbedder().embed_query("lamp")
        hits = store.search(vector, 99, Filter(("sea notes",)))
        assert {hit.passage.document_id for hit in hits} == {"notes/light.md", "notes/lamp.md"}
        assert list(store.faults()) == []


def test_renaming_a_collection_forgets_nothing(shelf: Ragqa, quick: Quick):
    kept = shelf.home / "index.db.schema-4.bak"
    kept.touch()
    assert quick("collections", "rename", "notes", "sea notes").code == 0
    assert kept.exists()


def test_of_the_old_name_no_byte_is_left(ragqa: Ragqa, quick: Quick):
    add(ragqa, replace(document("x"), collection="periwinkle"))
    assert b"periwinkle" in stored_bytes(ragqa)
    assert quick("collections", "rename", "periwinkle", "shell").code == 0
    assert b"periwinkle" not in stored_bytes(ragqa)


@pytest.mark.parametrize(("old", "new"), [("notes", "kitchen"), ("notes", " "), ("notes", "notes"), ("none", "new")])
def test_a_name_that_is_taken_or_none_changes_nothing(shelf: Ragqa, quick: Quick, old: str, new: str):
    assert quick("collections", "rename", old, new).code == 2
    assert [row["name"] for row in quick("collections", "--nl").lines] == ["kitchen", "notes"]


def test_a_deleted_collection_leaves_no_byte_of_its_text_and_its_files_alone(shelf: Ragqa, quick: Quick):
    assert b"burned oil" in stored_bytes(shelf)
    assert quick("collections", "delete", "notes").out == "forgot 2 documents\n"
    assert [row["name"] for row in quick("collections", "--nl").lines] == ["kitchen"]
    assert b"burned oil" not in stored_bytes(shelf)
    assert (shelf.cwd / "notes" / "light.md").exists()
    assert quick("collections", "delete", "notes").code == 2
