"""Who reads sees one moment, whoever is writing, and nobody is turned away."""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path

import pytest

from ragqa.database import log_of
from ragqa.errors import NotWritable
from ragqa.store.opening import open_index
from tests.crowd import DOCUMENTS, Seen, crowd, for_seconds, write
from tests.stores.test_sqlite import add, made, second_connection

CHECKS, ROUNDS = 300, 50


def test_readers_and_writers_together_see_no_error_and_no_mixture(tmp_path: Path):  # fault 65
    seen = crowd(tmp_path / "index.db", readers=4, writers=2, seconds=1.5)
    assert (seen.errors, seen.mixed) == ([], 0)
    assert seen.reads >= 4 * 40
    assert seen.writes >= 2 * DOCUMENTS
    store = open_index(tmp_path / "index.db", writable=True)
    assert list(store.faults()) == []
    store.close()


def test_a_backup_that_is_made_while_others_write_is_of_one_moment(tmp_path: Path):  # fault 68
    path = tmp_path / "index.db"
    write(path, for_seconds(0), Seen())
    ended, seen = threading.Event(), Seen()
    writer = threading.Thread(target=write, args=(path, lambda: not ended.is_set(), seen))
    writer.start()
    copies = []
    store = open_index(path)
    while len(copies) < 50 or seen.writes < 10 * DOCUMENTS:
        copies.append(tmp_path / f"{len(copies)}.db")
        store.back_up(copies[-1])
    ended.set()
    writer.join()
    store.close()
    for copy in copies:
        kept = open_index(copy, writable=True)
        assert list(kept.faults()) == []
        for id in kept.known():
            assert len({passage.text.split()[1] for passage in kept.passages_of(id)}) == 1
        kept.close()


def test_checks_beside_a_writer_find_no_fault(tmp_path: Path):  # fault 65
    path = tmp_path / "index.db"
    made(path).close()
    ended, rounds = threading.Event(), []

    def write_on() -> None:
        store = open_index(path, writable=True)
        for n in itertools.takewhile(lambda n: not ended.is_set(), itertools.count()):
            add(store, f"n/{n % 5}.md", *["word " * (n % 7 + 1)] * (n % 3 + 1))
            store.remove(f"n/{(n + 2) % 5}.md")
            rounds.append(n)
            ended.wait(0.002)  # the lock is free now and then
        store.close()

    writer = threading.Thread(target=write_on)
    writer.start()
    found: list[str] = []
    store = open_index(path, writable=True)
    checks = 0
    while checks < CHECKS or len(rounds) < ROUNDS:
        found += store.faults()
        checks += 1
    ended.set()
    writer.join()
    store.close()
    assert found == []


def test_the_log_shrinks_when_nobody_reads_what_was_there_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):  # fault 66
    monkeypatch.setattr("ragqa.database.LOG_KEPT", 100_000)
    path = tmp_path / "index.db"
    store = made(path)
    add(store, "n/a.md", "one")
    reader = second_connection(path)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM documents").get == 1
    for n in range(60):
        add(store, f"n/{n}.md", "word " * 5000)
    assert log_of(path).stat().st_size > 2_000_000
    assert reader.execute("SELECT count(*) FROM documents").get == 1
    reader.close()
    for n in range(3):
        add(store, f"n/{n}.md", "word " * 5000)
    assert log_of(path).stat().st_size < 500_000
    store.close()


def test_what_is_written_goes_to_no_file_that_was_replaced(tmp_path: Path):  # fault 67
    path, other = tmp_path / "index.db", tmp_path / "other.db"
    for place in (path, other):
        store = made(place)
        add(store, "n/a.md", place.name)
        store.close()
    store = made(path)
    other.rename(path)
    before = path.read_bytes()
    with pytest.raises(NotWritable, match="was replaced or removed"):
        add(store, "n/b.md", "two")
    store.close()
    assert path.read_bytes() == before
    again = open_index(path)
    assert again.text_of("n/a.md") == "other.db"
    again.close()


def test_what_is_written_goes_to_no_file_that_was_removed(tmp_path: Path):  # fault 67
    path = tmp_path / "index.db"
    store = made(path)
    add(store, "n/a.md", "one")
    path.unlink()
    with pytest.raises(NotWritable, match="was replaced or removed"):
        store.remove("n/a.md")
    store.close()
    assert os.listdir(tmp_path) == [] or not path.exists()
