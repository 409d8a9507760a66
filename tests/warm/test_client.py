"""What every command does before it knows whether there is a warm process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ragqa.cli.app import _commands
from ragqa.warm.client import COMMANDS, is_asking, is_handed_over
from ragqa.warm.place import LONGEST, socket_path
from ragqa.warm.wire import MAGIC, Request, pack, unpack

SLOW = {"re", "enum", "typing", "collections", "contextlib", "functools", "json", "socket", "signal", "ragqa.cli"}


def test_it_imports_nothing_that_takes_milliseconds():
    # What `site` imports for an environment's own reasons is not counted.
    program = "import sys; before = set(sys.modules); import ragqa.doorway; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "ragqa.warm.client" in done.stdout.split()
    assert set(done.stdout.split()) & SLOW == set()


@pytest.mark.parametrize(
    "arguments",
    [["ask", "x"], ["search", "x"], ["Who built it?"], ["Docker?"], ["-"], ["--json", "Who built it?"], ["path", "db"]],
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


def test_a_request_is_read_as_it_was_written():
    environ = {"A": "1=2", "EMPTY": "", "NAME": os.fsdecode(b"\xff")}
    sent = Request("run", "(same, 1)", 0o27, [0, 2], [1], ["ragqa", "ask", "", "two\nlines"], environ)
    length, _, body = pack(sent).removeprefix(MAGIC).partition(b"\n")
    assert int(length) == len(body)
    assert vars(unpack(body)) == vars(sent)


def test_homes_have_sockets_of_their_own_and_one_home_has_one():
    runtime = {"XDG_RUNTIME_DIR": "/run/user/1000"}
    paths = [socket_path(runtime | {"RAGQA_HOME": home}) for home in ("/one", "/two", "/one/../one")]
    assert paths[0] == paths[2] != paths[1]
    assert paths[0].startswith("/run/user/1000/ragqa/")


def test_where_a_path_would_be_too_long_for_a_socket_there_is_none():
    assert socket_path({"XDG_RUNTIME_DIR": "/" + "x" * LONGEST}) == ""
