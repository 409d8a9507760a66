"""Records from lines, tables and JSON, as `llm embed-multi` takes them."""

from __future__ import annotations

import io
import json
import sqlite3
import tracemalloc
from pathlib import Path

import pytest

from ragqa.errors import BadInput, UsageError
from ragqa.foreign import open_foreign
from ragqa.read.records import NOT_UTF8, WHOLE, Record, Unread, prefixed, read_query, read_records

TWO = [Record("1", "The lamp It was lit."), Record("2", "Bread 5")]


def records(text: str | bytes, format: str, limit: int = 10_000) -> list[Record | Unread]:
    content = text if isinstance(text, bytes) else text.encode()
    return list(read_records(io.BytesIO(content), format, limit))


def made(path: Path, *statements: str) -> Path:
    with sqlite3.connect(path) as db:
        for statement in statements:
            db.execute(statement)
    return path


def asked(path: Path, query: str) -> list[Record | Unread]:
    with open_foreign(path) as file:
        return list(read_query(file, query))


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("ndjson", '{"id": 1, "a": "The lamp", "b": "It was lit."}\n\n{"id": "2", "a": "Bread", "b": 5}\n'),
        ("nl", '\ufeff{"id": 1, "a": "The lamp", "b": "It was lit."}\r\n{"id": 2, "a": "Bread", "b": 5, "c": null}'),
        ("json", '[{"id": 1, "a": "The lamp", "b": "It was lit."}, {"a": "Bread", "id": 2, "b": 5}]'),
        ("csv", 'id,a,b\n1,The lamp,It was lit.\n\n2,"Bread",5\n'),
        ("csv", "\ufeffname,a,b\r\n1,The lamp,It was lit.\r\n2,Bread,5,\r\n"),
        ("csv", "a,id,b\nThe lamp,1,It was lit.\nBread,2,5\n"),
        ("tsv", "id\ta\tb\n1\tThe lamp\tIt was lit.\n2\tBread\t5\n"),
    ],
)
def test_the_first_column_or_the_one_called_id_names_a_record_and_the_others_are_its_text(format: str, text: str):
    assert records(text, format) == TWO


def test_a_single_object_is_a_record():
    assert records('{"id": 1, "a": "x"}', "json") == [Record("1", "x")]


def test_a_nested_value_is_told_by_its_paths():
    assert records('{"id": 1, "a": {"b": "x", "c": [true, 1.50]}}', "ndjson") == [Record("1", "b: x\nc: true, 1.50")]


def test_bad_lines_are_told_with_their_number():
    lines = [json.dumps({"id": n, "text": "x"}) for n in range(1, 1001)]
    lines[499] = "[" * 200_000
    lines[500] = '{"id": 501, "text": '
    lines[501] = '{"id": 502}'
    lines[502] = '{"id": " ", "text": "x"}'
    lines[503] = "[1, 2]"
    found = records("\n".join(lines), "ndjson", 10**6)
    assert [one for one in found if isinstance(one, Unread)] == [
        Unread("line 500", "nested too deeply"),
        Unread("line 501", "no JSON"),
        Unread("line 502", "no object with an id and a text"),
        Unread("line 503", "no id"),
        Unread("line 504", "no object with an id and a text"),
    ]
    assert len(found) == 1000


def test_a_line_that_is_too_long_is_told_and_the_next_one_read():
    assert records('{"id": 1, "a": "' + "x" * 99 + '"}\n{"id": 2, "a": "y"}\n', "nl", 50) == [
        Unread("line 1", "over 50 bytes"),
        Record("2", "y"),
    ]
    assert records("id,a\n1," + "x" * 99 + "\n2,y\n", "csv", 50) == [
        Unread("line 2", "over 50 bytes"),
        Record("2", "y"),
    ]


def test_a_quote_that_is_never_closed_costs_one_row():
    assert records('id,a\n1,"x\n2,y\n', "csv") == [Unread("line 2", "a quote is not closed"), Record("2", "y")]


def test_json_that_breaks_off_keeps_what_came_before():
    assert records('[{"id": 1, "a": "x"},\n{"id": 2, "a": ', "json") == [
        Record("1", "x"),
        Unread("line 2", "no JSON from here on"),
    ]


def test_json_that_is_no_lines_may_not_be_of_any_size():
    with pytest.raises(BadInput, match="NDJSON"):
        records("[" + " " * 10 * WHOLE + "]", "json", 10)


def test_what_cannot_be_stored_is_replaced():
    assert records(b'{"id": "\\ud800", "a": "x\\u0000"}', "nl") == [Record("\ufffd", "x\ufffd")]


@pytest.mark.parametrize(("format", "text"), [("csv", "id\n1\n"), ("tsv", "id,a\n1,x\n")])
def test_an_id_alone_is_wrong_usage(format: str, text: str):
    with pytest.raises(UsageError, match="only one column"):
        records(text, format)


def test_a_prefix_comes_before_each_id():
    assert list(prefixed(iter([Record("1", "x"), Unread("line 2", "no JSON")]), "blog/")) == [
        Record("blog/1", "x"),
        Unread("line 2", "no JSON"),
    ]


