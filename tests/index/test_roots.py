"""What was named: that one path of many stops nothing, and folders that have left a link behind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ragqa.errors import UsageError
from ragqa.store.sqlite import SQLiteStore
from ragqa.walk.roots import resolve_roots
from tests.index.updating import did, ids, update, write


def move(path: Path) -> Path:
    """Put it elsewhere, and leave a link in its place; returns where it is."""
    place = path.parent / "big" / path.name
    place.parent.mkdir()
    path.rename(place)
    path.symlink_to(place)
    return place


# Named together


@pytest.mark.parametrize("kind", ["broken link", "circle of links", "pipe"])
def test_one_of_several_paths_that_cannot_be_looked_at_is_skipped_with_its_reason(
    store: SQLiteStore, notes: Path, kind: str
):  # fault 5
    odd = notes / "odd.md"
    if kind == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to("nowhere" if kind == "broken link" else "odd.md")
    summary = update(store, odd, notes / "a.md")
    reason = "not a regular file" if kind == "pipe" else "broken link"
    assert (ids(store), summary.warnings) == (["notes/a.md"], [(odd, reason)])
    with pytest.raises(UsageError):
        resolve_roots([odd])
    with pytest.raises(UsageError):
        resolve_roots([odd, odd])


def test_a_path_that_is_not_there_stops_the_others(notes: Path):  # fault 10
    with pytest.raises(UsageError, match=r"gone\.md: No such file"):
        resolve_roots([notes, notes / "gone.md"])
    with pytest.raises(UsageError, match=r"^~nobody-of-that-name/a\.md: No such file"):
        resolve_roots([notes, Path("~nobody-of-that-name/a.md")])


# Moved, with a link in its old place


def test_a_folder_that_left_a_link_behind_has_moved(store: SQLiteStore, notes: Path):
    update(store, notes)
    place = move(notes)
    assert did(update(store, notes)) == {"moved": 2}
    assert [record.path for record in store.known().values()] == [place / "a.md", place / "deep" / "b.txt"]
    assert did(update(store, notes)) == {"unchanged": 2}


def test_a_folder_above_that_left_a_link_behind_has_moved(
    store: SQLiteStore, notes: Path, monkeypatch: pytest.MonkeyPatch
):
    update(store, notes / "deep")
    move(notes)
    monkeypatch.chdir(notes.parent)
    assert did(update(store, Path("notes/../notes/deep"))) == {"moved": 1}


def test_a_file_that_left_a_link_behind_has_moved(store: SQLiteStore, notes: Path):
    update(store, notes / "a.md")
    move(notes / "a.md")
    assert did(update(store, notes / "a.md")) == {"moved": 1}


def test_what_was_indexed_in_both_places_is_in_one_of_them_afterwards(store: SQLiteStore, notes: Path):
    update(store, notes)
    place = move(notes)
    update(store, place)
    assert len(ids(store)) == 4
    assert did(update(store, notes)) == {"unchanged": 2, "removed": 2}


def test_what_lay_in_a_folder_that_is_now_a_link_to_an_empty_disk_is_kept(store: SQLiteStore, notes: Path):  # fault 10
    update(store, notes)
    place = move(notes)
    shutil.rmtree(place)
    place.mkdir()
    summary = update(store, notes)
    assert (did(summary), len(ids(store))) == ({"skipped": 1}, 2)
    assert did(update(store, notes, prune=True)) == {"removed": 2}


def test_a_path_that_only_reads_like_another_speaks_for_nothing_there(store: SQLiteStore, tmp_path: Path):
    gone = write(tmp_path / "x" / "notes" / "a.md", "Text.")
    update(store, gone)
    gone.unlink()
    write(tmp_path / "elsewhere" / "notes" / "b.md", "Another text.")
    (tmp_path / "elsewhere" / "below").mkdir()
    (tmp_path / "x" / "link").symlink_to(tmp_path / "elsewhere" / "below")
    assert did(update(store, tmp_path / "x" / "link" / ".." / "notes")) == {"indexed": 1}
    assert "notes/a.md" in ids(store)
