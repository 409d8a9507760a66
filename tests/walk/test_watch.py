"""When something has changed: what is a change, and roots that come and go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from ragqa.walk import Wanted
from ragqa.walk.watch import is_worth_a_look, turns

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def watching(*roots: Path, but: Path = Path("/nowhere")) -> Iterator[list[Path]]:
    """Turns from now on: those of the beginning are over, and the system is listened to."""
    coming = turns(roots, Wanted(), but, Event())
    assert next(coming) == [root for root in roots if root.exists()]
    assert next(coming) == [root for root in roots if root.exists()]
    return coming


def test_a_change_is_noticed(root: Path):
    coming = watching(root)
    (root / "a.md").write_text("Text.")
    assert next(coming) == [root]


def test_a_thousand_changes_are_one_turn(root: Path):
    coming = watching(root)
    for n in range(1000):
        (root / f"{n}.md").write_text("Text.")
    assert next(coming) == [root]
    (root / "last").mkdir()
    assert next(coming) == [root]  # and not one of the thousand


def test_a_root_that_vanishes_is_waited_for(root: Path):
    coming = watching(root)
    root.rename(root.with_name("away"))
    assert next(coming) == []
    root.with_name("away").rename(root)
    assert next(coming) == [root]
    (root / "b.md").write_text("Text.")
    assert next(coming) == [root]


def test_a_named_file_that_is_saved_by_a_rename_is_noticed(root: Path):
    file, other = root / "a.md", root / "b.md"
    file.write_text("Before.")
    coming = turns([file], Wanted(), Path("/nowhere"), Event())
    assert next(coming) == [file]
    other.write_text("After.")
    other.rename(file)
    assert next(coming) == [file]


def test_an_event_ends_it(root: Path):
    stop = Event()
    coming = turns([root], Wanted(), Path("/nowhere"), stop)
    next(coming)
    stop.set()
    assert list(coming) == []


@pytest.mark.parametrize(
    ("path", "hidden", "worth"),
    [
        ("/n/a.md", False, True),
        ("/n/x/a.md", False, True),
        ("/n/.a.md.swp", False, False),
        ("/n/.git/index", False, False),
        ("/n/.obsidian/.gitignore", False, False),
        ("/n/x/.gitignore", False, True),
        ("/n/.ragqaignore", False, True),
        ("/n/.a.md", True, True),
        ("/n/index.db", False, False),
        ("/n/index.db-wal", False, False),
        ("/n/index.db-shm", False, False),
        ("/n/index.db.lock", False, False),
        ("/n/index.db.schema-4.bak", False, False),
        ("/n/index.db.reindexing-wal", False, False),
        ("/n/index.db.repairing", False, False),
        ("/n/index.db.damaged-20240131T120000Z", False, False),
        ("/n/index.db.md", False, True),
        ("/n/index.db-rules.md", False, True),
        ("/.home/n/a.md", False, True),
    ],
)
def test_what_is_worth_a_look(path: str, hidden: bool, worth: bool):
    assert is_worth_a_look(path, ["/n", "/.home/n"], Wanted(hidden=hidden), Path("/n/index.db")) is worth


def test_what_is_written_about_a_change_is_none(root: Path):
    coming = watching(root, but=root / "index.db")
    (root / "index.db-wal").write_text("x")
    (root / "index.db").write_text("x")
    (root / "x").mkdir()
    assert next(coming) == [root]
