"""An index of an older version is brought up to date: whole, once, and with the old one kept."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ragqa.database import Kind
from ragqa.errors import IndexDamaged, NotWritable
from ragqa.history import open_history
from ragqa.history.tables import HISTORY
from ragqa.store import schema
from ragqa.store.opening import create_index, open_index
from ragqa.store.schema import SCHEMA_VERSION
from ragqa.types import Filter
from tests.stores.test_sqlite import ROOT, add, made, second_connection, unit

OLD = (Path(__file__).parent / "schemas" / "index-4.sql").read_text()
COPIED = {
    "meta": "key, value",
    "documents": "key, id, path, collection, sha256, size, mtime_ns, passages, indexed_at",
    "passages": "key, document, ordinal, heading, blocks, text, char_start, char_end, line_start, line_end, crc32",
    "tokens": "passage, signs, crc32",
    "vectors": "passage, sketches, vector, crc32",
    "sketches": "key, collection, size, passages, mean, steps, weights, bits",
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """An index of schema 4 with three documents."""
    make_old(tmp_path / "index.db")
    return tmp_path / "index.db"


def make_old(path: Path) -> None:
    """The same at a path."""
    new = path.with_name("new.db")
    store = made(new)
    add(store, "n/a.md", "one", "two")
    add(store, "n/b.txt", "three")
    add(store, "n/c.PATCH", "four")
    store.close()
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    db = second_connection(path)
    db.execute("PRAGMA journal_mode = wal")
    db.execute(OLD)
    db.execute("ATTACH ? AS new", (str(new),))
    for table, columns in COPIED.items():
        db.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM new.{table}")
    db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    db.execute("PRAGMA user_version = 4")
    db.close()
    for file in path.parent.glob("new.db*"):
        file.unlink()


def backup_of(path: Path) -> Path:
    return path.with_name("index.db.schema-4.bak")


def columns(path: Path) -> set[tuple[object, ...]]:
    """Table, name, type, whether it may be empty, and place in the key of every column of an index."""
    db = sqlite3.connect(path)
    found = db.execute(
        'SELECT m.name, c.name, c.type, c."notnull", c.pk FROM sqlite_schema m, pragma_table_info(m.name) c'
    ).fetchall()
    names = db.execute("SELECT type, name FROM sqlite_schema WHERE type != 'table'").fetchall()
    db.close()
    return {*found, *names}


@pytest.mark.parametrize("writable", [False, True])
def test_an_index_of_schema_4_is_brought_up_to_date_by_whoever_opens_it(old: Path, writable: bool):  # fault 61
    said: list[str] = []
    store = open_index(old, writable=writable, say=said.append)
    assert list(store.faults()) == []
    assert [(record.id, record.type) for record in store.known().values()] == [
        ("n/a.md", "markdown"),
        ("n/b.txt", "text"),
        ("n/c.PATCH", "diff"),
    ]
    assert [passage.text for passage in store.passages_of("n/a.md")] == ["one", "two"]
    assert [hit.passage.text for hit in store.search(unit(1)[0], 9, Filter(types=("diff",)))] == ["four"]
    assert said == [f"bringing index.db from schema 4 to {SCHEMA_VERSION}; as it was, it stays in {backup_of(old)}"]
    store.close()


def test_an_index_brought_up_to_date_has_the_tables_of_a_new_one(old: Path, tmp_path: Path):
    open_index(old).close()
    made(tmp_path / "new.db").close()
    assert columns(old) == columns(tmp_path / "new.db")


def test_an_index_brought_up_to_date_is_written_as_any_other(old: Path):
    store = create_index(old, fingerprint="f", model="words", dim=4)
    add(store, "n/a.md", "five")
    store.remove("n/b.txt")
    assert list(store.faults()) == []
    assert list(store.known()) == ["n/a.md", "n/c.PATCH"]
    store.close()


def test_the_old_index_is_kept_beside_for_its_owner_alone(old: Path):
    before = os.umask(0)
    try:
        open_index(old).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(backup_of(old).stat().st_mode) == 0o600
    kept = sqlite3.connect(backup_of(old))
    assert kept.execute("PRAGMA user_version").fetchone() == (4,)
    assert kept.execute("SELECT count(*) FROM passages").fetchone() == (4,)
    kept.close()


OPENER = """
import sys
from pathlib import Path
from ragqa.store.opening import open_index
print("ready", flush=True)
sys.stdin.readline()
said = []
store = open_index(Path(sys.argv[1]), say=said.append)
print(len(list(store.known())), sum(line.startswith("bringing") for line in said))
"""


def test_eight_that_open_it_together_bring_it_up_to_date_once(old: Path):  # fault 61
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, str(old)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for opener in openers:
        assert opener.stdout
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin
        opener.stdin.write("\n")
        opener.stdin.flush()
    outcomes = [opener.communicate(timeout=60) for opener in openers]
    assert [out.split()[0] for out, _err in outcomes] == ["3"] * 8, outcomes
    assert sum(int(out.split()[1]) for out, _err in outcomes) == 1


KILLED = """
import os, signal, sys
from pathlib import Path
import apsw
from ragqa.store.opening import open_index

