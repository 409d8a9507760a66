"""CSV and TSV."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ragqa.errors import BadInput
from ragqa.read.apart import Child
from ragqa.read.formats import BY_NAME, read_bytes
from ragqa.read.reading import Reading
from ragqa.read.separated import delimiter_of, rows_of
from tests.readers.cited import citation


def read(text: str, name: str = "a.csv") -> Reading:
    return read_bytes(BY_NAME["csv"], text.encode(), name)


def blocks(reading: Reading) -> list[str]:
    return [reading.text[block.start : block.end].strip() for block in reading.blocks]


def places(reading: Reading) -> list[tuple[str, int]]:
    return [(place.label, place.line) for place in reading.places]


def test_a_row_is_a_block_that_names_its_columns():
    reading = read("name,city\nAnna,Oslo\nBen,Rome\n")
    assert blocks(reading) == ["name: Anna\ncity: Oslo", "name: Ben\ncity: Rome"]
    assert places(reading) == [("row 2", 2), ("row 3", 3)]


def test_cells_may_hold_lines_and_rows_still_know_theirs():
    reading = read('name,text\nAnna,"one\r\ntwo, three"\n\nBen,"a ""word"""\n')
    assert blocks(reading) == ["name: Anna\ntext: one\ntwo, three", 'name: Ben\ntext: a "word"']
    assert places(reading) == [("row 2", 2), ("row 4", 5)]


def test_empty_cells_and_blank_rows_are_left_out():
    assert blocks(read("a,b\n1,\n , \n,2\n")) == ["a: 1", "b: 2"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_rows_agree_on(delimiter: str):
    rows = [["name", "price"], ["tea, green", "1.50"], ["cake", "2.00"]]
    text = "\n".join(delimiter.join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows)
    assert delimiter_of(text) == delimiter


def test_decimal_commas_are_no_delimiters():
    assert delimiter_of("a;b\n1,5;2,5\n3,5;4,5\n") == ";"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Artikel;Preis, EUR\nApfel;1,50\nBirne;2,30\n", ";"),
        ("1,5;2,5\n3,5;4,5\n", ";"),
        ('1,5\t"2.000,50 €"\n3,5\t4,50 EUR\n', "\t"),
        ("1,5\n2,6\n", ","),
        ("1,2,one;two\n3,4,three;four\n", ","),
        ("no delimiter", ","),
    ],
)
def test_where_two_delimiters_agree_alike_a_decimal_comma_is_none(text: str, expected: str):
    assert delimiter_of(text) == expected


def test_a_delimiter_that_the_first_line_states_is_taken_and_that_line_is_no_row():
    reading = read("sep=|\r\nname|price, in euros\r\ntea|1,50\r\n")
    assert (blocks(reading), places(reading)) == (["name: tea\nprice, in euros: 1,50"], [("row 2", 3)])


def test_what_stands_over_a_table_does_not_name_its_columns():
    over = '"Kontonummer:";"DE12"\n\n"Saldo";"5.000,00 EUR"\n\n'
    table = '"Tag";"Wer";"Zweck";"Betrag"\n"02.01.2024";"Stadtwerke";"Strom";"-80,50"\n"03.01.2024";"Bahn";"";"-9"\n'
    reading = read(over + table)
    assert blocks(reading) == [
        "column 1: Kontonummer:\ncolumn 2: DE12",
        "column 1: Saldo\ncolumn 2: 5.000,00 EUR",
        "Tag: 02.01.2024\nWer: Stadtwerke\nZweck: Strom\nBetrag: -80,50",
        "Tag: 03.01.2024\nWer: Bahn\nBetrag: -9",
    ]
    assert places(reading)[2] == ("row 6", 6)


def test_a_name_that_two_columns_have_leaves_all_of_them_their_names():
    assert blocks(read("Date,Amount,Amount,Text\n2024-01-01,5,6,rent\n")) == [
        "Date: 2024-01-01\nAmount: 5\nAmount: 6\nText: rent"
    ]


