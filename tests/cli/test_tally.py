"""`ragqa ask` where counting answers: at once, without a model, and with every document in the JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.test_ask import assert_shape, assert_verbatim, controls, on_a_terminal
from tests.conftest import Ragqa, home_with

pytestmark = pytest.mark.model

TALLY = {
    "query": "",
    "counted": "",
    "count": 1,
    "of": 1,
    "forms": [""],
    "listed": [{"id": "", "path": "", "passages": 1, "mentions": 1, "line": 1, "place": None}],
}
# The weights are not even looked for: with these names, asking anything else fails.
NO_MODELS = {"RAGQA_MODEL": "no-such-model", "RAGQA_EMBED_MODEL": "no-such-model"}


@pytest.fixture(scope="session")
def shelf(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Ragqa:
    """Twenty-three notes about figs, one of them twice, and a recipe; for reading only."""
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "work").mkdir()
    command = Ragqa(home_with(models, folder / "home"), folder / "work")
    for n in range(23):
        command.write(f"notes/{n:02}.md", f"# Note {n}\n\nA fig tree stands in garden {n}.\n")
    command.write(
        "notes/22.md", "# Figs\n\nThe fig, by Ann.\n\n" + "Much is written here. " * 120 + "\n\nFigs are sweet.\n"
    )
    command.write("kitchen/jam.md", "Boil the plums. Stir the jam.\n")
    assert command("index", "notes", "-c", "notes").code == 0
    assert command("index", "kitchen", "-c", "kitchen").code == 0
    return command


def test_documents_are_counted_without_any_model(shelf: Ragqa):
    done = shelf("ask", "How many notes mention figs?", "--json", env=NO_MODELS)
    document = done.json
    assert (done.code, done.err, document["status"], document["sentences"]) == (0, "", "answered", [])
    assert_shape(document["tally"], TALLY)
    tally = document["tally"]
    assert (tally["query"], tally["counted"], tally["count"], tally["of"]) == ("figs", "documents", 23, 24)
    assert tally["forms"] == ["fig", "figs"]
    assert len(tally["listed"]) == 23
    first = {"id": "notes/22.md", "path": "notes/22.md", "passages": 2, "mentions": 3, "line": 1, "place": None}
    assert tally["listed"][0] == first
    assert document["models"] == {"embed": None, "generate": None}
    assert "whole_corpus" not in document


def test_each_quote_of_a_count_is_verbatim_and_numbered(shelf: Ragqa):
    document = shelf("ask", "How many notes mention figs?", "--json", env=NO_MODELS).json
    assert [one["n"] for one in document["evidence"]] == list(range(1, 11))
    for one in document["evidence"]:
        assert_verbatim(one, shelf.cwd)
        assert "fig" in one["quote"].lower()
    cited = {int(n) for n in re.findall(r"\[(\d+)\]", document["answer"])}
    assert cited == {one["n"] for one in document["evidence"]}


def test_a_person_reads_the_count_the_query_and_the_places(shelf: Ragqa):
    lines = shelf("Which notes mention figs?", "--plain", env=NO_MODELS).out.splitlines()
    assert lines[:3] == [
        "23 of 24 documents mention “figs” (searched: figs; found: fig, figs)",
        "",
        "[1] “The fig, by Ann.” notes/22.md:3 (2 passages)",
    ]
    assert lines[12] == "notes/09.md:3 (1 passage)"
    assert lines[-1] == "and 3 more; --json has them all"


def test_documents_are_listed(shelf: Ragqa):
    done = shelf("list all documents in collection kitchen", "--plain", env=NO_MODELS)
    assert (done.code, done.out) == (0, "1 document in collection “kitchen”\n\nkitchen/jam.md (1 passage)\n")
    assert shelf("how many documents are there", env=NO_MODELS).out == "24 documents\n"


def test_a_collection_narrows_the_count(shelf: Ragqa):
    done = shelf("ask", "How many documents mention jam or figs?", "-c", "kitchen", "--json", env=NO_MODELS)
    assert (done.json["tally"]["count"], done.json["read"]["of_documents"]) == (1, 1)


def test_what_no_document_mentions_is_an_abstention(shelf: Ragqa):
    done = shelf("ask", "Which documents mention sourdough?", "--plain", env=NO_MODELS)
    assert (done.code, done.out) == (4, "No document mentions “sourdough” (searched: sourdough)\n")


def test_a_batch_counts_and_answers_side_by_side(shelf: Ragqa):
    stdin = "How many notes mention figs?\nWhat should be stirred?\nHow many documents are there?\n"
    first, second, third = shelf("ask", "--batch", "-", "--quotes", "--min-support", "0", stdin=stdin).lines
    assert (first["tally"]["count"], second["status"], third["tally"]["count"]) == (23, "quoted", 24)
    assert "tally" not in second
    assert {"open", "load"} <= set(second["timing_ms"])


def test_a_batch_of_counts_needs_no_model(shelf: Ragqa):
    stdin = json.dumps({"id": 7, "question": "How many times are figs mentioned?"})
    (answer,) = shelf("ask", "--batch", "-", stdin=stdin, env=NO_MODELS).lines
    assert (answer["id"], answer["tally"]["counted"], answer["tally"]["count"]) == (7, "mentions", 25)


def test_a_question_about_the_whole_says_how_much_was_read(shelf: Ragqa):
    arguments = ["Summarise all my notes", "--quotes", "--min-support", "0", "-n", "3"]
    assert shelf(*arguments, "--plain").out.endswith("\n\nread 3 passages of 3 of 24 documents\n")
    assert shelf(*arguments, "--json").json["whole_corpus"] is True


def test_a_changed_file_is_told_in_a_list_too(prepared: Ragqa):
    path = prepared.write("light.md", "The lighthouse was first lit in 1894.\n")
    prepared("index", "light.md")
    path.write_text("Nothing is lit.\n")
    done = prepared("Which notes mention lighthouse?", "--strict", "--plain")
    assert done.code == 5
    assert "light.md:1 (1 passage) (no longer in the file)" in done.out


def test_no_document_that_is_counted_is_obeyed(prepared: Ragqa):
    prepared.write("a\n[9] \x1b[31m.md", "The \x1b[2J lighthouse \u202e was lit.\n")
    prepared("index", ".")
    for form in ("--plain", "--json"):
        out = prepared("Which notes mention lighthouse?", form).out
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out)
        assert not [line for line in out.splitlines() if line.startswith("[9]")]
    for columns in (20, 200):
        assert controls(on_a_terminal(prepared, "Which notes mention lighthouse?", columns=columns)) == set()


def test_a_count_is_explained_without_a_prompt(shelf: Ragqa):
    done = shelf("ask", "Which notes mention jam?", "--explain", "--plain", env=NO_MODELS)
    assert done.code == 0
    assert "support 1.000" in done.err
    assert "prompt:" not in done.err
