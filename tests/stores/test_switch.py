"""An index made anew takes the place of the old one, all of it or nothing, whoever is reading."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import numpy as np
import pytest

from ragqa.errors import FingerprintMismatch, IndexLocked
from ragqa.store.opening import open_index
from ragqa.store.sqlite import SQLiteStore
from ragqa.store.switch import open_beside, place_beside, switch
from tests.fakes import document, passage, placed
from tests.stores.test_sqlite import ROOT, made, second_connection, unit

MANY = 60  # documents of which each takes some pages, so that the switch is many writes


def begun(path: Path, fingerprint: str = "g") -> SQLiteStore:
    return open_beside(path, fingerprint=fingerprint, model="others", dim=8)


def fill(store: SQLiteStore, mark: str, count: int = MANY) -> None:
    """Documents whose passages all say which index they are of."""
    for n in range(count):
        texts = [f"{mark} {n} " + "and so on " * 300] * 3
        passages = placed([passage(text, document=f"n/{n}.md", ordinal=i) for i, text in enumerate(texts, start=1)])
        store.add(document("".join(texts), id=f"n/{n}.md"), passages, np.eye(store.dim, dtype=np.float32)[:3])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An index with another one, made anew, beside it."""
    path = tmp_path / "index.db"
    old = made(path)
    fill(old, "old")
    old._db.execute("INSERT INTO refused VALUES ('/n/bad.pdf', 'aa', 1, 2, 3, 'encrypted', '1', 'now')")
    old._db.execute("UPDATE documents SET indexed_at = 'then', stale = 'unreadable', inode = 7 WHERE id = 'n/0.md'")
    old.close()
    new = begun(path)
    fill(new, "new")
    new.close()
    return path


def marks(path: Path) -> set[str]:
    store = open_index(path)
    found = {store.text_of(id).split()[0] for id in store.known()}
    store.close()
    return found


def test_after_the_switch_the_new_index_answers(path: Path):
    switch(place_beside(path), path)
    store = open_index(path, writable=True)
    assert (store.fingerprint, store.model, store.dim) == ("g", "others", 8)
    assert marks(path) == {"new"}
    assert list(store.faults()) == []
    assert store._db.pragma("journal_mode") == "wal"
    assert [file.name for file in path.parent.iterdir() if "reindexing" in file.name] == []
    store.close()


def test_what_is_remembered_of_files_stays(path: Path):
    switch(place_beside(path), path)
    store = open_index(path)
    record = store.known()["n/0.md"]
    assert (record.indexed_at, record.stale, record.inode) == ("then", "unreadable", 7)
    assert list(store.refused()) == [Path("/n/bad.pdf")]
    store.close()


def test_who_reads_during_the_switch_keeps_what_he_began_with(path: Path):
    reader = second_connection(path)
    reader.execute("BEGIN")
    before = reader.execute("SELECT group_concat(text) FROM passages").get
    switch(place_beside(path), path)
    assert reader.execute("SELECT group_concat(text) FROM passages").get == before
    assert marks(path) == {"new"}
    reader.execute("COMMIT")
    assert reader.execute("SELECT value FROM meta WHERE key = 'model'").get == "others"
    assert reader.execute("PRAGMA integrity_check").get == "ok"
    reader.close()


def test_an_index_that_was_open_compares_no_vectors_of_two_models(path: Path):  # fault 47
    reader = open_index(path)
    assert reader.search(unit(1)[0], 3)
    switch(place_beside(path), path)
    with pytest.raises(FingerprintMismatch, match="made anew for another model while it was open"):
        reader.search(unit(1)[0], 3)
    reader.close()