left = int(sys.argv[2])
def count():
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

class File(apsw.VFSFile):
    def __init__(self, name, flags):
        super().__init__("unix", name, flags)
    def xWrite(self, data, offset):
        count()
        super().xWrite(data, offset)

class Counting(apsw.VFS):
    def __init__(self):
        super().__init__("counting", "unix", makedefault=True)
    def xOpen(self, name, flags):
        return File(name, flags)

vfs = Counting()
open_index(Path(sys.argv[1]), writable=True)
"""


def test_the_copy_has_its_lasting_name_before_anything_is_changed(old: Path, monkeypatch: pytest.MonkeyPatch):
    names = []

    def keep_names(folder: Path) -> None:
        with closing(sqlite3.connect(old)) as db:
            names.append((folder, backup_of(old).exists(), *db.execute("PRAGMA user_version").fetchone()))

    monkeypatch.setattr("ragqa.files.keep_names", keep_names)
    open_index(old, writable=True).close()
    assert names == [(old.parent, True, 4)]


@pytest.mark.parametrize("at", [1, 10, 15, 20, 25, 28, 31])
def test_killed_in_between_it_is_the_old_or_the_new_and_whole(old: Path, at: int):  # fault 62
    died = subprocess.run([sys.executable, "-c", KILLED, str(old), str(at)], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    db = sqlite3.connect(old)
    (version,) = db.execute("PRAGMA user_version").fetchone()
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    has_types = "type" in {name for _n, name, *_rest in db.execute("PRAGMA table_info(documents)")}
    db.close()
    assert (version, has_types) in {(4, False), (SCHEMA_VERSION, True)}
    store = open_index(old)
    assert list(store.faults()) == []
    assert len(store.known()) == 3
    store.close()


def test_a_newer_index_is_not_touched(old: Path):  # fault 61
    db = sqlite3.connect(old)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    before = old.stat().st_mtime_ns, old.read_bytes()
    for opening in (open_index, made):
        with pytest.raises(IndexDamaged) as refused:
            opening(old)
        assert refused.value.hint == "upgrade ragqa"
    assert (old.stat().st_mtime_ns, old.read_bytes()) == before
    assert not backup_of(old).exists()


def test_an_old_index_where_nothing_can_be_written_is_refused_in_one_line(old: Path, monkeypatch: pytest.MonkeyPatch):
    from ragqa import migrate

    def refuse(*arguments: object) -> None:
        raise NotWritable(f"{old}: cannot be written: Read-only file system")

    monkeypatch.setattr(migrate, "writing_alone", refuse)
    with pytest.raises(NotWritable, match="made by an older version of ragqa") as refused:
        open_index(old)
    assert "--db FILE" in refused.value.hint
    assert not backup_of(old).exists()


def test_a_history_is_brought_up_to_date_by_the_same_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "logs.db"
    open_history(path).close()
    newer = Kind(
        **{name: getattr(HISTORY, name) for name in HISTORY.__slots__ if name not in ("version", "migrations")},
        version=HISTORY.version + 1,
        migrations=HISTORY.migrations | {HISTORY.version: "ALTER TABLE turns ADD COLUMN mood TEXT NOT NULL DEFAULT ''"},
    )
    monkeypatch.setattr("ragqa.history.HISTORY", newer)
    open_history(path, writable=False).close()
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (HISTORY.version + 1,)
    assert "mood" in {name for _n, name, *_rest in db.execute("PRAGMA table_info(turns)")}
    db.close()
    assert path.with_name(f"logs.db.schema-{HISTORY.version}.bak").exists()
