"""Bytes → text, and which files are read at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
from itertools import pairwise
from pathlib import Path

import pytest

from ragqa.errors import BadInput
from ragqa.read import Source, read_document, read_source
from ragqa.read.apart import Child
from ragqa.read.formats import BY_NAME, FORMATS, Format, read_bytes
from ragqa.read.reading import MANY_BLOCKS, SMALL_BLOCK, Reading
from ragqa.read.text import decode

A = Path("a.txt")
MIB = 2**20


def source(content: bytes, path: Path = A) -> Source:
    return Source(path, content, hashlib.sha256(content).hexdigest(), 1)


def test_utf8_is_read_as_it_is():
    assert decode(A, "naïve 漢字\r\n".encode()) == ("naïve 漢字\r\n", 0, ())


def test_a_byte_order_mark_is_not_part_of_the_text():  # fault 13
    assert decode(A, b"\xef\xbb\xbfHello") == ("Hello", 0, ())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_known_by_its_mark(encoding: str):
    assert decode(A, "\ufeffnaïve 漢字 👩".encode(encoding)) == ("naïve 漢字 👩", 0, ())


def test_a_replacement_character_of_the_file_itself_is_no_repair():
    assert decode(A, "was \ufffd already".encode()) == ("was \ufffd already", 0, ())


def test_a_nul_is_replaced_and_counted():  # fault 14
    assert decode(A, b"one\0two and three") == ("one\ufffdtwo and three", 1, ())


def test_a_nul_counts_once_towards_the_share_that_makes_a_file_binary():
    assert decode(A, b"\0\0eight to")[1] == 2  # 2 of 10 characters, and 3 of 10 are allowed


def test_binary_is_refused():  # fault 14
    with pytest.raises(BadInput) as refused:
        decode(A, bytes(range(256)) * 4)
    assert refused.value.reason == "binary"


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n", b"\xef\xbb\xbf", "\u2028\u00a0".encode()])
def test_a_file_without_text_is_empty(content: bytes):
    with pytest.raises(BadInput) as refused:
        read_document(source(content), "a", "default", Child())
    assert refused.value.reason == "empty"


@pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.name)
def test_a_file_of_no_bytes_is_empty_in_every_format(format: Format):
    with pytest.raises(BadInput) as refused, Child() as child:
        read_document(source(b"", Path(f"/n/a{format.suffixes[0]}")), "a", "default", child)
    assert refused.value.reason == "empty"


def test_a_reader_that_fails_costs_its_file_alone(monkeypatch: pytest.MonkeyPatch):
    def fail(content: bytes, name: str) -> Reading:
        raise ZeroDivisionError

    monkeypatch.setattr("ragqa.read.markdown.read", fail)
    with pytest.raises(BadInput) as refused:
        read_document(source(b"# One", Path("/n/a.md")), "a", "default", Child())
    assert refused.value.reason == "cannot be read as markdown"


def test_a_document_carries_what_the_file_system_said():
    document = read_document(source(b"# One\n\nText.\n", Path("/n/a.md")), "n/a.md", "kitchen", Child())
    assert (document.id, document.collection, document.size, document.mtime_ns) == ("n/a.md", "kitchen", 13, 1)
    assert [block.kind for block in document.blocks] == ["heading", "paragraph"]


def test_the_suffix_chooses_the_reader_and_unknown_ones_are_text():
    kinds = [
        read_document(source(b"# One\n", Path(name)), "a", "c", Child()).blocks[0].kind
        for name in ("a.MD", "a.unknown")
    ]
    assert kinds == ["heading", "paragraph"]


def test_text_paragraphs_end_with_their_blank_lines():
    document = read_document(source(b"\n\nOne.\r\n\r\nTwo,\ntwo.\n \n"), "a", "c", Child())
    assert [document.text[b.start : b.end] for b in document.blocks] == ["\n\nOne.\r\n\r\n", "Two,\ntwo.\n \n"]


def test_a_source_knows_its_bytes(tmp_path: Path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"abc")
    read = read_source(path, MIB)
    assert (read.content, read.sha256) == (b"abc", hashlib.sha256(b"abc").hexdigest())
    assert read.mtime_ns == path.stat().st_mtime_ns


def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path):
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(BadInput) as refused:
        read_source(tmp_path / "a.txt", MIB)
    assert refused.value.reason == "not a regular file"


def test_a_link_is_not_followed(tmp_path: Path):
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "b.txt").symlink_to("a.txt")
    with pytest.raises(BadInput):
        read_source(tmp_path / "b.txt", MIB)


def test_a_file_over_the_limit_is_refused_with_the_limit_in_the_reason(tmp_path: Path):
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(2 * MIB + 1)
    with pytest.raises(BadInput) as refused:
        read_source(tmp_path / "a.txt", 2 * MIB)
    assert refused.value.reason == "over 2 MiB"


def test_a_limit_under_a_mebibyte_is_not_called_zero(tmp_path: Path):
    (tmp_path / "a.txt").write_bytes(b"x" * 2000)
    with pytest.raises(BadInput) as refused:
        read_source(tmp_path / "a.txt", 1000)
    assert refused.value.reason != "over 0 MiB"


def test_a_missing_file_is_bad_input(tmp_path: Path):
    with pytest.raises(BadInput) as refused:
        read_source(tmp_path / "a.txt", MIB)
    assert refused.value.reason == "no such file or directory"


def test_a_folder_is_not_a_regular_file(tmp_path: Path):
    with pytest.raises(BadInput) as refused:
        read_source(tmp_path, MIB)
    assert refused.value.reason == "not a regular file"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "content",
    [
        *(b">" * 200_000, b"- " * 100_000, b"- a\n" * 50_000, b"1. a\n" * 40_000, b"[" * 200_000, b"`" * 200_000),
        *(b"|a|b|\n|-|-|\n" + b"|a|b|\n" * 30_000, b"|a" * 25_000 + b"\n" + b"|-" * 25_000 + b"\n" + b"|a" * 25_000),
        *(
            b"[a]: b\n" * 28_000,
            b"[a]: b '" + b"x\n" * 90_000,
            b"```\n" * 50_000,
            b"<div>\n" * 30_000,
            b"# a\n" * 50_000,
        ),
        *((b"> - " * 20 + b"a\n") * 2400, b"# a\n" * 50_000, b"a\n" * 100_000 + b"=\n", b"- " * 500 + b"\n" * 100_000),
    ],
    ids=lambda content: repr(content[:8]),
)
def test_markdown_that_is_read_in_this_process_cannot_be_made_to_take_long(content: bytes):
    assert not BY_NAME["markdown"].is_apart(len(content))
    read_bytes(BY_NAME["markdown"], content, "a.md")


@pytest.mark.parametrize("format", FORMATS, ids=lambda one: one.name)
def test_every_format_is_read_in_a_process_of_its_own_beyond_a_megabyte(format: Format):
    assert format.is_apart(MIB + 1)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("line", [b"a\n\n", b"a\n=\n", b"*\n", b"a ::\n\n b\n\n", b"1.\n", b".. a\n\n", b":a: b\n"])
@pytest.mark.parametrize("name", ["rst", "sql"])
def test_what_is_read_in_this_process_cannot_be_made_to_take_long(name: str, line: bytes):
    format = BY_NAME[name]
    content = line * (format.inside // len(line))
    assert not format.is_apart(len(content))
    read_bytes(format, content, "a")


def test_very_many_small_blocks_of_one_kind_become_fewer():
    reading = read_bytes(BY_NAME["text"], b"a\n\n" * (MANY_BLOCKS + 1), "a.txt")
    assert len(reading.blocks) == -(-3 * (MANY_BLOCKS + 1) // (SMALL_BLOCK // 3 * 3))
    assert "".join(reading.text[block.start : block.end] for block in reading.blocks) == reading.text


def test_headings_and_what_stands_under_them_stay_apart_however_many_there_are():
    reading = read_bytes(BY_NAME["rst"], b"a\n=\n\nb\n\n" * (MANY_BLOCKS // 2 + 1), "a.rst")
    assert len(reading.blocks) == MANY_BLOCKS + 2


def test_very_many_lines_are_told_apart_less_finely_and_messages_still(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ragqa.read.reading.MANY_PLACES", 3)
    lines = "".join(f"Line {n}.\n" for n in range(300))
    content = f"From a 2025\nSubject: x\n\n{lines}\nFrom b 2025\nSubject: y\n\nLast.\n".encode()
    places = read_bytes(BY_NAME["mail"], content, "a.mbox").places
    assert [place.number for place in places] == [1, 1, 1, 2]
    assert all(b.start - a.start >= SMALL_BLOCK for a, b in pairwise(places[:3]))
    assert places[-1].line == 305  # of the message, as its only line stands near


def test_a_file_of_too_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ragqa.read.formats.MOST_PARTS", 3)
    read_bytes(BY_NAME["rst"], b"a\n=\n\nb\n=\n\nc\n=\n", "a.rst")
    with pytest.raises(BadInput) as refused:
        read_bytes(BY_NAME["rst"], b"a\n=\n\nb\n=\n\nc\n=\n\nd\n=\n", "a.rst")
    assert refused.value.reason == "too many parts"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "line", [b"--- a\n+++ b\n", b"diff --git a b\n", b"@@ -1,2 +1,2 @@\n", b"--- a\n", b"\n\n--- a\n+++ b\n"]
)
def test_a_difference_cannot_be_made_to_take_long(line: bytes):
    read_bytes(BY_NAME["diff"], line * (1_000_000 // len(line)), "a.diff")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("line", [b"\n", b" \n", b"a\n\n", b"a", b"\r\n \r\n", b"\t"])
def test_plain_text_cannot_be_made_to_take_long(line: bytes):
    with contextlib.suppress(BadInput):  # nothing but white space is empty
        read_bytes(BY_NAME["text"], line * (2_000_000 // len(line)), "a.txt")
