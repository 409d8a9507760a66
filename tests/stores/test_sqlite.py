"""The index file: private, whole after any accident, and honest about damage."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest
import sqlite_vec

from ragqa.database import log_of
from ragqa.errors import FingerprintMismatch, IndexDamaged, IndexLocked, ModelError, NoIndex, RagqaError
from ragqa.store.opening import create_index, open_index
from ragqa.store.rows import stored_calibration
from ragqa.store.schema import APPLICATION_ID, SCHEMA_VERSION
from ragqa.store.sqlite import SQLiteStore
from ragqa.types import Calibration, Matrix, Vector
from tests.fakes import document, passage, placed

ROOT = Path(__file__).parents[2]


def made(path: Path) -> SQLiteStore:
    return create_index(path, fingerprint="f", model="words", dim=4)


def unit(rows: int) -> Matrix:
    return np.eye(4, dtype=np.float32)[:rows]


def add(store: SQLiteStore, id: str, *texts: str) -> None:
    passages = placed([passage(text, document=id, ordinal=n, heading=(id,)) for n, text in enumerate(texts, start=1)])
    signs = [np.arange(len(text), dtype=np.uint8)[:, None] for text in texts]  # a token a letter, a byte a token
    store.add(document("\n".join(texts), id=id), passages, unit(len(texts)), signs)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    opened = made(path)
    yield opened
    opened.close()


def second_connection(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    return connection


# Files


def test_the_files_are_for_their_owner_alone_under_any_umask(path: Path):  # fault 58
    before = os.umask(0)
    try:
        store = made(path)
        add(store, "n/a.md", "one")
        files = sorted(path.parent.iterdir())
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in files}
    finally:
        os.umask(before)
    store.close()
    assert modes == {"index.db": 0o600, "index.db-shm": 0o600, "index.db-wal": 0o600}


def test_what_is_committed_survives_a_power_cut(store: SQLiteStore):
    assert store._db.pragma("journal_mode") == "wal"
    assert store._db.pragma("synchronous") == 2  # FULL


def test_opening_again_finds_everything(store: SQLiteStore, path: Path):
    add(store, "n/a.md", "one", "two")
    again = open_index(path)
    assert (again.fingerprint, again.model, again.dim) == ("f", "words", 4)
    assert again.text_of("n/a.md") == "onetwo"
    again.close()


def test_the_tables_of_a_new_index_hold_a_row_for_each_passage(store: SQLiteStore, path: Path):
    add(store, "n/a.md", "one", "three")
    counts = {"documents": 1, "passages": 2, "vectors": 2, "tokens": 2, "sketches": 2, "passages_fts_docsize": 2}
    assert store.counts() == counts
    reader = sqlite3.connect(path)
    assert reader.execute("SELECT passage, length(signs) FROM tokens").fetchall() == [(1, 3), (2, 5)]
    assert reader.execute("PRAGMA user_version").fetchall() == [(5,)]
    reader.close()


def test_the_centre_is_measured_once_and_kept(path: Path):
    asked = []

    def measure() -> Vector:
        asked.append(1)
        return np.array([0.25, -1, 0, 3e-7], np.float32)

    for _ in range(2):
        store = create_index(path, fingerprint="f", model="words", dim=4, centre=measure)
        assert np.array_equal(store.centre, np.array([0.25, -1, 0, 3e-7], np.float32))
        store.close()
    reader = open_index(path)
    assert np.array_equal(reader.centre, np.array([0.25, -1, 0, 3e-7], np.float32))
    reader.close()
    assert asked == [1]


def test_no_index_is_left_behind_when_the_centre_cannot_be_measured(path: Path):
    def fail() -> Vector:
        raise ModelError("no model")

    with pytest.raises(ModelError):
        create_index(path, fingerprint="f", model="words", dim=4, centre=fail)
    with pytest.raises(NoIndex):
        open_index(path)
    made(path).close()


def test_a_moved_document_keeps_its_passages(store: SQLiteStore):
    add(store, "n/a.md", "one")
    store.relocate("n/a.md", "m/b.md", Path("/m/b.md"), 7, 9)
    record = store.record("m/b.md")
    assert record
    assert (record.path, record.mtime_ns) == (Path("/m/b.md"), 7)
    assert store.match(["one"], 1)[0].passage.document_id == "m/b.md"
    assert list(store.faults()) == []


# Searching


@pytest.mark.parametrize(
    "word", ['"', '"" OR "', "NEAR(", "foo-bar", "C++", "-x", "*", "one*", "heading:one", "AND", "", "^x", "'"]
)
def test_no_word_is_an_operator(store: SQLiteStore, word: str):
    add(store, "n/a.md", "zebra")
    assert store.match([word], 3) == []
    assert store.frequencies([word]) == ([0], 1)
    assert len(store.match([word, "zebra"], 3)) == 1


def test_words_with_marks_in_them_are_found(store: SQLiteStore):
    add(store, "n/a.md", "a foo-bar in C++", "another foo")
    assert [hit.passage.ordinal for hit in store.match(["foo-bar"], 3)] == [1]
    assert [hit.passage.ordinal for hit in store.match(["c++"], 3)] == [1]


def test_words_are_compared_by_their_stem_and_without_accents(store: SQLiteStore):
    add(store, "n/a.md", "bridges", "café")
    assert [hit.passage.ordinal for hit in store.match(["bridge", "cafe"], 3)] in ([1, 2], [2, 1])


def test_more_neighbours_can_be_asked_for_than_sqlite_vec_gives(store: SQLiteStore):
    add(store, "n/a.md", "one")
    assert len(store.search(unit(1)[0], 1_000_000)) == 1


# Damage


def test_a_good_index_has_no_faults(store: SQLiteStore):
    add(store, "n/a.md", "one", "two")
    add(store, "n/b.md", "three")
    add(store, "n/b.md", "four", "five")
    store.remove("n/a.md")
    assert list(store.faults()) == []
    assert set(store.counts().values()) == {1, 2}


def test_a_good_index_opened_for_reading_has_no_faults(store: SQLiteStore, path: Path):
    add(store, "n/a.md", "one")
    reader = open_index(path)
    assert list(reader.faults()) == []
    reader.close()


DAMAGE = {
    "text": "UPDATE passages SET text = 'twp' WHERE text = 'two'",
    "text, no longer UTF-8": "UPDATE passages SET text = CAST(x'74776f80' AS TEXT) WHERE text = 'two'",
    "vector": "UPDATE vectors SET vector = CAST(x'01' || substr(vector, 2) AS BLOB) WHERE passage = 2",
    "vector gone": "DELETE FROM vectors WHERE passage = 2",
    "sketch": "UPDATE sketches SET bits = CAST(substr(bits, 1, 8) || x'ff' || substr(bits, 10) AS BLOB)",
    "a sketch's steps": "UPDATE sketches SET steps = CAST(substr(steps, 1, 4) || x'0000c07f' AS BLOB)",
    "a sketch's weight": "UPDATE sketches SET weights = CAST(substr(weights, 1, 4) || x'0000803f' AS BLOB)",
    "sketch of another passage": "UPDATE vectors SET sketches = 9 WHERE passage = 2",
    "collection": "UPDATE documents SET collection = 'other' WHERE id = 'n/b.md'",
    "signs": "UPDATE tokens SET signs = CAST(x'ff' || substr(signs, 2) AS BLOB) WHERE passage = 2",
    "signs gone": "DELETE FROM tokens WHERE passage = 2",
    "row of FTS5": "INSERT INTO passages_fts (passages_fts, rowid, heading, text)"
    " VALUES ('delete', 2, '[\"n/b.md\"]', 'two')",
    "passage": "DELETE FROM passages WHERE text = 'two'",
}


@pytest.mark.parametrize("sql", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_reported_with_the_document_it_is_in(store: SQLiteStore, path: Path, sql: str):
    add(store, "n/a.md", "one")
    add(store, "n/b.md", "two")
    vandal = second_connection(path)
    vandal.execute(sql)
    assert vandal.changes() == 1
    vandal.close()
    faults = list(store.faults())
    assert any("n/b.md" in fault for fault in faults), faults
    assert not any("n/a.md" in fault for fault in faults)


def test_a_passage_that_belongs_to_no_document_is_damage(store: SQLiteStore, path: Path):  # fault 60
    add(store, "n/a.md", "one")
    add(store, "n/b.md", "two")
    vandal = second_connection(path)
    vandal.execute("PRAGMA foreign_keys = OFF")
    vandal.execute("DELETE FROM documents WHERE id = 'n/b.md'")
    vandal.close()
    assert "passages: a row that belongs to nothing" in list(store.faults())


def test_a_vector_without_length_is_damage_where_it_is_compared(store: SQLiteStore, path: Path):
    add(store, "n/a.md", "one")
    vandal = second_connection(path)
    vandal.execute("UPDATE vectors SET vector = zeroblob(length(vector))")
    vandal.close()
    with pytest.raises(IndexDamaged, match="no length"):
        store.search(unit(1)[0], 1)


def test_a_document_whose_sketches_are_gone_is_not_removed_by_halves(store: SQLiteStore, path: Path):
    add(store, "n/a.md", "one")
    vandal = second_connection(path)
    vandal.execute("DELETE FROM sketches")
    vandal.close()
    with pytest.raises(IndexDamaged, match="sketches"):
        store.remove("n/a.md")
    assert store.counts()["documents"] == 1


def test_signs_of_vectors_of_another_length_are_damaged(path: Path):
    store = create_index(path, fingerprint="f", model="words", dim=12)  # two bytes a token
    three_bytes = np.zeros((3, 1), np.uint8)
    store.add(document("one"), [passage("one")], np.eye(12, dtype=np.float32)[:1], [three_bytes])
    assert list(store.faults()) == ["notes/a.md#1: the vectors of its tokens are damaged"]
    with pytest.raises(IndexDamaged):
        store.signs([passage("one")])
    store.close()


def test_a_vector_of_another_length_is_damaged(store: SQLiteStore):
    add(store, "n/a.md", "one")
    store._db.execute("UPDATE vectors SET vector = CAST(substr(vector, 2) AS BLOB)")
    assert list(store.faults()) == ["n/a.md#1: its vector is damaged"]
    with pytest.raises(IndexDamaged):
        store.similarities(unit(1)[0], [passage("one", document="n/a.md")])


def test_a_damaged_heading_is_noticed(store: SQLiteStore, path: Path):
    add(store, "n/a.md", "one")
    vandal = second_connection(path)
    vandal.execute("UPDATE passages SET heading = '[\"other\"]'")
    assert list(store.faults())


def test_random_bytes_are_no_index(path: Path):
    path.write_bytes(bytes(range(1, 256)) * 40)
    with pytest.raises(IndexDamaged):
        open_index(path)
    with pytest.raises(IndexDamaged):
        made(path)


def test_a_missing_or_empty_file_is_no_index_yet(path: Path):
    with pytest.raises(NoIndex):
        open_index(path)
    path.touch()
    with pytest.raises(NoIndex):
        open_index(path)
    made(path).close()
    open_index(path).close()


def test_an_index_cut_short_is_damaged(store: SQLiteStore, path: Path):
    add(store, "n/a.md", "one")
    store.close()
    os.truncate(path, 4096 * 2)
    with pytest.raises(RagqaError) as refused:
        open_index(path).known()
    assert isinstance(refused.value, IndexDamaged)


def foreign(path: Path) -> bytes:
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE bookmarks (url); INSERT INTO bookmarks VALUES ('a')")
    connection.close()
    return path.read_bytes()


def test_a_database_of_another_program_is_refused(path: Path):
    foreign(path)
    with pytest.raises(IndexDamaged):
        open_index(path)
    with pytest.raises(IndexDamaged):
        made(path)


def test_a_database_of_another_program_is_left_as_it_was(path: Path):
    before = foreign(path)
    with pytest.raises(IndexDamaged):
        made(path)
    assert path.read_bytes() == before


def test_another_application_id_is_refused(store: SQLiteStore, path: Path):
    store._db.pragma("application_id", APPLICATION_ID + 1)
    with pytest.raises(IndexDamaged):
        open_index(path)


def test_another_application_id_is_refused_for_writing_too(store: SQLiteStore, path: Path):
    store._db.pragma("application_id", APPLICATION_ID + 1)
    with pytest.raises(IndexDamaged):
        made(path)


def test_an_index_of_a_newer_version_is_refused(store: SQLiteStore, path: Path):
    store._db.pragma("user_version", SCHEMA_VERSION + 1)
    for opening in (open_index, made):
        with pytest.raises(IndexDamaged) as refused:
            opening(path)
        assert "another version" in refused.value.message


def test_an_index_of_an_older_version_is_refused_with_the_way_out(store: SQLiteStore, path: Path):
    store._db.pragma("user_version", 1)
    for opening in (open_index, made):
        with pytest.raises(IndexDamaged) as refused:
            opening(path)
        assert "schema 1" in refused.value.message
        assert refused.value.hint == "delete it and index again"


@pytest.mark.parametrize("key", ["centre", "dim", "model"])
def test_an_index_that_does_not_know_how_it_was_made_is_damaged(store: SQLiteStore, path: Path, key: str):
    store._db.execute("DELETE FROM meta WHERE key = ?", (key,))
    with pytest.raises(IndexDamaged):
        open_index(path)


@pytest.mark.parametrize("centre", ["", "AAAA", "no base64", "AACAPwAAAEA="])  # the last holds two numbers of four
def test_a_centre_of_another_length_is_damaged(store: SQLiteStore, path: Path, centre: str):
    store._db.execute("UPDATE meta SET value = ? WHERE key = 'centre'", (centre,))
    with pytest.raises(IndexDamaged):
        open_index(path)


def test_an_index_without_its_fingerprint_is_damaged(store: SQLiteStore, path: Path):
    store._db.execute("DELETE FROM meta WHERE key = 'fingerprint'")
    with pytest.raises(IndexDamaged):
        open_index(path)


def test_vectors_of_another_model_are_refused(store: SQLiteStore, path: Path):
    with pytest.raises(FingerprintMismatch) as refused:
        create_index(path, fingerprint="g", model="letters", dim=4)
    assert "words" in refused.value.message
    assert "letters" in refused.value.message


def test_an_index_that_another_process_writes_is_locked(store: SQLiteStore, path: Path):
    other = second_connection(path)
    other.execute("BEGIN IMMEDIATE")
    store._db.set_busy_timeout(1)
    with pytest.raises(IndexLocked):
        add(store, "n/a.md", "one")
    other.execute("ROLLBACK")
    add(store, "n/a.md", "one")
    assert list(store.faults()) == []


# Forgetting


def test_removed_text_leaves_no_byte(store: SQLiteStore, path: Path):
    add(store, "n/a.md", "the quick fox " * 50, "and the dog")
    add(store, "n/secret.md", "Zyxwvutsr lives at Qponmlk street. " * 50, "Zyxwvutsr")
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"Zyxwvutsr" in path.read_bytes()
    store.remove("n/secret.md")
    store.erase()
    for file in path.parent.iterdir():
        content = file.read_bytes().lower()
        assert not any(word in content for word in (b"zyxwvut", b"qponml", b"secret.md")), file


def numbers_in_twenty() -> list[list[str]]:
    """Numbers of which some part the pages of FTS5 from each other, drawn into twenty texts."""
    numbers = [f"nr{number}" for number in range(100_000, 104_000)]
    random.Random(3).shuffle(numbers)
    return [numbers[at : at + 200] for at in range(0, 4000, 200)]


def test_of_removed_words_none_stays_to_part_the_pages_of_others(store: SQLiteStore, path: Path):  # fault 63
    """FTS5 keeps of each of its pages the first word, as far as it differs from the one before it."""
    texts = numbers_in_twenty()
    for n, text in enumerate(texts):
        add(store, f"n/{n}.md", *(" ".join(text[at : at + 50]) for at in range(0, 200, 50)))
    store.forget([f"n/{n}.md" for n in range(1, 20, 2)])
    gone = {number for text in texts[1::2] for number in text}

    def parting() -> set[str]:
        terms = store._db.execute("SELECT term FROM passages_fts_idx")
        return {bytes(term).decode()[1:] for (term,) in terms} & gone

    assert parting()
    store.erase()
    assert not parting()
    assert not any(number.encode() in path.read_bytes() for number in gone)


def test_removed_text_that_a_reader_keeps_alive_is_not_said_to_be_erased(store: SQLiteStore, path: Path):
    add(store, "n/secret.md", "Zyxwvutsr")
    reader = second_connection(path)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM documents").get == 1
    store._db.set_busy_timeout(1)
    store.remove("n/secret.md")
    with pytest.raises(IndexLocked):
        store.erase()


def test_nothing_is_removed_while_its_text_would_stay_in_the_log(store: SQLiteStore, path: Path):
    add(store, "n/secret.md", "Zyxwvutsr")
    store.require_unread()
    reader = second_connection(path)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM documents").get == 1
    store._db.set_busy_timeout(1)
    with pytest.raises(IndexLocked, match="nothing was removed"):
        store.require_unread()
    reader.close()
    store.require_unread()


# Copies

LEFT_OPEN = """
import os, signal, sys
from pathlib import Path
from tests.stores.test_sqlite import add, made, second_connection

