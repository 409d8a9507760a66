"""Places on a terminal: a click opens the file, and no name of a file can make anything else of it."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragqa.cli import links
from ragqa.cli.links import address_of, can_link, place_text
from ragqa.cli.render import in_line
from ragqa.cli.terminal import Terminal
from ragqa.document import Place
from ragqa.files import readable

# Our own form and no other: a name of eight digits, an address of printable ASCII, and its end.
LINK = re.compile(r"\x1b\]8;id=([0-9a-f]{8});(file://[!-:<-~]*)\x1b\\(.*?)\x1b\]8;;\x1b\\", re.DOTALL)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
NAMES = st.binary(min_size=1, max_size=60).filter(
    lambda name: b"\0" not in name and b"/" not in name and name not in (b".", b"..")
)


def printed(path: Path, label: str, line: int = 1, width: int = 300) -> str:
    out = io.StringIO()
    console = Terminal(file=out, force_terminal=True, width=width, color_system="standard", markup=False, emoji=False)
    console.print(place_text(label, path, line))
    return out.getvalue()


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output is a terminal that is not known for anything special."""
    for name in ("RAGQA_HYPERLINKS", "VTE_VERSION", "TERM_PROGRAM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(links, "is_terminal", lambda: True)


def test_a_click_opens_the_file_by_its_host_and_path():
    ((_id, address, label),) = LINK.findall(printed(Path("/notes/a b.md"), "a b.md:3", 3))
    assert address == f"file://{os.uname().nodename}/notes/a%20b.md"
    assert COLOUR.sub("", label) == "a b.md:3"


@pytest.mark.parametrize(
    ("environ", "end"),
    [
        ({}, "#page=12"),
        ({"TERM": "xterm-kitty"}, "#page=12"),
        ({"TERM_PROGRAM": "vscode"}, "#page=12"),
        ({"VTE_VERSION": "7600"}, ""),
    ],
)
def test_a_click_on_a_page_opens_it_there_where_the_terminal_lets_it(environ: dict[str, str], end: str):
    address = address_of(Path("/notes/a.pdf"), 1, environ, Place(0, "page", 12))
    assert address == f"file://{os.uname().nodename}/notes/a.pdf{end}"


def test_a_line_of_extracted_text_is_none_of_the_file():
    assert address_of(Path("/a.docx"), 7, {"TERM": "xterm-kitty"}, Place(0, "paragraph", 7)).endswith("/a.docx")
    assert address_of(Path("/a.csv"), 7, {"TERM": "xterm-kitty"}, Place(0, "row", 6, line=7)).endswith("/a.csv#7")


@given(NAMES)
def test_no_name_breaks_out_of_its_link(name: bytes):
    path = Path(os.fsdecode(b"/notes/" + name))
    shown = printed(path, readable(path), width=10_000)
    ((_id, address, label),) = LINK.findall(shown)
    assert unquote_to_bytes(address.partition("://")[2].partition("/")[2]) == b"notes/" + name
    rest = COLOUR.sub("", LINK.sub("", shown))
    assert rest == "\n"
    assert COLOUR.sub("", label) == in_line(readable(path))


@pytest.mark.parametrize("name", ["a\x1b\\b", "a\x07b", "a;b", "a b", "100%", "a\nb", "a\udcff", "a#b", "a?b", "\x9c"])
def test_what_could_end_a_link_is_spelled_out_in_it(name: str):
    address = address_of(Path("/notes") / name, 1, {})
    assert re.fullmatch(r"file://[\w.-]+/notes/[\w%.-]+", address)


def test_a_wrapped_place_is_one_link_and_printed_the_same_each_time():
    first, again = (printed(Path("/notes/long-name.md"), "notes/long-name.md:12", width=10) for _ in range(2))
    assert first == again
    assert len(LINK.findall(first)) == 3
    assert len({id for id, _address, _label in LINK.findall(first)}) == 1


@pytest.mark.parametrize("path", ["-", "notes/a.md", "/" + "n" * 3000], ids=["stdin", "relative", "too long"])
def test_what_no_click_can_open_is_plain(path: str):
    assert "\x1b]8" not in printed(Path(path), "a.md:1")


@pytest.mark.parametrize(
    ("environ", "can"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "4205"}, False),
        ({"TERM": "xterm-256color", "RAGQA_HYPERLINKS": "0"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "linux", "RAGQA_HYPERLINKS": "1"}, True),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_links_are_for_terminals_that_take_them_or_where_they_are_wished(environ: dict[str, str], can: bool):
    assert can_link(environ) == can


def test_in_a_pipe_there_are_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(links, "is_terminal", lambda: False)
    monkeypatch.setenv("RAGQA_HYPERLINKS", "1")
    assert "\x1b]8" not in printed(Path("/notes/a.md"), "a.md:1")


def test_the_line_is_said_where_it_is_understood():
    path = Path("/notes/a b.md")
    assert address_of(path, 7, {"TERM": "xterm-kitty"}).endswith("/notes/a%20b.md#7")
    assert address_of(path, 7, {"TERM_PROGRAM": "vscode"}) == "vscode://file/notes/a%20b.md:7"
