"""The history: what is recorded comes back, what is forgotten is gone, and others can open the file."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ulid import ULID

from ragqa.document import Place
from ragqa.errors import IndexDamaged, IndexLocked, NotWritable, RagqaError, UsageError
from ragqa.history import History, open_history
from ragqa.history.tables import HISTORY
from ragqa.turn import Source, Turn
from tests.conftest import ROOT
from tests.stores.test_sqlite import numbers_in_twenty

SECRET = "periwinkle-7391"
QUOTE = "The lighthouse was first lit in 1894."
LIT = Source(1, "notes/light.md#1", Path("/notes/light.md"), 3, 4, QUOTE, ("The light",))
HOSTILE = '\x1b[31m[bold]\0" OR * NEAR( \u202e'


def turn(question: str = "When was it lit?", *, id: str = "", sources: tuple[Source, ...] = (LIT,)) -> Turn:
    return Turn(id or str(ULID()), question, question, "quoted", "In 1894. [1]", sources, 0.93, 412)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "logs.db"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    opened = open_history(path)
    yield opened
    opened.close()


def record(history: History, *questions: str, conversation: str = "c") -> list[Turn]:
    turns = [turn(question) for question in questions]
    for one in turns:
        history.record(one, conversation=conversation)
    return turns


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    """With Python's own SQLite, as another program would."""
    other = sqlite3.connect(path)
    found = other.execute(statement).fetchall()
    other.close()
    return found


# What is recorded comes back


def test_turns_come_back_as_they_were_recorded_the_oldest_first(history: History):
    recorded = record(history, "one", "two")
    assert history.turns("c") == recorded
    assert history.turns("other") == []


PAGE = Source(1, "n/a.pdf#2", Path("/n/a.pdf"), 9, 9, QUOTE, (), Place(0, "page", 3), "pages 3-4")
ROW = Source(2, "n/a.csv#1", Path("/n/a.csv"), 14, 14, QUOTE, (), Place(0, "row", 13, line=14), "row 13")


def test_a_quote_remembers_its_place_and_other_programs_can_read_it(history: History, path: Path):
    one = turn(sources=(PAGE, ROW, replace(LIT, n=3)))
    history.record(one, conversation="c")
    assert history.turns("c") == [one]
    ((said,),) = rows(path, "SELECT sources FROM questions")
    assert str(said).splitlines() == ["/n/a.pdf, pages 3-4", "/n/a.csv:14, row 13", "/notes/light.md:3"]


def test_what_the_documents_had_to_fulfil_is_remembered(history: History):
    history.record(turn(), conversation="c", collections=["notes"], conditions=["tag:sea", "after:2024"])
    (recorded,) = history.latest(1)
    assert (recorded.collections, recorded.conditions) == (("notes",), ("tag:sea", "after:2024"))
    history.replace(recorded.turn.id, turn(), conditions=["type:pdf"])
    assert history.latest(1)[0].conditions == ("type:pdf",)


@pytest.fixture
def old(path: Path) -> Path:
    """A history of version 1 with one question."""
    path.parent.mkdir(mode=0o700)
    db = apsw.Connection(str(path))
    db.execute((Path(__file__).parent / "schemas" / "history-1.sql").read_text())
    db.execute(
        "INSERT INTO conversations VALUES ('C', 'one', '2026-01-01T00:00:00+00:00');"
        "INSERT INTO turns VALUES (1, 'T', 'C', '2026-01-01T00:00:00+00:00', 'one', 'one', 'quoted', 'a', 0.5, '{}',"
        " '[\"notes\"]', 9);"
        "INSERT INTO sources VALUES ('s', 'The quote.');"
        "INSERT INTO turns_sources VALUES ('T', 1, 1, 's', 'a#1', '/a', 3, 4, '[]')"
    )
    db.pragma("application_id", HISTORY.application_id)
    db.pragma("user_version", 1)
    db.close()
    return path


def test_a_history_of_version_1_keeps_its_questions_and_goes_on(old: Path):  # fault 61
    history = open_history(old)
    (recorded,) = history.latest(0)
    assert recorded.turn.sources == (Source(1, "a#1", Path("/a"), 3, 4, "The quote."),)
    assert (recorded.collections, recorded.conditions) == (("notes",), ())
    record(history, "two")
    assert rows(old, "SELECT question, sources FROM questions") == [("two", "/notes/light.md:3"), ("one", "/a:3")]
    history.close()


