"""`ragqa search` and `ragqa similar` on the real E5."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.conftest import BREAD, RAGQA, Ragqa

pytestmark = pytest.mark.model
LLM_FIELDS = ["id", "score", "content", "metadata"]
FIELDS = [*LLM_FIELDS, "path", "line_start", "line_end", "page", "place", "heading", "rank", "scores"]


def test_each_line_begins_with_the_fields_of_llm(library: Ragqa):
    lines = library("search", "full-text index", "-n", "3", "--nl").lines
    assert [list(line) for line in lines] == [FIELDS] * 3
    assert [line["rank"] for line in lines] == [1, 2, 3]


def test_lines_say_where_the_passage_stands(library: Ragqa):
    for line in library("search", "What does E5 want in front of a passage?", "--nl").lines:
        lines = (library.cwd / line["path"]).read_text().splitlines()[line["line_start"] - 1 : line["line_end"]]
        assert line["content"] in "\n".join(lines)


def test_best_comes_first(library: Ragqa):
    scores = [line["score"] for line in library("search", "write-ahead log", "--nl").lines]
    assert scores == sorted(scores, reverse=True)


def test_json_csv_and_lines_say_the_same(library: Ragqa):
    forms = {form: library("search", "write-ahead log", "-n", "4", f"--{form}").out for form in ("nl", "json", "csv")}
    lines = [json.loads(line) for line in forms["nl"].splitlines()]
    rows = list(csv.DictReader(io.StringIO(forms["csv"])))
    assert json.loads(forms["json"]) == lines
    assert [(row["id"], row["content"], int(row["line_start"])) for row in rows] == [
        (line["id"], line["content"], line["line_start"]) for line in lines
    ]


def test_in_a_pipe_it_is_plain_text(library: Ragqa):
    done = library("search", "write-ahead log", "-n", "2")
    assert "corpus/sqlite/wal-and-durability.md:" in done.out
    assert "\x1b" not in done.out
    assert done.err == ""


def test_a_collection_limits_the_search(notes: Ragqa):
    lines = notes("search", "When was the lighthouse first lit?", "-c", "kitchen", "--nl").lines
    assert [line["id"] for line in lines] == ["kitchen/bread.md#1"]


def test_several_collections_are_searched_together(notes: Ragqa):
    lines = notes("search", "bread", "-c", "kitchen", "-c", "notes", "--nl").lines
    assert {line["id"] for line in lines} == {"kitchen/bread.md#1", "notes/light.md#1"}


def test_an_unknown_collection_is_named_with_the_known(notes: Ragqa):
    done = notes("search", "bread", "-c", "garden")
    assert done.code == 2
    assert "kitchen, notes" in done.err


def test_similar_prints_the_lines_of_llm(notes: Ragqa):
    lines = notes("similar", "notes", "-c", "query: When was the lighthouse first lit?").lines
    assert [list(line) for line in lines] == [LLM_FIELDS]
    assert lines[0]["id"] == "notes/light.md#1"


def test_the_lines_of_similar_have_the_shape_that_llm_prints(notes: Ragqa, tmp_path: Path):
    """llm itself, over a small database of its own."""
    import llm
    import sqlite_utils

    db = sqlite_utils.Database(tmp_path / "embeddings.db")
    theirs = llm.Collection("notes", db, model_id="text-embedding-ada-002")
    for id, vector in (("a", [1.0, 0.0]), ("b", [0.8, 0.6])):
        row = {
            "collection_id": theirs.id,
            "id": id,
            "embedding": llm.encode(vector),
            "content": BREAD,
            "metadata": None,
        }
        db["embeddings"].insert(row | {"content_hash": id.encode(), "updated": 0})
    db.close()
    environment = {"LLM_USER_PATH": str(tmp_path), "LLM_LOAD_PLUGINS": ""}
    command = [str(RAGQA.with_name("llm")), "similar", "notes", "a", "-d", str(tmp_path / "embeddings.db")]
    (printed,) = notes.run(command, env=environment).lines
    (own,) = notes("similar", "kitchen", "-c", "bread").lines
    assert list(own) == list(printed) == LLM_FIELDS
    assert [type(value) for value in own.values()] == [type(value) for value in printed.values()]


def test_the_prefix_of_llm_scripts_changes_nothing(library: Ragqa):
    plain, prefixed = (library("similar", "corpus", "-c", text).out for text in ("WAL mode", "query: WAL mode"))
    assert plain == prefixed


def test_similar_to_a_document_is_another(library: Ragqa):
    lines = library("similar", "corpus", "corpus/sqlite/fts5.md", "-n", "5").lines
    assert len(lines) == 5
    assert not any(line["id"].startswith("corpus/sqlite/fts5.md#") for line in lines)


def test_similar_to_a_passage_is_another(library: Ragqa):
    lines = library("similar", "corpus", "corpus/sqlite/fts5.md#2", "-n", "3").lines
    assert len(lines) == 3
    assert all(line["id"] != "corpus/sqlite/fts5.md#2" for line in lines)


def test_without_a_collection_similar_searches_all(notes: Ragqa):
    found = {line["id"] for line in notes("similar", "-n", "20", "-c", "bread").lines}
    each = [{line["id"] for line in notes("similar", name, "-c", "bread").lines} for name in ("notes", "kitchen")]
    assert all(ids and ids <= found for ids in each)


@pytest.mark.parametrize("arguments", [["garden", "-c", "x"], ["notes", "notes/none.md"], ["notes", "-c", "   "]])
def test_similar_to_nothing_is_wrong_usage(notes: Ragqa, arguments: list[str]):
    assert notes("similar", *arguments).code == 2


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_takes_one_line_ends_it_silently(library: Ragqa, unbuffered: str):
    script = "set -o pipefail; ragqa search sqlite -n 1000 --nl | head -1 >/dev/null; echo ${PIPESTATUS[0]}"
    done = library.shell(script, PYTHONUNBUFFERED=unbuffered)
    assert (done.out, done.err) == ("141\n", "")


def test_a_full_disk_is_not_success(library: Ragqa):
    done = library.shell("ragqa search sqlite -n 1000 --nl >/dev/full")
    assert done.code == 14
    assert "Traceback" not in done.err


@pytest.mark.parametrize("form", ["--nl", "--csv", "--json", "--explain"])
def test_a_poor_encoding_costs_characters_not_the_command(notes: Ragqa, form: str):
    assert notes("search", "mémoire 東京", form, env={"PYTHONIOENCODING": "ascii"}).code == 0