def test_lines_are_read_as_they_come():
    class Endless(io.RawIOBase):
        read_so_far = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:
            Endless.read_so_far += 1
            line = b'{"id": 1, "a": "x"}\n'
            buffer[: len(line)] = line
            return len(line)

    assert next(iter(read_records(io.BufferedReader(Endless()), "nl"))) == Record("1", "x")
    assert Endless.read_so_far < 10


def test_memory_does_not_grow_with_the_lines():
    class Lines(io.BytesIO):
        left = 20_000

        def readline(self, size: int | None = -1, /) -> bytes:
            self.left -= 1
            return b'{"id": %d, "a": "%s"}\n' % (self.left, b"x" * 1000) if self.left else b""

    tracemalloc.start()
    for format in ("nl", "csv"):
        assert sum(1 for _record in read_records(Lines(b""), format)) > 19_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_each_row_of_a_query_is_a_record(tmp_path: Path):
    db = made(
        tmp_path / "a.db",
        "CREATE TABLE posts (id, title, body)",
        "INSERT INTO posts VALUES (1, 'The lamp', 'It was lit.'), (2, 'Bread', 5), (NULL, 'x', 'y'), (4, NULL, x'00')",
    )
    assert asked(db, "select id, title, body from posts") == [
        *TWO,
        Unread("row 3", "no id"),
        Unread("row 4", "bytes, not text"),
    ]


@pytest.mark.parametrize("noise", [bytes(range(128, 256)) * 3, b"\0x", b"Caf\xe9", "本文".encode("iso2022_jp")])
def test_rows_that_are_no_text_are_no_records_and_never_become_other_text(noise: bytes):  # faults 13, 14
    ok = Record("1", "The bridge opened.")
    first, second = records(b"id,text\n1,The bridge opened.\n2," + noise + b"\n", "csv")
    assert (first, second) == (ok, Unread("line 3", "binary" if b"\0" in noise else NOT_UTF8))


def test_a_line_of_json_that_is_not_utf8_is_no_record():  # fault 13
    found = records('{"id": 1, "a": "Café"}\n'.encode("cp1252") + b'{"id": 2, "a": "y"}', "nl")
    assert found == [Unread("line 1", NOT_UTF8), Record("2", "y")]


@pytest.mark.parametrize(("format", "line"), [("csv", 1), ("json", 3)])
def test_what_all_records_depend_on_has_to_be_utf8(format: str, line: int):  # fault 13
    text = "id,Größe\n1,x\n" if format == "csv" else '[\n{"id": 1, "a": "x"},\n{"id": 2, "a": "Größe"}]'
    with pytest.raises(UsageError, match=f"line {line}: not UTF-8") as caught:
        records(text.encode("cp1252"), format)
    assert "iconv" in caught.value.hint


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("csv", "id\tname\r\n1\tĊafé ਅ 😀\r\n2\ty\r\n"),  # a byte of some letters is that of a line's end
        ("tsv", "id\tname\n1\tĊafé ਅ 😀\n2\ty"),
        ("nl", '{"id": 1, "a": "Ċafé ਅ 😀"}\n{"id": 2, "a": "y"}\n'),
        ("json", '[{"id": 1, "a": "Ċafé ਅ 😀"},\n{"id": 2, "a": "y"}]'),
    ],
)
def test_utf16_and_utf32_are_read_as_in_files(encoding: str, format: str, text: str):  # fault 13
    assert records(text.encode(encoding), format) == [Record("1", "Ċafé ਅ 😀"), Record("2", "y")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nr;Name;Betrag\n1;Ofen;1.250,00\n2;Herd;89,90\n", [("1", "Ofen 1.250,00"), ("2", "Herd 89,90")]),
        ("id;title\n10;Semi row, with comma\n", [("10", "Semi row, with comma")]),
        ("id,title\n10;x,one; two; three\n", [("10;x", "one; two; three")]),
        ("\nid|title\n1|a, b; c\n", [("1", "a, b; c")]),
        ("sep=|\nid|a,b\n1|x\n", [("1", "x")]),
        ('Nr;"Betrag, netto"\n1;5,00\n2;7,50\n', [("1", "5,00"), ("2", "7,50")]),
        ("id,title;subtitle,year\n1,x,1990\n2,y,1991\n", [("1", "x 1990"), ("2", "y 1991")]),
    ],
)
def test_the_delimiter_of_csv_is_found_out(text: str, expected: list[tuple[str, str]]):
    assert records(text, "csv") == [Record(*one) for one in expected]


@pytest.mark.parametrize("text", ["id\n1,x\n", "An export of 2024\nid,a\n1,x\n"])
def test_a_single_name_over_rows_of_more_is_wrong_usage(text: str):
    with pytest.raises(UsageError, match="line 1: only one column"):
        records(text, "csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_row_is_told_before_the_rest_has_come(encoding: str):
    class Slow(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            line = super().readline(size)
            assert b"never" not in line.replace(b"\0", b"")
            return line

    text = "id,a\n1,x\n2,y\n3,never\n"
    assert next(read_records(Slow(text.encode(encoding)), "csv")) == Record("1", "x")
