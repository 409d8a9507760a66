"""What can be saved of a damaged index, and that the damaged file is never written."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ragqa.database import log_of
from ragqa.errors import IndexDamaged, IndexLocked
from ragqa.index.mend import mend
from ragqa.store.opening import open_index
from ragqa.store.salvage import Lost, Salvaged, opened_wreck
from ragqa.store.switch import open_anew, put_in_place, remember
from tests.fakes import document, passage, placed
from tests.stores.test_sqlite import ROOT, left_open, made, second_connection, unit

MANY = 80


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An index of many documents, each of three pages' text."""
    path = tmp_path / "index.db"
    store = made(path)
    for n in range(MANY):
        texts = [f"{word} {n} " + "and so on " * 300 for word in ("first", "second", "third")]
        passages = placed([passage(text, document=f"n/{n}.md", ordinal=i) for i, text in enumerate(texts, start=1)])
        store.add(document("".join(texts), id=f"n/{n}.md"), passages, unit(3))
    store.close()
    return path


def saved(path: Path) -> tuple[set[str], list[Lost]]:
    """Ids of the documents that are whole, and those that are not."""
    with opened_wreck(path) as wreck:
        found = list(wreck.documents())
    whole = {one.record.id for one in found if isinstance(one, Salvaged)}
    for one in found:
        if isinstance(one, Salvaged):
            assert [passage.text.split()[1] for passage in one.passages] == [one.record.id[2:-3]] * 3
    return whole, [one for one in found if isinstance(one, Lost)]


def test_of_a_sound_index_everything_is_saved(path: Path):
    whole, lost = saved(path)
    assert (len(whole), lost) == (MANY, [])


def garbage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(random.Random(59).randbytes(8192))


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 3 // 4)


def cut_in_a_page(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 1234)


def no_indexes(path: Path) -> None:
    """The pages of SQLite's own indexes are gone."""
    db = second_connection(path)
    roots = [page for (page,) in db.execute("SELECT rootpage FROM sqlite_schema WHERE type = 'index'")]
    size = db.pragma("page_size")
    db.close()
    with path.open("r+b") as file:
        for page in roots:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)


