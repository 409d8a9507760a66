"""Whose files are opened: modes, owners, and where shared memory does not reach."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ragqa.files import exposure, network_file_system
from ragqa.store.opening import create_index
from tests.cli.test_ask import LIT, on_a_terminal
from tests.conftest import LIGHTHOUSE, RAGQA, Ragqa

model = pytest.mark.model
NOBODY = 65534


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """One that every user can reach."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def as_nobody(own_folder: Path, models: Path) -> Ragqa:
    """The command as a user who is not root, with an index of its own."""
    if os.geteuid():
        pytest.skip("only root can become another user")
    (own_folder / "work").mkdir()
    name = "multilingual-e5-small-q4"
    shutil.copytree(models / name, own_folder / "home" / "models" / name)
    command = Ragqa(own_folder / "home", own_folder / "work", {"HOME": str(own_folder)})
    command.write("light.md", LIGHTHOUSE)
    assert command("index", "light.md").code == 0
    for path in (own_folder, *own_folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    probe = command.run(["setpriv", "--reuid", str(NOBODY), "--clear-groups", str(RAGQA), "ls"])
    if probe.code:
        pytest.skip(f"another user cannot run it here: {probe.err}")
    return command


def nobody(command: Ragqa, *arguments: str) -> tuple[int, str]:
    done = command.run(["setpriv", "--reuid", str(NOBODY), "--clear-groups", str(RAGQA), *arguments])
    assert "Traceback" not in done.err
    return done.code, done.err


@model
def test_an_index_that_may_not_be_written_is_said_and_still_answers(as_nobody: Ragqa):
    as_nobody.write("more.md", "Bread keeps longest in a wooden box.\n").chmod(0o644)
    as_nobody.db.chmod(0o400)
    assert nobody(as_nobody, "search", "lighthouse", "--nl")[0] == 0
    code, err = nobody(as_nobody, "index", "more.md")
    assert code == 14
    assert err.startswith(f"ragqa: {as_nobody.db}: ")


@model
@pytest.mark.parametrize("mode", [0o400, 0o600])
def test_an_index_in_a_folder_that_may_not_be_written_answers(as_nobody: Ragqa, mode: int):
    as_nobody.db.chmod(mode)
    for beside in as_nobody.home.glob("index.db-*"):
        beside.unlink()
    as_nobody.home.chmod(0o555)
    assert nobody(as_nobody, "search", "lighthouse", "--nl")[0] == 0


@model
def test_a_folder_that_may_not_be_written_is_said(as_nobody: Ragqa):
    as_nobody.home.chmod(0o555)
    code, err = nobody(as_nobody, "index", "light.md", "--db", str(as_nobody.home / "other.db"))
    assert code == 14
    assert err.startswith(f"ragqa: {as_nobody.home / 'other.db'}: ")


@model
def test_an_index_that_others_can_open_is_told_to_a_person(notes: Ragqa):
    assert "others can open it" not in on_a_terminal(notes, "search", "light")
    notes.db.chmod(0o666)
    for command in (["search", "light"], ["ask", LIT, "--quotes"], ["index", "notes"]):
        assert "others can open it (mode 0666)" in " ".join(on_a_terminal(notes, *command).split()), command
    assert notes("search", "light").err == ""
    assert "others can open it" not in on_a_terminal(notes, "search", "light", "-q")


def test_an_index_of_somebody_else_is_told(tmp_path: Path):
    path = tmp_path / "index.db"
    assert exposure(path) == ""
    path.touch(0o600)
    assert exposure(path) == ""
    if os.geteuid() == 0:
        os.chown(path, NOBODY, -1)
        assert exposure(path) == f"belongs to user {NOBODY}"


def test_a_network_file_system_is_known_by_the_nearest_mount(tmp_path: Path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "disk / ext4 rw 0 0\nserver:/x /mnt/far\\040away nfs4 rw 0 0\ndisk2 /mnt/far\\040away/near xfs rw 0 0\n"
    )
    places = ["/home/a/index.db", "/mnt/far away/index.db", "/mnt/far away/near/index.db"]
    assert [network_file_system(Path(place), mounts) for place in places] == ["", "nfs4", ""]
    assert network_file_system(Path("/home"), tmp_path / "none") == ""


def test_on_a_network_file_system_nothing_rests_on_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ragqa.database.network_file_system", lambda path: "nfs4")
    create_index(tmp_path / "far.db", fingerprint="f", model="m", dim=8).close()
    monkeypatch.undo()
    create_index(tmp_path / "near.db", fingerprint="f", model="m", dim=8).close()
    # Bytes 18 and 19 of an SQLite file: 1 is the rollback journal, 2 is WAL.
    assert [(tmp_path / name).read_bytes()[18:20] for name in ("far.db", "near.db")] == [b"\1\1", b"\2\2"]
