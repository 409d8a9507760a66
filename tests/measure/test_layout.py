from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ragqa.measure.layout import distractor, keep_only, lay_out
from ragqa.store.exact import ExactStore
from tests.fakes import document


def names(places: dict[Path, str], folder: Path) -> dict[str, str]:
    return {id: path.relative_to(folder.resolve()).as_posix() for path, id in places.items()}


def test_a_file_name_stays_a_file_name(tmp_path: Path):
    places = lay_out({"sea/my light.md": "# Light"}, tmp_path)
    assert names(places, tmp_path) == {"sea/my light.md": "sea/my light.md"}
    assert (tmp_path / "sea" / "my light.md").read_text() == "# Light"


@pytest.mark.parametrize("id", ["../../etc/passwd", "/etc/passwd.txt", ".hidden.md", "a\0b", "", "x" * 300, "灯" * 300])
def test_any_id_becomes_a_file_in_the_folder(tmp_path: Path, id: str):
    (path,) = lay_out({id: "text"}, tmp_path / "in" / "side")
    assert path.read_text() == "text"
    assert path.parent == (tmp_path / "in" / "side").resolve()
    assert not path.name.startswith(".")


def test_ids_that_look_alike_stay_apart(tmp_path: Path):
    assert len(lay_out({"a/b": "1", "a_b": "2", "a:b": "3"}, tmp_path)) == 3


def test_nothing_of_an_earlier_run_stays(tmp_path: Path):
    lay_out({"old.md": "old", "same.md": "same"}, tmp_path)
    before = (tmp_path / "same.md").stat().st_mtime_ns
    lay_out({"same.md": "same"}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["same.md"]
    assert (tmp_path / "same.md").stat().st_mtime_ns == before


def test_text_that_is_no_unicode_is_written_all_the_same(tmp_path: Path):
    (path,) = lay_out({"a.md": "lone \ud800"}, tmp_path)
    assert path.read_text() == "lone ?"


def test_an_index_keeps_the_dataset_and_its_distractors_only():
    store = ExactStore()
    for id in ("d/a.md", "notes/b.md", "old/c.md"):
        store.add(document("", id=id), [], np.zeros((0, 2), np.float32))
    kept = keep_only(store, {Path("/d/a.md"): "a"}, [Path("/notes")])
    assert kept == {"d/a.md": "a"}
    assert set(store.known()) == {"d/a.md", "notes/b.md"}
    assert distractor("notes/b.md") == "(distractor) notes/b.md"
