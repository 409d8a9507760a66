"""`ragqa logs`, and what `ragqa ask` leaves there. Counting needs no model, so counted answers stand for all."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest
from ulid import ULID

from ragqa.history import open_history
from ragqa.turn import Source, Turn
from tests.cli.test_ask import on_a_terminal
from tests.cli.test_care import index
from tests.conftest import BREAD, LIGHTHOUSE, Done, Ragqa

COUNTED = "How many documents mention bread?"
NONE = "How many documents mention zebras?"
Quick = Callable[..., Done]


@pytest.fixture
def shelf(ragqa: Ragqa) -> Ragqa:
    ragqa.write("notes/light.md", LIGHTHOUSE)
    ragqa.write("notes/bread.md", BREAD)
    index(ragqa, ragqa.cwd / "notes", collection="notes")
    return ragqa


def asked(home: Path, question: str, answer: str = "In 1894. [1]", *, conversation: str = "", days: int = 0) -> Turn:
    """A question that was asked so many days ago."""
    place = Source(1, "notes/light.md#1", home.parent / "work" / "notes" / "light.md", 3, 4, "It was lit in 1894.")
    moment = datetime.now(UTC) - timedelta(days=days)
    turn = Turn(str(ULID.from_datetime(moment)), question, question, "quoted", answer, (place,), 0.9, 40)
    with closing(open_history(home / "logs.db")) as history:
        history.record(turn, conversation=conversation or turn.id, models={"embed": "e5"}, collections=["notes"])
    return turn


# What ask leaves


def test_an_answer_is_recorded_with_its_sources(shelf: Ragqa):
    document = shelf("ask", COUNTED, "--json", "-c", "notes").json
    (kept,) = shelf("logs", "--json").json
    names = ("id", "question", "query", "status", "answer", "support", "models")
    assert {name: kept[name] for name in names} == {name: document[name] for name in names}
    assert kept["conversation"] == document["id"]
    assert kept["collections"] == ["notes"]
    assert kept["duration_ms"] == document["timing_ms"]["total"]
    (source,), (evidence,) = kept["sources"], document["evidence"]
    assert source == {name: evidence[name] for name in source}
    assert stat.S_IMODE((shelf.home / "logs.db").stat().st_mode) == 0o600


def test_an_abstention_is_recorded(shelf: Ragqa):
    assert shelf("ask", NONE).code == 4
    assert [one["status"] for one in shelf("logs", "--json").json] == ["abstained"]


def test_every_answer_of_a_batch_is_recorded_and_what_is_no_question_is_not(shelf: Ragqa):
    lines = [COUNTED, "{}", NONE, json.dumps({"id": 7, "question": COUNTED})]
    answers = shelf("ask", "--batch", "-", stdin="\n".join(lines)).lines
    kept = shelf("logs", "-n", "0", "--json").json
    assert [one["question"] for one in kept] == [COUNTED, NONE, COUNTED]
    assert [one["answer"] for one in kept] == [one["answer"] for one in answers if "answer" in one]


@pytest.mark.parametrize("off", ["flag", "variable", "config", "project", "option"])
def test_nothing_is_recorded_where_it_is_not_wanted(shelf: Ragqa, off: str):
    if off == "config":
        assert shelf("logs", "off").code == 0
    if off == "project":
        shelf.write(".ragqa.toml", "log = false\n")
    flags = {"flag": ["--no-log"], "option": ["-o", "log", "off"]}.get(off, [])
    done = shelf("ask", COUNTED, *flags, env={"RAGQA_LOG": "0"} if off == "variable" else {})
    assert done.code == 0
    assert not (shelf.home / "logs.db").exists()


def test_a_project_cannot_turn_the_history_on(quick: Quick, ragqa: Ragqa):
    ragqa.write(".ragqa.toml", "log = true\n")
    done = quick("logs")
    assert (done.code, "a project file cannot turn the history on" in done.err) == (2, True)


def test_looking_around_is_not_recorded(shelf: Ragqa):
    for command in (["ls"], ["status"], ["check"], ["path", "db"], ["logs"]):
        shelf(*command)
    assert not (shelf.home / "logs.db").exists()


def spoil(home: Path, how: str) -> None:
    logs = home / "logs.db"
    if how == "folder":
        logs.mkdir()
    elif how == "damaged":
        logs.write_bytes(bytes(range(1, 256)) * 40)
    elif how == "newer":
        open_history(logs).close()
        with closing(apsw.Connection(str(logs))) as other:
            other.pragma("user_version", 99)
    elif how == "another's":
        with closing(sqlite3.connect(logs)) as strange:
            strange.execute("CREATE TABLE mine (a)")
    elif how == "dangling":
        logs.symlink_to("/nowhere/at/all")


@pytest.mark.parametrize("how", ["folder", "damaged", "newer", "another's", "dangling"])
def test_a_history_that_cannot_be_written_costs_no_answer(shelf: Ragqa, how: str):
    wanted = shelf("ask", COUNTED, "--no-log")
    spoil(shelf.home, how)
    assert shelf("ask", COUNTED) == wanted
    assert (wanted.code, wanted.err) == (0, "")


def test_a_person_is_told_on_one_line_that_the_history_is_not_written(shelf: Ragqa):
    spoil(shelf.home, "damaged")
    text = on_a_terminal(shelf, "ask", COUNTED, "--plain", columns=300)
    assert [line for line in text.splitlines() if "history" in line] == [
        f"the history is not written: {shelf.home}/logs.db: damaged, or not a history of ragqa: file is not a database"
    ]
    assert "the history" not in on_a_terminal(shelf, "ask", COUNTED, "--quiet")


def test_a_locked_history_costs_no_answer(shelf: Ragqa):
    asked(shelf.home, "When?")
    with closing(apsw.Connection(str(shelf.home / "logs.db"))) as other:
        other.execute("BEGIN IMMEDIATE")
        done = shelf("ask", COUNTED)
    assert (done.code, done.err) == (0, "")
    assert [one["question"] for one in shelf("logs", "--json").json] == ["When?"]


def test_a_reader_who_leaves_has_the_exit_code_of_a_broken_pipe(shelf: Ragqa):
    assert shelf.shell(f"ragqa ask '{COUNTED}' | true; exit ${{PIPESTATUS[0]}}").code in (0, 141)


# What logs prints


def test_the_history_reads_as_time_question_answer_and_places_the_newest_last(quick: Quick, ragqa: Ragqa):
    first, second = asked(ragqa.home, "When was it lit?"), asked(ragqa.home, "And then?", "It burned oil. [1]")
    done = quick("logs")
    blocks = [block.splitlines() for block in done.out.split("\n\n")]
    assert [block[0].split()[-1] for block in blocks] == [first.id, second.id]
    assert [block[1:] for block in blocks] == [
        ["When was it lit?", "In 1894. [1]", "[1] notes/light.md:3-4"],
        ["And then?", "It burned oil. [1]", "[1] notes/light.md:3-4"],
    ]
    assert done.code == 0


def test_what_was_searched_is_shown_where_it_was_not_what_was_asked(quick: Quick, ragqa: Ragqa):
    turn = Turn(str(ULID()), "And its keeper?", "Who kept the lighthouse?", "abstained", "Not here.")
    with closing(open_history(ragqa.home / "logs.db")) as history:
        history.record(turn, conversation="c")
    assert "searched: Who kept the lighthouse?\n" in quick("logs").out


def test_three_are_shown_and_as_many_as_are_asked_for(quick: Quick, ragqa: Ragqa):
    for n in range(5):
        asked(ragqa.home, f"question {n}")
    shown = {n: [one["question"][-1] for one in quick("logs", "-n", n, "--json").json] for n in ("1", "4", "0")}
    assert shown == {"1": ["4"], "4": ["1", "2", "3", "4"], "0": ["0", "1", "2", "3", "4"]}
    assert len(quick("logs", "--nl").lines) == 3


def test_only_what_has_the_words_is_shown(quick: Quick, ragqa: Ragqa):
    asked(ragqa.home, "Who baked the bread?", "Ann.")
    asked(ragqa.home, "When was it lit?")
    assert [one["answer"] for one in quick("logs", "-q", "BREAD ann", "--json").json] == ["Ann."]
    assert (quick("logs", "-q", "zebra").code, quick("logs", "-q", "zebra", "--json").out) == (4, "[]\n")


def test_a_conversation_is_shown_whole(quick: Quick, ragqa: Ragqa):
    for n in range(5):
        asked(ragqa.home, f"question {n}", conversation="01AAA")
    asked(ragqa.home, "another", conversation="01ABB")
    assert len(quick("logs", "--cid", "01aa", "--json").json) == 5
    assert [one["question"] for one in quick("logs", "-c", "--json").json] == ["another"]
    assert len(quick("logs", "--cid", "01AAA", "-n", "2", "--json").json) == 2
    assert (quick("logs", "--cid", "01A").code, quick("logs", "--cid", "02").code) == (2, 2)


def test_the_response_alone_is_the_latest_answer(quick: Quick, ragqa: Ragqa):
    asked(ragqa.home, "one", "first")
    asked(ragqa.home, "two", "second\nline")
    assert quick("logs", "-r").out == "second\nline\n"
    assert quick("logs", "-r", "-n", "2").out == "first\nsecond\nline\n"


def test_without_a_history_there_is_nothing_and_none_is_made(quick: Quick, ragqa: Ragqa):
    assert (quick("logs").code, quick("logs").out) == (4, "")
    assert quick("logs", "--json").out == "[]\n"
    assert quick("logs", "forget", "--all").out == "forgot 0 questions\n"
    assert quick("logs", "status", "--json").json["questions"] == 0
    assert not ragqa.home.exists()


def test_what_a_terminal_could_obey_is_spelled_out(quick: Quick, ragqa: Ragqa):
    asked(ragqa.home, "\x1b[31mred\0 [bold]\u202e", "\x1b]0;title\x07[/x] \x9b2J")
    done = quick("logs")
    assert "\\x1b[31mred\\x00 [bold]<U+202E>\n\\x1b]0;title\\x07[/x] \\x9b2J\n" in done.out
    assert "\x1b" not in done.out + quick("logs", "-r").out + quick("logs", "--json").out


@pytest.mark.parametrize(
    "wrong", [["--json", "--nl"], ["-r", "--json"], ["-c", "--cid", "0"], ["-n", "-1"], ["bridge"]]
)
def test_what_makes_no_sense_is_refused(quick: Quick, wrong: list[str]):
    assert quick("logs", *wrong).code == 2


def test_a_damaged_history_is_named_with_the_way_out(quick: Quick, ragqa: Ragqa):
    ragqa.home.mkdir()
    spoil(ragqa.home, "damaged")
    for command in ([], ["status"], ["forget", "--all"]):
        done = quick("logs", *command)
        assert done.code == 13
        assert "move it away; the next question begins a new one" in done.err


# Looking after it


def test_on_and_off_are_kept_in_the_users_file(quick: Quick, ragqa: Ragqa):
    assert quick("logs", "status", "--json").json["log"] is True
    assert quick("logs", "off").code == 0
    assert (ragqa.home / "config.toml").read_text() == "log = false\n"
    assert quick("logs", "status").out.startswith("log\toff\n")
    quick("logs", "on")
    assert quick("logs", "status", "--json").json["log"] is True


def test_status_counts(quick: Quick, ragqa: Ragqa):
    asked(ragqa.home, "one", conversation="c")
    asked(ragqa.home, "two", conversation="c")
    logs = ragqa.home / "logs.db"
    assert quick("logs", "status", "--json").json == {
        "log": True,
        "path": str(logs),
        "bytes": logs.stat().st_size,
        "conversations": 1,
        "questions": 2,
    }


def test_path_prints_where_it_lies(ragqa: Ragqa):
    assert ragqa("logs", "path").out == ragqa("path", "logs").out == f"{ragqa.home}/logs.db\n"


def test_forgotten_questions_are_named_by_id_conversation_and_date(quick: Quick, ragqa: Ragqa):
    old = asked(ragqa.home, "old", days=40)
    kept, one, two = (asked(ragqa.home, f"{n}", conversation="c" if n else "") for n in range(3))
    week = (datetime.now().astimezone() - timedelta(days=7)).date().isoformat()
    assert quick("logs", "forget", "--before", week).out == "forgot 1 question\n"
    assert quick("logs", "forget", "--cid", "c").out == "forgot 2 questions\n"
    assert [line["id"] for line in quick("logs", "--nl").lines] == [kept.id]
    assert quick("logs", "forget", kept.id.lower()).out == "forgot 1 question\n"
    assert not {old.id, one.id, two.id} & {line["id"] for line in quick("logs", "--nl").lines}


def test_forgotten_text_leaves_no_byte(quick: Quick, ragqa: Ragqa):
    asked(ragqa.home, "periwinkle-7391?", "periwinkle " * 300)
    asked(ragqa.home, "something else")
    assert b"periwinkl" in (ragqa.home / "logs.db").read_bytes()
    quick("logs", "forget", quick("logs", "-q", "periwinkle", "--json").json[0]["id"])
    assert not [file for file in ragqa.home.iterdir() if b"periwinkl" in file.read_bytes()]


def test_what_was_typed_in_conversations_is_forgotten_with_the_questions(quick: Quick, ragqa: Ragqa):
    turn, typed = asked(ragqa.home, "one"), ragqa.home / "chat-lines"
    for ids in ([turn.id], ["--all"]):
        typed.write_text("\n+one\n")
        assert quick("logs", "forget", *ids).code == 0
        assert not typed.exists()
    typed.write_text("\n+one\n")
    assert quick("logs", "forget", turn.id).code == 2
    assert typed.exists()


@pytest.mark.parametrize(
    "wrong", [[], ["nothing"], ["--all", "x"], ["--before", "soon"], ["--cid", "x"], [""], ["--cid", ""]]
)
def test_a_wrong_forget_removes_nothing(quick: Quick, ragqa: Ragqa, wrong: list[str]):
    asked(ragqa.home, "one")
    assert quick("logs", "forget", *wrong).code == 2
    assert len(quick("logs", "--nl").lines) == 1


def test_one_wrong_id_among_right_ones_removes_nothing(quick: Quick, ragqa: Ragqa):
    turn = asked(ragqa.home, "one")
    assert quick("logs", "forget", turn.id, "nothing").code == 2
    assert len(quick("logs", "--nl").lines) == 1


def test_other_programs_can_open_it_while_it_is_written(ragqa: Ragqa):
    asked(ragqa.home, "one")
    with closing(sqlite3.connect(ragqa.home / "logs.db")) as other:
        assert other.execute("SELECT question FROM questions").fetchall() == [("one",)]
        asked(ragqa.home, "two")
        assert other.execute("SELECT question FROM questions").fetchall() == [("two",), ("one",)]
    assert os.listdir(ragqa.home) == ["logs.db"]
