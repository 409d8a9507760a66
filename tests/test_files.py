"""Files and folders that are their owner's alone, and that appear whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ragqa.errors import NotWritable
from ragqa.files import new_file, private_folder


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
