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
from ragqa.read.records import WHOLE, Record, Unread, prefixed, read_query, read_records

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
    assert records(b'{"id": "\\ud800", "a": "x\\u0000\xff"}', "nl") == [Record("\ufffd", "x\ufffd\ufffd")]


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


def test_rows_of_bytes_that_are_no_text_are_no_records():
    noise = bytes(range(128, 256)) * 3
    found = list(read_records(io.BytesIO(b"id,text\n1,The bridge opened.\n2," + noise + b"\n"), "csv"))
    assert found == [Record("1", "The bridge opened."), Unread("line 3", "binary")]
