"""`ragqa eval`, run as a user runs it: wrong input, what it prints, and what it leaves behind."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CORPUS, RAGQA, Done, Ragqa

QUESTIONS = CORPUS / "questions.jsonl"
SECTIONS = ["retrieval", "evidence", "answer", "llama", "abstention", "checker"]


def assert_refused(done: Done, *parts: str) -> None:
    """One line that says what and why, one that says what next; nothing on stdout."""
    assert (done.code, done.out) == (2, "")
    message, hint = done.err.splitlines()
    assert message.startswith("ragqa: ")
    assert hint.startswith("  hint: ")
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("gone.json", None, "no such file"),
        ("empty.json", b"", "empty"),
        ("dev.json", b"{", "not JSON"),
        ("dev.json", b'{"data": [7]}', "article 1: 7 is not an object"),
        ("dev.json", b"\xff\xfe", "not UTF-8"),
        ("questions.jsonl", b'{"_id": "a"}\n', "questions.jsonl:1: no 'metadata'"),
        ("folder/other.txt", b"text", "neither corpus.jsonl nor questions.jsonl"),
    ],
)
def test_a_wrong_dataset_is_refused_in_one_line(ragqa: Ragqa, name: str, content: bytes | None, cause: str):
    if content is not None:
        ragqa.write(name, content)
    target = name.partition("/")[0]
    assert_refused(ragqa("eval", target), target, cause)


def test_distractors_that_are_not_there_are_refused_before_anything_is_done(ragqa: Ragqa):
    assert_refused(ragqa("eval", QUESTIONS, "--distractors", "gone"), "gone")


@pytest.mark.parametrize("option", [["--limit", "0"], ["--limit", "many"], ["--seed", "-1"]])
def test_numbers_out_of_range_are_refused(ragqa: Ragqa, option: list[str]):
    assert_refused(ragqa("eval", QUESTIONS, *option), option[0])


def test_a_dataset_or_auto_is_wanted_and_not_both(ragqa: Ragqa):
    assert_refused(ragqa("eval"), "a DATASET or --auto")
    assert_refused(ragqa("eval", QUESTIONS, "--auto"), "--auto: one of them")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--auto", "--cache", "kept.db"],
        ["--auto", "--distractors", "."],
        ["--auto", "--falsehoods"],
        [QUESTIONS, "-c", "notes"],
        [QUESTIONS, "--db", "index.db"],
    ],
)
def test_options_that_say_nothing_here_are_refused(ragqa: Ragqa, arguments: list[object]):
    assert_refused(ragqa("eval", *arguments), "only with")


def test_without_an_index_nothing_can_be_drawn(ragqa: Ragqa):
    done = ragqa("eval", "--auto")
    assert (done.code, done.out) == (10, "")
    assert "no index yet" in done.err


def test_an_index_of_ones_own_is_not_taken_for_a_cache(ragqa: Ragqa):
    index = ragqa.write("index.db", b"mine")
    assert_refused(ragqa("eval", QUESTIONS, "--cache", "index.db"), "index.db was not made by `ragqa eval`")
    assert index.read_bytes() == b"mine"


def test_the_dataset_is_not_overwritten_with_its_failures(ragqa: Ragqa):
    path = ragqa.write("questions.jsonl", QUESTIONS.read_bytes().splitlines()[-1])
    assert_refused(ragqa("eval", path.name, "--failures", path.name), "is the dataset itself")
    assert path.stat().st_size


def test_a_place_that_failures_cannot_be_written_to_is_named_at_once(ragqa: Ragqa):
    done = ragqa("eval", QUESTIONS, "--failures", "gone/failures.jsonl")
    assert (done.code, done.out) == (14, "")
    assert "gone/failures.jsonl" in done.err


@pytest.fixture
def measured(prepared: Ragqa, tmp_path: Path) -> Ragqa:
    """The command with models, and a place for scratch of its own."""
    (tmp_path / "scratch").mkdir()
    return Ragqa(prepared.home, prepared.cwd, {"TMPDIR": str(tmp_path / "scratch"), "RAGQA_THREADS": "0"})


def scratch(ragqa: Ragqa) -> list[Path]:
    return list(Path(ragqa.env["TMPDIR"]).glob("ragqa-eval-*"))


def small(ragqa: Ragqa) -> Path:
    """A dataset of two documents: a question that one of them answers, and one that none does."""
    ragqa.write("set/light.md", "The lighthouse was first lit in 1894. It burned colza oil.\n")
    ragqa.write("set/bread.md", "Bread keeps longest in a wooden box with holes for the air.\n")
    known = {"answers": ["1894"], "documents": ["light.md"]}
    lines: list[Any] = [
        {"_id": "a", "text": "When was the lighthouse first lit?", "metadata": known},
        {"_id": "b", "text": "Who won the World Cup in 1998?", "metadata": {"answers": [], "documents": []}},
    ]
    return ragqa.write("set/questions.jsonl", "\n".join(map(json.dumps, lines)))


@pytest.mark.model
def test_the_sample_library_is_measured_with_intervals(measured: Ragqa):
    done = measured("eval", QUESTIONS, "--limit", "10", "--quotes", "--json")
    assert (done.code, done.err) == (0, "")
    document = done.json
    expected = ["schema", "dataset", "settings", "models", "counts", *SECTIONS]
    assert list(document) == [*expected, "risk_coverage", "timing_ms"]
    assert document["schema"] == "ragqa.eval/1"
    assert (document["dataset"]["name"], document["dataset"]["distractors"]) == ("corpus", 0)
    assert document["counts"]["questions"] == 10
    assert document["models"]["generate"] is None
    figures = [figure for section in SECTIONS for figure in document[section].values()]
    assert all(list(figure) == ["value", "low", "high", "n"] for figure in figures)
    assert document["retrieval"]["recall@10"]["value"] >= 0.8
    assert {"embed", "search", "evidence", "total"} <= set(document["timing_ms"])
    assert scratch(measured) == []


@pytest.mark.model
def test_questions_that_follow_find_their_passage_and_the_others_lose_theirs_not(measured: Ragqa):
    def found(dataset: Path, *options: str) -> int:
        done = measured("eval", dataset, "--quotes", "--json", "--cache", "set.db", *options)
        figure = done.json["retrieval"]["passage_found"]
        return round(figure["value"] * figure["n"])

    assert found(CORPUS / "conversations.jsonl") >= 27  # of 30
    alone = found(QUESTIONS)
    assert alone > 90
    assert found(QUESTIONS, "--after-another") >= alone


@pytest.mark.model
def test_with_a_llama_its_words_are_there_to_be_read(measured: Ragqa):
    done = measured("eval", small(measured), "--failures", "read.jsonl", "--json", "-o", "max_answer", "24")
    assert done.code == 0
    assert done.json["models"]["generate"] == "smollm2-135m-instruct-q4_1"
    assert 0 <= done.json["llama"]["answered"]["value"] <= 1
    lines = [json.loads(line) for line in (measured.cwd / "read.jsonl").read_text().splitlines()]
    assert all({"id", "reason", "question"} <= set(line) for line in lines)
    assert (
        len([line for line in lines if "llama" in line])
        == done.json["llama"]["answered"]["value"] * (done.json["llama"]["answered"]["n"])
    )


@pytest.mark.model
def test_a_kept_index_is_used_again_and_what_is_not_asked_for_leaves_it(measured: Ragqa):
    path = small(measured)
    measured.write("notes/oil.md", "Colza oil is pressed from the seeds of rape.\n")

    def documents(*arguments: object) -> list[int]:
        done = measured("eval", path, "--quotes", "--json", "--cache", "kept.db", *arguments)
        assert done.code == 0, done.err
        return [done.json["dataset"][name] for name in ("documents", "distractors")]

    assert documents("--distractors", "notes") == [2, 1]
    made = measured("ls", "--json", "--db", "kept.db").json
    assert documents("--distractors", "notes") == [2, 1]
    assert measured("ls", "--json", "--db", "kept.db").json == made
    assert documents() == [2, 0]


@pytest.mark.model
def test_holding_out_answers_shows_whether_they_are_refused(measured: Ragqa):
    path = small(measured)
    done = measured("eval", path, "--quotes", "--holdout-answers", "--failures", "failures.jsonl")
    assert done.code == 0
    rows = {tuple(line.split("\t")[:2]): line.split("\t") for line in done.out.splitlines() if "\t" in line}
    assert rows["retrieval", "recall@1"][2:] == ["1.000", "", "1"]
    assert rows["abstention", "recall"][4] == "3"
    assert "wrong, where so many are answered: " in done.out
    assert scratch(measured) == []


@pytest.mark.model
def test_an_index_is_asked_about_itself_and_stays_as_it_was(library: Ragqa, tmp_path: Path):
    itself = Ragqa(library.home, library.cwd, {"TMPDIR": str(tmp_path), "RAGQA_THREADS": "0"})
    before = itself.db.read_bytes()
    done = itself("eval", "--auto", "--quotes", "--limit", "30", "--json")
    assert (done.code, done.err) == (0, "")
    assert "easier than people's" in done.json["note"]
    assert done.json["dataset"]["name"] == "drawn"
    assert done.json["counts"]["answerable"] == done.json["counts"]["unanswerable"] == 30
    assert done.json["retrieval"]["recall@3"]["value"] > 0.9
    assert done.json["abstention"]["balanced_accuracy"]["value"] > 0.8
    assert itself.db.read_bytes() == before
    assert list(tmp_path.glob("ragqa-eval-*")) == []


@pytest.mark.model
def test_questions_are_drawn_from_one_collection(notes: Ragqa):
    done = notes("eval", "--auto", "--quotes", "--json", "-c", "kitchen", "--failures", "failures.jsonl")
    assert done.code == 0
    assert {
        one for line in (notes.cwd / "failures.jsonl").read_text().splitlines() for one in json.loads(line)["documents"]
    } <= {"kitchen/bread.md"}
    assert_refused(notes("eval", "--auto", "-c", "cellar"), "no collection 'cellar'")


@pytest.mark.model
def test_what_holds_no_sentence_cannot_be_asked_about(prepared: Ragqa):
    prepared.write("notes/x.txt", "x\n")
    assert prepared("index", "notes").code == 0
    assert_refused(prepared("eval", "--auto", "--quotes"), "no sentence to make a question of")


@pytest.mark.model
def test_ctrl_c_leaves_no_scratch_behind(measured: Ragqa):
    process = subprocess.Popen(
        [RAGQA, "eval", QUESTIONS, "--quotes"],
        cwd=measured.cwd,
        env=measured.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        while process.poll() is None and not [path for folder in scratch(measured) for path in folder.glob("index.db")]:
            time.sleep(0.005)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, _err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out) == (130, b"")
    assert scratch(measured) == []
