"""Archives from strangers."""

from __future__ import annotations

import os
import struct
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_STORED, ZipFile, ZipInfo

import pytest

from ragqa.errors import BadInput
from ragqa.read import zipped as room
from ragqa.read.apart import Child
from ragqa.read.zipped import open_zip
from tests.readers.cited import apart, reading, refusal, zipped
from tests.readers.test_word import handbook

ENTITY = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaa">]><d>&a;</d>'
DOCTYPE = (
    b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" '
    b'"http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd"><html/>'
)
MIB = 2**20


def reason(content: bytes) -> str:
    with pytest.raises(BadInput) as refused:
        open_zip(content, "a.docx")
    return refused.value.reason


def test_an_archive_of_modest_members_is_opened():
    assert open_zip(zipped({"a": b"one", "b": b"two"}), "a").read("b") == b"two"


# fault 23
def test_a_small_archive_that_expands_past_the_limit_is_refused():
    bomb = zipped({"word/document.xml": bytes(60 * MIB)})
    assert len(bomb) < 95 * 1024
    assert reason(bomb) == "expands past the limit"


# fault 23
def test_a_bomb_is_refused_before_it_is_in_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "FLOOR", MIB)
    out = 0
    read = room._Prolog.declares_entity

    def counted(prolog: room._Prolog, part: bytes) -> bool:
        nonlocal out
        out += len(part)
        return read(prolog, part)

    monkeypatch.setattr(room._Prolog, "declares_entity", counted)
    bomb = zipped({"a": bytes(30 * MIB)})
    assert reason(bomb) == "expands past the limit"
    assert out <= room.RATIO * len(bomb) < 4 * MIB


# fault 23
def test_many_members_that_are_modest_alone_are_counted_together():
    assert reason(zipped({f"{n}": bytes(MIB) for n in range(12)})) == "expands past the limit"


# fault 23
def test_an_archive_of_more_members_than_allowed_is_refused():
    content = zipped({f"{n}": b"" for n in range(room.MEMBERS + 1)}, ZIP_STORED)
    assert reason(content) == "expands past the limit"


# fault 23
def test_members_that_share_their_bytes_are_refused():
    plain = zipped({"a": b"1" * 5000, "b": b"2" * 5000}, ZIP_STORED)
    entry = plain.rindex(b"PK\x01\x02")
    shared = bytearray(plain)
    shared[entry + 42 : entry + 46] = struct.pack("<I", 0)  # the second begins where the first does
    assert reason(bytes(shared)) == "expands past the limit"


# fault 23
@pytest.mark.parametrize(
    ("offset", "size", "why"), [(20, 10 * MIB, "expands past the limit"), (24, 3, "damaged archive")]
)
def test_an_archive_that_lies_about_sizes_is_refused(offset: int, size: int, why: str):
    assert reason(forged(offset, size)) == why


# fault 23
def test_a_size_that_is_stated_too_large_makes_nothing_larger():
    assert len(open_zip(forged(24, 10 * MIB), "a").read("a")) == 5000


def forged(offset: int, size: int) -> bytes:
    """An archive whose list of members has another size at an offset of its only line."""
    plain = bytearray(zipped({"a": b"1" * 5000}))
    entry = plain.rindex(b"PK\x01\x02") + offset
    plain[entry : entry + 4] = struct.pack("<I", size)
    return bytes(plain)


# fault 24
def test_an_encrypted_member_is_refused():
    plain = bytearray(zipped({"a": b"text"}))
    plain[plain.rindex(b"PK\x01\x02") + 8] |= 1
    assert reason(bytes(plain)) == "encrypted"


# fault 24
@pytest.mark.parametrize("name", ["../../out.txt", "/tmp/ragqa-out.txt", "C:\\out.txt"])
def test_a_member_named_out_of_the_archive_is_written_nowhere(tmp_path: Path, name: str):
    file = BytesIO(handbook())
    with ZipFile(file, "a") as archive:
        archive.writestr(name, "outside")
    work = tmp_path / "deep" / "deeper"
    work.mkdir(parents=True)
    before = Path.cwd()
    os.chdir(work)
    try:
        assert "wasps" in reading("docx", file.getvalue()).text
    finally:
        os.chdir(before)
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []
    assert not Path("/tmp/ragqa-out.txt").exists()


# fault 24
def test_a_link_and_an_archive_in_an_archive_are_left_alone():
    file = BytesIO(handbook())
    link = ZipInfo("word/link.xml")
    link.external_attr = 0o120777 << 16
    with ZipFile(file, "a") as archive:
        archive.writestr(link, "/etc/hostname")
        archive.writestr("inner.zip", zipped({"x": b"inner"}))
    assert "inner" not in reading("docx", file.getvalue()).text


def test_compression_that_no_format_here_uses_is_damage():
    assert reason(zipped({"a": b"text"}, ZIP_BZIP2)) == "damaged archive"


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"no archive at all", zipped({"a": b"1" * 500})[:-30]],
    ids=["nothing", "its first letters", "text", "without its end"],  # its bytes hold the time at which it was made
)
def test_what_is_no_whole_archive_is_damaged(content: bytes):
    assert reason(content) == "damaged archive"


# fault 22
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_an_entity_is_forbidden_in_any_part(encoding: str):
    assert reason(zipped({"x": b"text", "word/styles.xml": ENTITY.decode().encode(encoding)})) == "forbidden XML entity"


# fault 22
def test_an_entity_behind_a_long_comment_is_forbidden_too():
    content = ENTITY.replace(b"<!DOCTYPE", b"<!--" + b"<x>&" * 50_000 + b"--><!DOCTYPE")
    assert reason(zipped({"a.xml": content})) == "forbidden XML entity"


# fault 22
def test_a_file_on_this_machine_never_comes_into_a_document():
    theft = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/hostname">]><d>&a;</d>'
    assert refusal("docx", zipped({"word/document.xml": theft})) == "forbidden XML entity"


# fault 22
def test_a_doctype_without_entities_is_allowed():
    assert open_zip(zipped({"a.xhtml": DOCTYPE}), "a").namelist() == ["a.xhtml"]


def test_writing_about_entities_is_allowed():
    about = b"<html><p>Write &lt;!ENTITY a 'b'> and <![CDATA[<!DOCTYPE d [<!ENTITY a 'b'>]>]]></p></html>"
    assert open_zip(zipped({"a.xhtml": about, "b.txt": b"See: " + ENTITY}), "a")


def test_the_process_that_reads_names_the_reason_of_a_bomb():
    with Child() as child, pytest.raises(BadInput) as refused:
        apart("a.xlsx", zipped({"xl/workbook.xml": bytes(60 * MIB)}), child)
    assert refused.value.reason == "expands past the limit"
