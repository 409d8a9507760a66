"""An empty index, and a folder with two notes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ragqa.store.opening import create_index
from ragqa.store.sqlite import SQLiteStore
from tests.index.updating import write


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    opened = create_index(tmp_path / "index.db", fingerprint="f", model="words", dim=64)
    yield opened
    opened.close()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    write(folder / "a.md", "# Bridge\n\nThe bridge opened in 1894.\n")
    write(folder / "deep" / "b.txt", "Eggs and flour.\n")
    return folder
