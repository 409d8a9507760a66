"""JSON, and JSON by lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ragqa.errors import BadInput
from ragqa.read.apart import Child
from ragqa.read.formats import BY_NAME, read_bytes
from ragqa.read.reading import Reading
from tests.readers.cited import citation


def read(text: str, name: str = "a.json") -> Reading:
    return read_bytes(BY_NAME["json"], text.encode(), name)


def blocks(reading: Reading) -> list[str]:
    return [reading.text[block.start : block.end].strip() for block in reading.blocks]


def places(reading: Reading) -> list[tuple[str, int]]:
    return [(place.label, place.line) for place in reading.places]


def test_nested_values_are_told_by_their_paths():
    reading = read('[{"a": {"b": "x", "c": [1, 2]}, "d": [{"e": true}, {"e": null}]}]')
    assert blocks(reading) == ["a.b: x\na.c: 1, 2\nd[0].e: true"]


def test_an_element_of_an_array_is_a_row_with_its_line():
    reading = read('[\n {"a": 1},\n {"a":\n  2},\n 3]')
    assert blocks(reading) == ["a: 1", "a: 2", "3"]
    assert places(reading) == [("row 1", 2), ("row 2", 3), ("row 3", 5)]


def test_a_member_of_an_object_has_its_line_and_its_array_of_records_has_rows():
    reading = read('{"title": "Lamps",\n "lamps": [{"a": 1},\n {"a": 2}],\n "end": "x"}')
    assert blocks(reading) == ["title: Lamps", "a: 1", "a: 2", "end: x"]
    assert places(reading) == [("", 1), ("lamps, row 1", 2), ("lamps, row 2", 3), ("", 4)]
    assert [block.heading for block in reading.blocks] == [(), ("lamps",), ("lamps",), ()]


def test_numbers_stay_as_they_were_written():
    assert blocks(read('{"a": 1.50, "b": 1e3, "c": NaN, "d": -0}')) == ["a: 1.50", "b: 1e3", "c: NaN", "d: -0"]


def test_a_name_that_stands_twice_loses_nothing():
    assert blocks(read('[{"a": 1, "a": 2}]')) == ["a: 1\na: 2"]


def test_json_by_lines_has_a_row_a_line():
    reading = read('{"a": 1}\n\n{"a": 2}\n', "a.ndjson")
    assert (blocks(reading), places(reading)) == (["a: 1", "a: 2"], [("row 1", 1), ("row 3", 3)])


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_the_content_outdoes_the_name(name: str):
    assert blocks(read('{"a": 1}\n{"a": 2}\n', name)) == ["a: 1", "a: 2"]
    assert blocks(read('{\n"a": 1\n}\n', name)) == ["a: 1"]


def test_json_over_many_lines_is_read_whole_though_a_line_of_it_is_json_by_itself():
    reading = read('{\n "names": [\n  "Anna",\n  "Bob"\n ],\n "city": "Bergen"\n}\n', "a.jsonl")
    assert (blocks(reading), reading.notes) == (["names: Anna, Bob", "city: Bergen"], ())


def test_lines_that_are_json_are_read_though_most_are_not():
    reading = read('no\n{"a": 1}\nno\n', "a.jsonl")
    assert (blocks(reading), reading.notes) == (["a: 1"], ("lines that are no JSON: 2 (1, 3)",))


@pytest.mark.parametrize(
    "text", ['{// a remark\n"a": 1}', '{"a": 1', "[1,]", '{"a" 1}', "{a: 1}", "[1 2]", "{} {", "["]
)
def test_what_is_no_json_is_read_as_plain_text(text: str):
    reading = read(text)
    assert (reading.text, reading.places) == (text, ())
    assert reading.notes == ("no JSON at line 1: read as plain text",)


@pytest.mark.parametrize("text", ["[]", "{}", "null", '[{"a": null}, {"b": " "}]', "", "\ufeff"])
def test_json_that_says_nothing_is_empty(text: str):
    with pytest.raises(BadInput) as refused:
        read(text)
    assert refused.value.reason == "empty"


# fault 29
def test_a_bad_line_is_left_out_and_named():
    lines = [json.dumps({"n": n}) for n in range(1, 1001)]
    lines[499] = '{"n": '
    reading = read("\n".join(lines), "a.ndjson")
    assert len(reading.blocks) == 999
    assert reading.notes == ("lines that are no JSON: 1 (500)",)
    assert (reading.places[499].number, reading.places[499].line) == (501, 501)


def test_a_line_that_is_nested_too_deeply_is_left_out():  # fault 29
    reading = read("[" * 200_000 + '\n{"a": 1}\n', "a.ndjson")
    assert (blocks(reading), reading.notes) == (["a: 1"], ("lines that are no JSON: 1 (1)",))


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000])
def test_a_file_that_is_nested_too_deeply_is_refused(text: str):
    with Child() as child, pytest.raises(BadInput) as refused:
        child.read(BY_NAME["json"], text.encode(), "a.json")
    assert refused.value.reason == "nested too deeply"


def test_a_number_of_five_thousand_digits_is_a_number():  # fault 29
    assert blocks(read("[" + "9" * 5000 + "]")) == ["9" * 5000]


# fault 15
def test_lone_surrogates_are_replaced_wherever_they_stand():
    reading = read(r'{"\ud800": [{"\udc00": "x\ud83d"}], "\ud800a": "y"}')
    assert blocks(reading) == ["\ufffd: x\ufffd", "\ufffda: y"]
    assert reading.repaired == 3
    assert (reading.blocks[0].heading, reading.places[0].name) == (("\ufffd",), "\ufffd")


def test_a_record_is_found_and_says_where_it_stands(tmp_path: Path):
    records = [{"name": f"lamp {n}", "place": "north " * 60} for n in range(1, 6)]
    records[3] = {"name": "beacon", "place": "harbour of Bergen"}
    content = "\n".join(map(json.dumps, records)).encode()
    asked = "Which beacon stands in the harbour of Bergen?"
    assert citation(tmp_path, "lights.jsonl", content, asked, "beacon") == "row 4"