def test_a_history_brought_up_to_date_has_the_tables_of_a_new_one(old: Path, tmp_path: Path):
    open_history(old).close()
    open_history(tmp_path / "new.db").close()
    columns = 'SELECT m.name, c.name, c.type, c."notnull" FROM sqlite_schema m, pragma_table_info(m.name) c'
    assert set(rows(old, columns)) == set(rows(tmp_path / "new.db", columns))


def test_what_is_forgotten_is_gone_from_the_copy_of_the_old_version_too(old: Path):
    history = open_history(old)
    assert len(list(old.parent.glob("logs.db.schema-1.bak"))) == 1
    history.forget(["T"])
    history.close()
    assert not list(old.parent.glob("*.bak"))


def test_they_are_there_when_the_history_is_opened_again(history: History, path: Path):
    (recorded,) = record(history, "one")
    history.close()
    again = open_history(path)
    assert again.turns("c") == [recorded]
    again.close()


def test_models_and_collections_are_kept_with_a_turn(history: History):
    history.record(turn(), conversation="c", models={"embed": "e5", "generate": None}, collections=["notes"])
    (found,) = history.latest(1)
    assert (found.models, found.collections) == ({"embed": "e5", "generate": None}, ("notes",))


def test_a_turn_was_asked_when_its_id_says(history: History):
    moment = datetime(2026, 1, 31, 12, 30, 1, 250_000, UTC)
    history.record(turn(id=str(ULID.from_datetime(moment))), conversation="c")
    assert history.latest(1)[0].asked_at == "2026-01-31T12:30:01.250+00:00"


def test_the_last_turns_of_all_conversations_end_with_the_newest(history: History):
    record(history, "one", "two")
    record(history, "three", conversation="d")
    assert [one.turn.question for one in history.latest(2)] == ["two", "three"]
    assert [one.turn.question for one in history.latest(0)] == ["one", "two", "three"]
    assert [one.conversation for one in history.latest(2)] == ["c", "d"]


def test_a_path_that_is_not_utf_8_comes_back(history: History):
    strange = replace(LIT, path=Path(os.fsdecode(b"/notes/\xff.md")))
    history.record(turn(sources=(strange,)), conversation="c")
    assert history.turns("c")[0].sources == (strange,)


def test_half_a_character_is_recorded_as_what_stands_for_one(history: History):
    record(history, "what is \ud800?")
    assert history.turns("c")[0].question == "what is \ufffd?"


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
sources = st.builds(
    Source,
    st.integers(1, 99),
    texts,
    st.from_regex(r"/[^\0/\ud800-\udfff]{1,20}", fullmatch=True).map(Path),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    texts,
    st.lists(texts, max_size=3).map(tuple),
)
turns = st.builds(
    Turn,
    st.builds(lambda: str(ULID())),
    texts,
    texts,
    st.sampled_from(["answered", "quoted", "abstained"]),
    texts,
    st.lists(sources, max_size=4).map(tuple),
    st.floats(0, 1),
    st.integers(0, 10**7),
)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    opened = open_history(tmp_path_factory.mktemp("lasting") / "logs.db")
    yield opened
    opened.close()


@given(st.lists(turns, min_size=1, max_size=3), texts)
@settings(max_examples=60)
def test_any_turn_comes_back_equal_and_any_text_may_be_searched_for(lasting: History, recorded: list[Turn], text: str):
    conversation = recorded[0].id
    for one in recorded:
        lasting.record(one, conversation=conversation)
    assert lasting.turns(conversation) == recorded
    lasting.search(text, 3)
    for one in recorded:
        lasting.search(one.question + text, 3)


# Conversations


def test_a_conversation_is_called_by_its_first_question(history: History, path: Path):
    record(history, "one", "two")
    assert history.conversations() == [("c", "one")]
    assert rows(path, "SELECT id, name FROM conversations") == [("c", "one")]


def test_the_latest_conversation_is_the_one_that_was_last_gone_on_with(history: History):
    assert history.latest_conversation() is None
    record(history, "one")
    record(history, "two", conversation="d")
    assert history.latest_conversation() == "d"
    record(history, "three")
    assert history.latest_conversation() == "c"


def test_the_start_of_an_id_names_a_conversation_if_no_other_begins_so(history: History):
    record(history, "one", conversation="01AB")
    record(history, "two", conversation="01AC")
    assert history.conversation("01ab") == history.conversation("01AB") == "01AB"
    for prefix in ("01A", "02", "", "%"):
        with pytest.raises(UsageError):
            history.conversation(prefix)


def test_a_retried_turn_takes_the_place_of_the_first_one(history: History):
    first, second = record(history, "one", "two")
    again = turn("one, but better")
    history.replace(first.id, again)
    assert history.turns("c") == [again, second]
    assert history.conversations() == [("c", "one, but better")]