def test_a_tsv_is_parted_by_tabs_whatever_its_cells_hold():
    assert blocks(read("a\tb\n1,2,3\t4,5,6\n", "a.tsv")) == ["a: 1,2,3\nb: 4,5,6"]


@pytest.mark.parametrize("first", ["1,2", "x,x", "x," + "y" * 200])
def test_a_first_row_that_is_no_row_of_names_is_a_row(first: str):
    reading = read(f"{first}\n3,4\n")
    assert [place.number for place in reading.places] == [1, 2]
    assert blocks(reading)[1] == "column 1: 3\ncolumn 2: 4"


def test_a_year_may_name_a_column_and_a_column_may_have_no_name():
    assert blocks(read(",2019,2020,Country\n0,5,6,Norway\n")) == ["column 1: 0\n2019: 5\n2020: 6\nCountry: Norway"]


def test_a_row_of_names_alone_is_told():
    assert blocks(read("name,city\n")) == ["column 1: name\ncolumn 2: city"]


# fault 28
def test_a_cell_may_be_longer_than_csv_allows_by_itself():
    (block,) = blocks(read(f"a,b\n{'x' * 200_000},2\n"))
    assert len(block) == len("a: \nb: 2") + 200_000


def test_ragged_rows_keep_every_cell():  # fault 28
    assert blocks(read("a,b\n1\n1,2,3\n")) == ["a: 1", "a: 1\nb: 2\ncolumn 3: 3"]


def test_a_nul_is_replaced_and_counted():  # fault 14
    reading = read("a,b\n1\0,2\n")
    assert (blocks(reading), reading.repaired) == (["a: 1\ufffd\nb: 2"], 1)


def test_ten_thousand_columns_are_read():
    names, cells = ",".join(f"c{n}" for n in range(10_000)), ",".join(str(n) for n in range(10_000))
    (block,) = blocks(read(f"{names}\n{cells}\n"))
    assert (block[:5], block[-11:], block.count("\n")) == ("c0: 0", "c9999: 9999", 9_999)


def test_a_quote_that_is_never_closed_takes_its_own_row_only():
    reading = read('a,b\n1,"2\n3,4\n5,6\n')
    assert blocks(reading) == ['a: 1\nb: "2', "a: 3\nb: 4", "a: 5\nb: 6"]
    assert reading.notes == ("rows with a quote that is not closed: 1",)


def test_a_cell_that_ends_with_a_line_end_is_closed():
    assert [(row.cells, row.closed) for row in rows_of(['a,"b', '"'], ",")] == [(("a", "b\n"), True)]


def test_no_line_of_a_file_is_its_end():
    assert [row.cells for row in rows_of("a\nthe end\nb".split("\n"), ",")] == [("a",), ("the end",), ("b",)]


def test_many_quotes_that_are_never_closed_take_no_longer_than_a_few():
    started = time.process_time()
    rows = sum(1 for _row in rows_of(['x,"y'] * 100_001, ","))
    assert rows >= 50_000
    assert time.process_time() - started < 10


def test_old_line_ends_are_lines():
    assert places(read("a,b\r1,2\r3,4\r")) == [("row 2", 2), ("row 3", 3)]


def test_a_csv_without_text_is_empty():
    with pytest.raises(BadInput) as refused:
        read(",,\n,,\n")
    assert refused.value.reason == "empty"


def test_binary_is_refused_in_the_process_of_its_own():
    with Child() as child, pytest.raises(BadInput) as refused:
        child.read(BY_NAME["csv"], bytes(range(256)) * 9, "a.csv")
    assert refused.value.reason == "binary"


def test_a_row_is_found_and_says_where_it_stands(tmp_path: Path):
    rows = [f"lamp {n},{'north ' * 60}{n}" for n in range(1, 6)]
    content = "\n".join(["name,place", *rows[:3], "beacon,harbour of Bergen", *rows[3:]]).encode()
    asked = "Which beacon stands in the harbour of Bergen?"
    assert citation(tmp_path, "lights.csv", content, asked, "beacon") == "row 5"
