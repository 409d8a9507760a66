"""What every command does before it knows whether there is a warm process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ragqa.cli.app import _commands
from ragqa.warm.client import COMMANDS, is_asking, is_handed_over
from ragqa.warm.place import LONGEST, socket_path
from ragqa.warm.wire import MAGIC, Request, pack, unpack
from tests.conftest import ROOT

SLOW = {"re", "enum", "typing", "collections", "contextlib", "functools", "json", "socket", "signal", "ragqa.cli"}


def test_it_imports_nothing_that_takes_milliseconds():
    # What `site` imports for an environment's own reasons is not counted.
    program = "import sys; before = set(sys.modules); import ragqa.doorway; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "ragqa.warm.client" in done.stdout.split()
    assert set(done.stdout.split()) & SLOW == set()


@pytest.mark.parametrize(
    "arguments",
    [
        *(
            ["ask", "x"],
            ["search", "x"],
            ["Who built it?"],
            ["Docker?"],
            ["-"],
            ["--json", "Who built it?"],
            ["path", "db"],
        ),
        *(["--where", "tag:sea", "Who built it?"], ["get", "a.md#1", "--json"]),
    ],
)
def test_questions_and_what_only_reads_are_handed_over(arguments: list[str]):
    assert is_handed_over(arguments)


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], ["--version"], ["--install-completion"], ["ask", "--batch", "/dev/fd/63"], ["serach"]]
)
def test_what_may_be_something_else_is_not(arguments: list[str]):
    assert not is_handed_over(arguments)


@pytest.mark.parametrize("command", sorted(set(_commands().commands) - set(COMMANDS)))
def test_no_other_command_is_handed_over_or_taken_for_a_question(command: str):
    assert not is_handed_over([command])
    assert not is_asking([command])


def test_every_command_that_is_handed_over_exists():
    assert set(COMMANDS) <= set(_commands().commands)


@pytest.mark.parametrize("page", ["docs/how-to/serve.md", "docs/commands.md"])
def test_every_command_that_is_handed_over_is_said_to_be(page: str):
    *others, last = (f"`{command}`" for command in COMMANDS)
    assert f"{', '.join(others)} and {last}" in " ".join((ROOT / page).read_text().split())


def test_a_request_is_read_as_it_was_written():
    environ = {"A": "1=2", "EMPTY": "", "NAME": os.fsdecode(b"\xff")}
    sent = Request("run", "(same, 1)", 0o27, [0, 2], [1], ["ragqa", "ask", "", "two\nlines"], environ)
    length, _, body = pack(sent).removeprefix(MAGIC).partition(b"\n")
    assert int(length) == len(body)
    assert vars(unpack(body)) == vars(sent)


def test_homes_have_sockets_of_their_own_and_one_home_has_one():
    paths = [socket_path({"RAGQA_HOME": home}) for home in ("/one", "/two", "/one/../one")]
    assert paths[0] == paths[2] != paths[1]


def test_the_socket_is_in_the_runtime_folder_and_else_in_the_temporary_one():
    with TemporaryDirectory(dir="/tmp") as runtime, TemporaryDirectory(dir="/tmp") as temporary:
        places = {"XDG_RUNTIME_DIR": runtime, "TMPDIR": temporary}
        assert socket_path(places).startswith(f"{runtime}/ragqa/")
        assert socket_path({"TMPDIR": temporary}).startswith(f"{temporary}/ragqa-{os.geteuid()}/")


# fault 73
@pytest.mark.parametrize("variable", ["XDG_RUNTIME_DIR", "TMPDIR"])
def test_a_folder_that_is_missing_or_relative_or_too_long_is_passed_over(tmp_path: Path, variable: str):
    long = tmp_path / ("x" * LONGEST)
    long.mkdir()
    unset = socket_path({})
    assert unset.startswith("/tmp/ragqa-")
    assert [socket_path({variable: folder}) for folder in (str(tmp_path / "none"), ".", "", str(long))] == [unset] * 4