path, dies = Path(sys.argv[1]), len(sys.argv) > 2
reader = second_connection(path)
reader.execute("BEGIN")
reader.execute("SELECT count(*) FROM documents").get
store = made(path)
add(store, "n/late.md", "stands in the log alone")
print(flush=True)
os.kill(os.getpid(), signal.SIGKILL) if dies else sys.stdin.read()
"""


def left_open(path: Path, *dies: str) -> subprocess.Popen[bytes]:
    """A process that has the index open and has written into its log; or had, and died."""
    command = [sys.executable, "-c", LEFT_OPEN, str(path), *dies]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    return process


@pytest.fixture
def kept(path: Path) -> Path:
    """An older backup."""
    kept = path.with_name("kept.db")
    other = made(kept)
    add(other, "n/old.md", "old")
    other.close()
    return kept


def known_in(path: Path) -> set[str]:
    store = open_index(path)
    found = {*store.known()}
    assert list(store.faults()) == []
    store.close()
    return found


def test_a_backup_does_not_lose_to_the_log_of_the_one_before_it(store: SQLiteStore, kept: Path):  # fault 59
    with left_open(kept, "dies") as died:
        died.wait()
    assert log_of(kept).stat().st_size
    add(store, "n/new.md", "new")
    store.back_up(kept)
    assert known_in(kept) == {"n/new.md"}
    assert {path.name for path in kept.parent.glob("kept.db*")} <= {"kept.db", "kept.db-wal", "kept.db-shm"}


def test_a_backup_does_not_take_the_place_of_one_that_is_open(
    store: SQLiteStore, kept: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ragqa.database.BUSY_MS", 1)
    add(store, "n/new.md", "new")
    with left_open(kept) as reader:
        with pytest.raises(IndexLocked, match=r"kept\.db: another process has it open"):
            store.back_up(kept)
        reader.communicate()
    assert known_in(kept) == {"n/old.md", "n/late.md"}


@pytest.mark.parametrize("there", [b"something else", b"", None])
def test_a_backup_takes_no_log_that_lies_there_for_its_own(  # fault 59
    store: SQLiteStore, kept: Path, there: bytes | None
):
    with left_open(kept, "dies") as died:
        died.wait()
    kept.unlink()
    if there is not None:
        kept.write_bytes(there)
    add(store, "n/new.md", "new")
    store.back_up(kept)
    assert known_in(kept) == {"n/new.md"}


def test_a_backup_over_another_is_private_and_has_pages_of_its_own_size(store: SQLiteStore, kept: Path):
    kept.unlink()
    other = apsw.Connection(str(kept))
    other.execute("PRAGMA page_size = 1024; CREATE TABLE strange (x)")
    other.close()
    kept.chmod(0o644)
    add(store, "n/new.md", "new")
    store.back_up(kept)
    assert known_in(kept) == {"n/new.md"}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


# Accidents

WRITER = """
import os, signal, sys
from pathlib import Path
from ragqa.store import documents
from tests.stores.test_sqlite import add, made
store = made(Path(sys.argv[1]))
add(store, "n/a.md", "one")
insert = documents._put_passage
def insert_and_die(db, document, passage, signs):
    key = insert(db, document, passage, signs)
    if passage.ordinal == 2:
        db.cache_flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return key