def test_what_is_not_there_cannot_be_replaced(history: History):
    with pytest.raises(UsageError):
        history.replace("nothing", turn())
    assert history.latest(0) == []


# Searching


def test_a_search_finds_turns_with_every_word_in_question_or_answer(history: History):
    record(history, "When was the bridge rebuilt?", "Who painted the bridge?", "When was it lit?")
    assert [one.turn.question for one in history.search("bridges 1894", 5)] == [
        "When was the bridge rebuilt?",
        "Who painted the bridge?",
    ]
    assert [one.turn.question for one in history.search("bridge", 1)] == ["Who painted the bridge?"]
    assert history.search("bridge", 5, conversation="other") == []


@pytest.mark.parametrize("text", [HOSTILE, '"', "* OR NOT", "question:", "a AND", "NEAR(", "", "^", "-", "_"])
def test_nothing_in_a_search_is_an_operator(history: History, text: str):
    record(history, "plain")
    history.search(text, 5)


def test_a_word_of_a_hostile_question_is_found(history: History):
    record(history, HOSTILE)
    assert [one.turn.question for one in history.search("bold", 5)] == [HOSTILE]


def test_what_was_replaced_is_not_found(history: History):
    (first,) = record(history, "wooden")
    history.replace(first.id, turn("iron"))
    assert history.search("wooden", 5) == []
    assert len(history.search("iron", 5)) == 1


# Forgetting


def test_a_quote_is_stored_once(history: History, path: Path):
    record(history, "one", "two")
    assert rows(path, "SELECT quote FROM sources") == [(LIT.quote,)]
    assert rows(path, "SELECT count(*) FROM turns_sources") == [(2,)]


def test_a_quote_stays_as_long_as_a_turn_shows_it(history: History, path: Path):
    first, second = record(history, "one", "two")
    history.forget([first.id])
    assert rows(path, "SELECT quote FROM sources") == [(LIT.quote,)]
    history.forget([second.id])
    assert rows(path, "SELECT quote FROM sources") == []


def test_what_is_forgotten_leaves_no_byte(history: History, path: Path):
    secret = turn(SECRET, sources=(replace(LIT, quote=f"The word is {SECRET}.", path=Path(f"/{SECRET}.md")),))
    record(history, *(f"question {n}" for n in range(20)), conversation="c0")
    history.record(replace(secret, answer=SECRET * 500), conversation="c")
    record(history, "a question that goes on")
    files = [path, path.with_name("logs.db-wal")]
    assert any(SECRET.encode() in file.read_bytes() for file in files)
    assert history.forget([secret.id, "not there"]) == 1
    assert not any(b"periwinkl" in file.read_bytes() for file in path.parent.iterdir())
    assert history.conversations(1) == [("c", "a question that goes on")]


def test_of_forgotten_words_none_stays_to_part_the_pages_of_others(history: History, path: Path):  # fault 63
    texts = numbers_in_twenty()
    turns = [replace(turn("which?"), answer=" ".join(text)) for text in texts]
    for one in turns:
        history.record(one, conversation="c")
    history.forget(one.id for one in turns[1::2])
    stored = path.read_bytes()
    assert not [number for text in texts[1::2] for number in text if number.encode() in stored]


def test_turns_are_named_by_conversation_and_by_time(history: History):
    old = turn("old", id=str(ULID.from_datetime(datetime(2025, 1, 1, tzinfo=UTC))))
    history.record(old, conversation="c")
    new, other = record(history, "new")[0], record(history, "other", conversation="d")[0]
    assert history.ids() == [old.id, new.id, other.id]
    assert history.ids(conversation="c") == [old.id, new.id]
    assert history.ids(before=datetime(2025, 1, 2, tzinfo=UTC)) == [old.id]
    assert history.ids(conversation="d", before=datetime(2025, 1, 2, tzinfo=UTC)) == []


def test_all_of_it_can_be_forgotten(history: History, path: Path):
    record(history, *(f"question {n}" for n in range(30)))
    assert history.forget(history.ids()) == 30
    tables = ("conversations", "turns", "sources", "turns_sources", "turns_fts_docsize")
    assert [rows(path, f"SELECT count(*) FROM {table}") for table in tables] == [[(0,)]] * 5


# The file


