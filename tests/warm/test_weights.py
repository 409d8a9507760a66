"""On the real models: weights that change while a warm process has them in memory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ragqa.catalogue import DEFAULTS
from ragqa.manifest import read_manifest
from tests.conftest import Done, Ragqa
from tests.warm.conftest import eventually, is_running
from tests.warm.test_real import run, runtime

pytestmark = pytest.mark.model
QUESTION = ("ask", "When was the lighthouse first lit?", "-o", "budget=240", "-o", "max_answer=8")
__all__ = ["runtime"]


@pytest.fixture
def warm(notes: Ragqa, models: Path, runtime: Path) -> Iterator[Ragqa]:
    """A warm process that holds `mine`, a copy of the Llama that may be damaged."""
    own = notes.home / "models"
    own.unlink()
    own.mkdir()
    for name in DEFAULTS.values():
        (own / name).symlink_to(models / name)
    shutil.copy(read_manifest(models / DEFAULTS["generate"]).weights, notes.home / "Mine.gguf")
    ragqa = replace(notes, env={"XDG_RUNTIME_DIR": str(runtime), "RAGQA_MODEL": "mine"})
    assert run(ragqa, "models", "add", str(notes.home / "Mine.gguf"), "--name", "mine").code == 0
    assert run(ragqa, "serve", "--background").code == 0
    yield ragqa
    run(ragqa, "serve", "--stop")


def pid(ragqa: Ragqa) -> int:
    return int(run(ragqa, "serve", "--status", "--json").json["pid"])


def assert_one_line(done: Done) -> None:
    assert (done.code, done.out) == (12, "")
    assert [line[:7] for line in done.err.splitlines()] == ["ragqa: ", "  hint:"]
    assert "Mine.gguf" in done.err


# fault 44
def test_weights_that_are_cut_while_warm_are_an_error_in_one_line(warm: Ragqa):
    before = pid(warm)
    os.truncate(warm.home / "Mine.gguf", 5_000_000)
    assert is_running(before)
    assert_one_line(run(warm, *QUESTION))
    eventually(lambda: not is_running(before))  # it ends in good order, because its models are not what they were
    assert run(warm, "ask", QUESTION[1], "--quotes").code == 0


# fault 44
def test_weights_that_another_file_replaces_while_warm_are_refused(warm: Ragqa):
    (warm.home / "new").write_bytes(b"GGUF and not much else")
    (warm.home / "new").rename(warm.home / "Mine.gguf")
    assert_one_line(run(warm, *QUESTION))


def test_the_same_weights_in_a_new_file_are_loaded_anew(warm: Ragqa):
    before = pid(warm)
    shutil.copy(warm.home / "Mine.gguf", warm.home / "new")
    (warm.home / "new").rename(warm.home / "Mine.gguf")
    assert run(warm, *QUESTION).code == 0
    eventually(lambda: not is_running(before))
