"""A full disk, a medium that cannot be written, a drive that is gone: one line says so, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ragqa.store.opening import open_index
from tests.conftest import RAGQA
from tests.media import FILL, GONE, ROOT, mounts_are_allowed, on_a_mount
from tests.stores.test_sqlite import add, made

needs_mounts = pytest.mark.skipif(not mounts_are_allowed(), reason="this user may mount nothing")


@needs_mounts
def test_a_full_disk_is_said_and_keeps_every_document_that_was_stored(tmp_path: Path):  # fault 54
    done = on_a_mount('"$PYTHON" -c "$1" "$PWD/index.db"; cp index.db* "$2"', FILL, tmp_path)
    stored, code, message, hint = done.stdout.strip().split("|")
    assert (int(code), message) == (14, "index.db: no space left")
    assert "what was indexed before is whole" in hint
    store = open_index(tmp_path / "index.db", writable=True)
    assert len(store.known()) == int(stored) > 20
    assert list(store.faults()) == []
    store.close()


@needs_mounts
def test_what_is_not_forgotten_for_want_of_space_is_not_said_to_be():  # fault 54
    script = f'"$PYTHON" -c "$1" "$PWD/index.db" >/dev/null; {RAGQA} forget n/1.md --db index.db; echo $?;'
    done = on_a_mount(f"{script} {RAGQA} ls --nl --db index.db | grep -c '\"n/1.md\"'", FILL)
    code, still_there = done.stdout.split()
    assert code == "14"
    assert "no space left" in done.stderr
    assert ("removed, but some of its text is still there" in done.stderr) == (still_there == "0")
    assert done.stderr.count("\n") == 2  # the line and its hint


def test_a_limit_on_the_size_of_files_is_said_too(tmp_path: Path):  # fault 55
    path = tmp_path / "index.db"
    command = ["prlimit", "--fsize=600000", sys.executable, "-c", f"import signal\n{FILL}", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    stored, code, *_rest = done.stdout.strip().split("|")
    assert int(code) == 14
    store = open_index(path, writable=True)
    assert len(store.known()) == int(stored) > 0
    assert list(store.faults()) == []
    store.close()


READ_ONLY = 'cp "$1"/index.db* . && rm -f index.db-shm index.db.lock && mount -o remount,ro "$PWD" && '


@needs_mounts
def test_an_index_on_a_medium_that_cannot_be_written_answers(tmp_path: Path):  # fault 56
    store = made(tmp_path / "index.db")
    add(store, "n/a.md", "one")
    store.close()
    commands = f"{RAGQA} ls --db index.db; {RAGQA} check --db index.db; {RAGQA} forget n/a.md --db index.db; echo $?"
    done = on_a_mount(READ_ONLY + commands, tmp_path)
    assert done.stdout.startswith("n/a.md\t")
    assert done.stdout.endswith("\nok: 1 documents, 1 passages, all tables agree\n14\n")
    assert "Read-only file system" in done.stderr


@needs_mounts
def test_with_a_log_left_by_a_crash_it_answers_with_what_was_stored_last(tmp_path: Path):  # fault 57
    store = made(tmp_path / "index.db")
    add(store, "n/a.md", "one")
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    add(store, "n/b.md", "two")
    done = on_a_mount(READ_ONLY + f"{RAGQA} ls --nl --db index.db | grep -c n/", tmp_path)
    store.close()
    assert done.stdout == "2\n", done


@needs_mounts
def test_an_old_index_there_says_where_to_put_it(tmp_path: Path):
    from tests.test_migrate import make_old

    make_old(tmp_path / "index.db")
    done = on_a_mount(READ_ONLY + f"{RAGQA} ls --db index.db; echo $?", tmp_path)
    assert done.stdout == "14\n"
    assert "made by an older version of ragqa" in done.stderr
    assert done.stderr.count("\n") == 2


@pytest.mark.parametrize("command", [["ls"], ["check"], ["status"], ["forget", "n/a.md"]])
def test_a_drive_that_is_gone_is_said_in_one_line(tmp_path: Path, command: list[str]):
    path = tmp_path / "index.db"
    store = made(path)
    add(store, "n/a.md", "one")
    store.close()
    done = subprocess.run(
        [sys.executable, "-c", GONE, *command, "--db", str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 14, done
    assert done.stderr.startswith(f"ragqa: {path}: ")
    assert done.stderr.count("\n") == 2
