"""Files and folders that are their owner's alone, and that appear whole."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest

from ragqa import files
from ragqa.errors import NotWritable
from ragqa.files import clear_left_behind, new_file, private_folder, unfinished


@pytest.fixture(autouse=True)
def _usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(*folders: Path) -> list[int]:
    return [folder.stat().st_mode & 0o777 for folder in folders]


def test_every_folder_that_has_to_be_made_is_private(tmp_path: Path):
    folder = private_folder(tmp_path / "share" / "ragqa" / "models")
    assert modes(folder, folder.parent, folder.parent.parent) == [0o700] * 3


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path):
    (tmp_path / "share").mkdir(mode=0o755)
    assert modes(private_folder(tmp_path / "share" / "ragqa").parent) == [0o755]
    assert modes(private_folder(tmp_path / "share")) == [0o755]


def test_a_new_file_is_private_and_has_its_name_when_it_is_whole(tmp_path: Path):
    with new_file(tmp_path / "new") as file:
        file.write(b"all of it")
        assert not (tmp_path / "new").exists()
        assert modes(*tmp_path.iterdir()) == [0o600]
    assert ((tmp_path / "new").read_bytes(), modes(*tmp_path.iterdir())) == (b"all of it", [0o600])


def test_a_file_that_was_not_finished_leaves_the_one_before_it(tmp_path: Path):
    (tmp_path / "old").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), new_file(tmp_path / "old") as file:
        file.write(b"%d" % (1 // 0))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_file_that_cannot_be_made_is_named_and_not_its_scratch(tmp_path: Path):
    place = tmp_path / "none" / "new"
    with pytest.raises(NotWritable, match=f"^{place}: cannot be written: No such file"), new_file(place):
        pass


def test_an_error_of_another_file_is_not_blamed_on_the_new_one(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="source"), new_file(tmp_path / "new"):
        (tmp_path / "source").read_bytes()


def test_what_a_killed_process_left_is_cleared_away_by_the_next_new_file(tmp_path: Path):  # fault 63
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / f".making-{ended.pid}-file").write_text("secret")
    (tmp_path / f".making-{ended.pid}-folder").mkdir()
    running = tmp_path / f"{unfinished()}file"
    running.touch()
    with new_file(tmp_path / "new"):
        pass
    assert {*tmp_path.iterdir()} == {running, tmp_path / "new"}


def test_what_a_process_left_is_cleared_away_although_its_number_is_another_s_now(  # fault 63
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    began = {os.getpid(): "100"}
    monkeypatch.setattr("ragqa.files._began", began.__getitem__)
    (tmp_path / f"{unfinished()}file").touch()
    clear_left_behind(tmp_path)
    assert [*tmp_path.iterdir()]
    began[os.getpid()] = "200"
    clear_left_behind(tmp_path)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("name", [".making-", ".making-x-file", f".making-{10**30}-file"])
def test_what_is_called_otherwise_is_left_alone(tmp_path: Path, name: str):
    (tmp_path / name).touch()
    clear_left_behind(tmp_path)
    assert (tmp_path / name).exists()


def test_two_processes_are_told_apart_by_when_they_began():
    assert unfinished() == unfinished()
    with subprocess.Popen(["sleep", "9"]) as other:
        began = files._began(other.pid)
        other.kill()
    assert not began or began != files._began(os.getpid())


def test_a_new_name_is_on_disk_before_anything_is_built_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[tuple[int, bool]] = []

    def fsync(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, (tmp_path / "new").exists()))

    monkeypatch.setattr("os.fsync", fsync)
    with new_file(tmp_path / "new"):
        pass
    assert synced == [((tmp_path / "new").stat().st_ino, False), (tmp_path.stat().st_ino, True)]


@pytest.mark.parametrize("code", [errno.EINVAL, errno.EIO])
def test_a_file_system_that_cannot_sync_a_folder_is_put_up_with_but_no_broken_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
):
    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr("os.fsync", fsync)
    with pytest.raises(NotWritable) if code == errno.EIO else nullcontext(), new_file(tmp_path / "new"):
        pass