documents._put_passage = insert_and_die
add(store, "n/a.md", "two", "three", "four")
"""


def test_a_writer_killed_in_mid_transaction_leaves_a_whole_index(path: Path):  # fault 50
    died = subprocess.run([sys.executable, "-c", WRITER, path], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    store = open_index(path, writable=True)
    assert list(store.faults()) == []
    assert store.text_of("n/a.md") == "one"
    add(store, "n/a.md", "two", "three", "four")
    assert store.text_of("n/a.md") == "twothreefour"
    store.close()


CREATOR = """
import sys
from pathlib import Path
from ragqa.store import documents
from tests.stores.test_sqlite import add, made
print("ready", flush=True)
sys.stdin.readline()
store = made(Path(sys.argv[1]))
add(store, sys.argv[2], "one")
store.close()
"""


def test_several_processes_can_make_the_same_index_at_once(path: Path):  # fault 65
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", CREATOR, path, f"n/{n}.md"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(3)
    ]
    for maker in makers:
        assert maker.stdout
        assert maker.stdout.readline() == "ready\n"
    for maker in makers:
        assert maker.stdin
        maker.stdin.write("go\n")
        maker.stdin.flush()
    outcomes = [maker.communicate(timeout=60) for maker in makers]
    assert [maker.returncode for maker in makers] == [0, 0, 0], outcomes
    store = open_index(path, writable=True)
    assert list(store.known()) == ["n/0.md", "n/1.md", "n/2.md"]
    assert list(store.faults()) == []
    store.close()


def test_making_an_index_waits_for_another_process_that_is_making_it(path: Path):
    path.touch()
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.2, other.execute, ("ROLLBACK",))
    release.start()
    try:
        made(path).close()
    finally:
        release.join()


# Words


def test_a_mention_is_found_by_its_stem_and_without_accents(store: SQLiteStore):
    text = "Sensors sensed. A sensor, cafés."
    add(store, "n/a.md", text)
    forms = {word: [text[a:b] for m in store.mentions([word]) for a, b in m.spans] for word in ("sensor", "CAFE")}
    assert forms == {"sensor": ["Sensors", "sensor"], "CAFE": ["cafés"]}


def test_no_text_can_pass_for_a_mark_around_a_mention(store: SQLiteStore):
    text = "\x02one\x03 \ufdd0two\ufdd1 <b>one</b>"
    add(store, "n/a.md", text)
    (mention,) = store.mentions(["one"])
    assert [text[start:end] for start, end in mention.spans] == ["one", "one"]


# Calibration


KEPT = Calibration(1.5, -0.5, "w", 30, 40)


def test_a_calibration_is_there_when_the_index_is_opened_again(tmp_path: Path):
    store = made(tmp_path / "index.db")
    store.calibrate(KEPT)
    store.close()
    assert open_index(tmp_path / "index.db").calibration == KEPT


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        stored_calibration(KEPT, "of another index"),
        stored_calibration(KEPT, "f").replace("1.5", "NaN"),
        stored_calibration(KEPT, "f").replace("1.5", "-1.5"),
        stored_calibration(KEPT, "f").replace("1.5", '"x"'),
        stored_calibration(KEPT, "f").replace("30", "1e999"),
    ],
)
def test_a_calibration_that_makes_no_sense_is_none(tmp_path: Path, stored: str):
    store = made(tmp_path / "index.db")
    store._db.execute("INSERT INTO meta VALUES ('calibration', ?)", (stored,))
    store.close()
    assert open_index(tmp_path / "index.db").calibration == Calibration()


def test_a_copy_has_all_that_the_index_has_and_lives_its_own_life(tmp_path: Path):
    store = made(tmp_path / "index.db")
    add(store, "n/a.md", "one", "two")
    open_index(tmp_path / "index.db").copy(tmp_path / "copy.db")
    copied = open_index(tmp_path / "copy.db", writable=True)
    assert list(copied.faults()) == []
    assert copied.counts() == store.counts()
    copied.remove("n/a.md")
    assert list(store.known()) == ["n/a.md"]
