"""Folders that are their owner's alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ragqa.files import private_folder


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