@pytest.mark.parametrize(
    ("damage", "least"), [(garbage, MANY - 6), (cut_short, MANY // 2), (cut_in_a_page, MANY // 4), (no_indexes, MANY)]
)
def test_a_page_that_is_gone_costs_the_documents_on_it_alone(path: Path, damage: Callable[[Path], None], least: int):
    damage(path)  # fault 59
    before = path.read_bytes()
    whole, lost = saved(path)
    assert len(whole) >= least
    assert len(whole) + len(lost) <= MANY
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == ["index.db"]


DAMAGE = {
    "text": "UPDATE passages SET text = replace(text, 'first 7', 'worst 7') WHERE text LIKE 'first 7 %'",
    "text, no longer UTF-8": "UPDATE passages SET text = CAST(x'80' || text AS TEXT) WHERE text LIKE 'first 7 %'",
    "passage": "DELETE FROM passages WHERE text LIKE 'first 7 %'",
    "offset": "UPDATE passages SET char_start = char_start + 1 WHERE text LIKE 'second 7 %'",
    "blocks": "UPDATE passages SET blocks = '[[' WHERE text LIKE 'second 7 %'",
    "places": "UPDATE passages SET places = '[[\"x\"]]' WHERE text LIKE 'second 7 %'",
    "count": "UPDATE documents SET passages = 2 WHERE id = 'n/7.md'",
}


@pytest.mark.parametrize("sql", DAMAGE.values(), ids=DAMAGE)
def test_a_document_is_saved_whole_or_named_as_lost(path: Path, sql: str):  # fault 60
    vandal = second_connection(path)
    vandal.execute(sql)
    vandal.close()
    whole, lost = saved(path)
    assert [one.id for one in lost] == ["n/7.md"]
    assert len(whole) == MANY - 1
    store = open_index(path)
    assert any("n/7.md" in fault for fault in store.faults())
    store.close()


def test_a_vector_that_fails_its_checksum_is_left_to_be_made_anew(path: Path):  # fault 60
    vandal = second_connection(path)
    vandal.execute("UPDATE vectors SET crc32 = 1 WHERE passage = 1")
    vandal.execute("DELETE FROM tokens WHERE passage = 2")
    vandal.close()
    with opened_wreck(path) as wreck:
        first = next(wreck.documents())
    assert isinstance(first, Salvaged)
    assert [vector is None for vector in first.vectors] == [True, False, False]
    assert [signs is None for signs in first.signs] == [False, True, False]


def with_log(path: Path) -> bytes:
    """Have the last document stand in the log alone; returns the log."""
    store = made(path)
    text = "first new and so on"
    store.add(document(text, id="n/new.md"), [passage(text, document="n/new.md")], unit(1))
    log = log_of(path).read_bytes()
    main = path.read_bytes()
    store.close()
    path.write_bytes(main)
    log_of(path).write_bytes(log)
    return log


def test_what_stands_in_the_log_alone_is_saved_too(path: Path):
    log = with_log(path)
    with opened_wreck(path) as wreck:
        ids = {one.record.id for one in wreck.documents() if isinstance(one, Salvaged)}
    assert "n/new.md" in ids
    assert log_of(path).read_bytes() == log


def test_without_its_log_an_index_is_what_it_was_before(path: Path):  # fault 59
    with_log(path)
    log_of(path).unlink()
    whole, lost = saved(path)
    assert (len(whole), lost) == (MANY, [])


def test_the_log_of_another_index_is_passed_over_where_more_is_saved_without(path: Path, tmp_path: Path):  # fault 59
    other = tmp_path / "other" / "index.db"
    other.parent.mkdir()
    made(other).close()
    log = with_log(other)
    for file in other.parent.iterdir():
        file.unlink()
    log_of(path).write_bytes(log)
    whole, lost = saved(path)
    assert (len(whole), lost) == (MANY, [])
    assert log_of(path).read_bytes() == log


@pytest.mark.parametrize("content", [b"", bytes(range(1, 256)) * 40, b"SQLite format 3\0" + bytes(5000)])
def test_of_what_is_no_index_nothing_is_saved(tmp_path: Path, content: bytes):  # fault 59
    (tmp_path / "index.db").write_bytes(content)
    with pytest.raises(IndexDamaged, match="nothing can be read"), opened_wreck(tmp_path / "index.db"):
        pass


def test_a_database_of_another_program_is_not_taken_for_an_index(tmp_path: Path):
    db = sqlite3.connect(tmp_path / "index.db")
    db.execute("CREATE TABLE meta (key, value)")
    db.close()
    with pytest.raises(IndexDamaged), opened_wreck(tmp_path / "index.db"):
        pass


def test_tags_that_are_gone_cost_no_document(path: Path):
    vandal = second_connection(path)
    vandal.execute("DROP TABLE tags")
    vandal.close()
    whole, _lost = saved(path)
    assert len(whole) == MANY


REPAIRED = """
import os, signal, sys
from pathlib import Path
from tests.stores.test_salvage import repair

path, left = Path(sys.argv[1]), int(sys.argv[2])
names = {path.name, f"{path.name}-wal", f"{path.name}-shm"}

def watch(event, arguments):
    global left
    if event in ("os.link", "os.remove", "os.rename") and {Path(str(one)).name for one in arguments} & names:
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

before = left
sys.addaudithook(watch)
repair(path)
print(before - left)
"""


def repair(path: Path) -> None:
    with opened_wreck(path) as wreck:
        new = open_anew(path, wreck.about)
        mended = mend(wreck.documents(), new, open_embedder=NotImplemented)
        new.close()
        remember(new.path, mended.documents, wreck.refused(), wreck.about)
        put_in_place(new.path, path)


def repaired(path: Path, at: int) -> subprocess.CompletedProcess[str]:
    """Repaired by a process that is killed before it changes a name for the `at`-th time."""
    command = [sys.executable, "-c", REPAIRED, str(path), str(at)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


def test_a_repair_that_is_killed_at_any_step_loses_nothing(path: Path, tmp_path: Path):  # fault 62
    log = with_log(path)
    second_row = b"second 7 and so on"
    path.write_bytes(path.read_bytes().replace(second_row, b"damaged" + second_row[7:]))
    damaged = path.read_bytes()
    whole = tmp_path / "whole"
    whole.mkdir()
    steps = []
    for at in range(1, 20):
        place = whole / str(at) / path.name
        place.parent.mkdir()
        place.write_bytes(damaged)
        log_of(place).write_bytes(log)
        died = repaired(place, at)
        steps.append(died.returncode)
        assert died.returncode in (0, -signal.SIGKILL), died.stderr
        if died.returncode:
            repair(place)
        store = open_index(place, writable=True)
        assert list(store.faults()) == []
        assert {*store.known()} == {f"n/{n}.md" for n in range(MANY) if n != 7} | {"n/new.md"}
        store.close()
        (kept,) = place.parent.glob("*.damaged-*Z")
        assert (kept.read_bytes(), log_of(kept).read_bytes()) == (damaged, log)
        if not died.returncode:
            break
    assert steps[-1] == 0
    assert len(steps) > 4


def test_a_repaired_index_does_not_take_the_place_of_one_that_is_open(  # fault 59
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ragqa.database.BUSY_MS", 1)
    with left_open(path) as reader:
        with pytest.raises(IndexLocked, match="another process has it open"):
            repair(path)
        reader.communicate()
    repair(path)
    store = open_index(path)
    assert "n/late.md" in store.known()
    store.close()


def test_each_of_two_repairs_within_a_second_keeps_what_it_found(path: Path):
    repair(path)
    repair(path)
    assert len([*path.parent.glob("*.damaged-*Z")]) == 2