def test_an_index_that_is_written_is_not_switched(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ragqa.store.switch.connect", lambda path, flags: short(path, flags))
    writer = second_connection(path)
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(IndexLocked):
        switch(place_beside(path), path)
    writer.execute("ROLLBACK")
    writer.close()
    assert marks(path) == {"old"}
    assert place_beside(path).exists()


def short(path: Path, flags: int) -> apsw.Connection:
    from ragqa.store.schema import connect

    return connect(path, flags, 1)


def test_pages_of_another_size_are_made_to_fit(path: Path):
    db = second_connection(path)
    db.pragma("journal_mode", "delete")
    db.pragma("page_size", 8192)
    db.execute("VACUUM")
    db.pragma("journal_mode", "wal")
    db.close()
    switch(place_beside(path), path)
    store = open_index(path, writable=True)
    assert store._db.pragma("page_size") == 8192
    assert marks(path) == {"new"}
    assert list(store.faults()) == []
    store.close()


KILLED = """
import os, signal, sys
from pathlib import Path
import apsw
from ragqa.store.switch import place_beside, switch

path, left = Path(sys.argv[1]), int(sys.argv[2])

class File(apsw.VFSFile):
    def __init__(self, name, flags):
        name_of = name.filename() if hasattr(name, "filename") else name
        self.counted = name_of.endswith(("index.db", "index.db-wal"))
        super().__init__("unix", name, flags)
    def xWrite(self, data, offset):
        global left
        left -= self.counted
        if self.counted and not left:
            os.kill(os.getpid(), signal.SIGKILL)
        super().xWrite(data, offset)

class Counting(apsw.VFS):
    def __init__(self):
        super().__init__("counting", "unix", makedefault=True)
    def xOpen(self, name, flags):
        return File(name, flags)

before = left
vfs = Counting()
switch(place_beside(path), path)
print(before - left)
"""


def test_a_switch_that_is_killed_leaves_the_old_or_the_new_index_whole(path: Path):  # fault 62
    command = [sys.executable, "-c", KILLED, str(path)]
    kept = {file: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}
    done = subprocess.run([*command, "0"], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    writes = int(done.stdout)
    assert writes > MANY
    seen = set()
    for at in [*range(1, writes, writes // 10), writes - 1, writes]:
        for file in path.parent.iterdir():
            file.unlink()
        for file, content in kept.items():
            file.write_bytes(content)
        died = subprocess.run([*command, str(at)], cwd=ROOT, check=False)
        assert died.returncode == -signal.SIGKILL
        (found,) = marks(path)
        seen.add(found)
        store = open_index(path, writable=True)
        assert store.model == {"old": "words", "new": "others"}[found]
        assert list(store.faults()) == []
        store.close()
    assert seen == {"old", "new"}
    switch(place_beside(path), path)
    assert marks(path) == {"new"}


def test_one_that_was_begun_for_another_model_is_begun_anew(path: Path):
    again = begun(path, "h")
    assert again.count_documents() == 0
    again.close()
    kept = begun(path, "h")
    add_to(kept)
    kept.close()
    same = begun(path, "h")
    assert same.count_documents() == 1
    same.close()


def add_to(store: SQLiteStore) -> None:
    fill(store, "new", 1)


def test_one_that_is_damaged_is_begun_anew(path: Path):
    place_beside(path).write_bytes(os.urandom(9000))
    again = begun(path)
    assert again.count_documents() == 0
    again.close()


def test_it_is_its_owner_s_alone(path: Path):
    assert place_beside(path).stat().st_mode & 0o777 == 0o600


def test_the_new_index_may_be_smaller(path: Path):
    place = place_beside(path)
    place.unlink()
    new = begun(path)
    fill(new, "new", 1)
    new.close()
    before = path.stat().st_size
    switch(place, path)
    assert path.stat().st_size < before
    assert marks(path) == {"new"}


def test_a_new_index_takes_no_more_than_the_pages_it_needs(tmp_path: Path):
    path = tmp_path / "index.db"
    store = made(path)
    fill(store, "old", 2)
    store.close()
    new = begun(path)
    fill(new, "new", 2)
    new.close()
    size = place_beside(path).stat().st_size
    switch(place_beside(path), path)
    assert path.stat().st_size == size