def test_only_its_owner_can_read_it(history: History, path: Path):
    record(history, "one")
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_others_find_plain_tables_with_keys_that_lead_somewhere(history: History, path: Path):
    recorded = record(history, "When was it lit?")[0]
    assert rows(path, "SELECT id, question, status, answer, support, models, duration_ms FROM turns") == [
        (recorded.id, "When was it lit?", "quoted", "In 1894. [1]", 0.93, "{}", 412)
    ]
    assert rows(path, "SELECT question, sources, conversation FROM questions") == [
        ("When was it lit?", "/notes/light.md:3", "When was it lit?")
    ]
    assert rows(path, "SELECT path, questions FROM cited") == [("/notes/light.md", 1)]
    assert rows(path, "SELECT rowid FROM turns_fts WHERE turns_fts MATCH 'lit'") == [(1,)]
    keys = {(row[2], row[3]) for row in rows(path, "SELECT * FROM pragma_foreign_key_list('turns_sources')")}
    assert keys == {("turns", "turn"), ("sources", "source")}
    assert rows(path, "PRAGMA foreign_key_check") == []
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_row_that_another_program_changes_is_found_by_its_new_words(history: History, path: Path):
    record(history, "wooden")
    other = apsw.Connection(str(path))
    other.execute("UPDATE turns SET question = 'iron'")
    other.close()
    assert len(history.search("iron", 5)) == 1
    assert history.search("wooden", 5) == []


def test_a_history_of_a_newer_version_is_refused_untouched(history: History, path: Path):
    history.close()
    other = apsw.Connection(str(path))
    other.pragma("user_version", 99)
    other.close()
    before = path.read_bytes()
    with pytest.raises(IndexDamaged, match="another version") as refused:
        open_history(path)
    assert refused.value.hint == "upgrade ragqa"
    assert path.read_bytes() == before


def test_a_database_of_something_else_is_refused_untouched(path: Path):
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE mine (a)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(IndexDamaged, match="not a history"):
        open_history(path)
    assert path.read_bytes() == before


def test_random_bytes_are_no_history(path: Path):
    path.parent.mkdir()
    path.write_bytes(bytes(range(1, 256)) * 40)
    for writable in (True, False):
        with pytest.raises(IndexDamaged):
            open_history(path, writable=writable)


def test_a_folder_in_its_place_is_not_writable(path: Path):
    path.mkdir(parents=True)
    with pytest.raises(NotWritable):
        open_history(path)


def test_to_read_makes_no_file(path: Path):
    with pytest.raises(RagqaError):
        open_history(path, writable=False)
    assert not path.exists()


def test_a_full_disk_is_named_and_takes_nothing_that_was_there(history: History):
    (first,) = record(history, "one")
    history._db.pragma("max_page_count", int(str(history._db.pragma("page_count"))))
    with pytest.raises(NotWritable) as refused:
        record(history, "word " * 20_000)
    assert refused.value.hint == "free some space; what was recorded before is whole"
    assert history.turns("c") == [first]


# Several processes


RECORD = """
import sys
from pathlib import Path
from ragqa.history import open_history
from ragqa.turn import Turn
for n in range(int(sys.argv[3])):
    history = open_history(Path(sys.argv[1]))
    history.record(Turn(f"{sys.argv[2]}-{n}", "q", "q", "abstained", "a"), conversation=sys.argv[2])
    history.close() if n % 2 else None
print("done", flush=True)
sys.stdin.read()
"""


def recording(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RECORD, str(path), name, str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_processes_that_record_at_once_all_succeed(path: Path):
    processes = [recording(path, name, 25) for name in ("a", "b", "c")]
    assert [process.communicate()[0] for process in processes] == ["done\n"] * 3
    history = open_history(path)
    assert len(history.ids()) == 75
    assert [turn.id for turn in history.turns("b")] == [f"b-{n}" for n in range(25)]
    history.close()


def test_a_killed_process_has_lost_nothing_that_it_recorded(path: Path):
    process = recording(path, "a", 3)
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    history = open_history(path)
    assert history.ids() == ["a-0", "a-1", "a-2"]
    history.close()


def test_nothing_is_forgotten_while_it_would_stay_in_the_log(history: History, path: Path):
    record(history, SECRET)
    reader = apsw.Connection(str(path))
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM turns").get == 1
    history._db.set_busy_timeout(1)
    with pytest.raises(IndexLocked, match="nothing was removed"):
        history.forget(history.ids())
    reader.close()
    assert history.forget(history.ids()) == 1


def test_what_another_process_keeps_locked_is_said_to_be(history: History, path: Path, monkeypatch: pytest.MonkeyPatch):
    history.close()
    monkeypatch.setattr("ragqa.history.BUSY_MS", 10)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    waiting = open_history(path)
    with pytest.raises(IndexLocked):
        record(waiting, "one")
    other.execute("ROLLBACK")
    record(waiting, "two")
    assert [turn.question for turn in waiting.turns("c")] == ["two"]
    waiting.close()
