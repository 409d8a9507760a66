"""Workbooks, written by openpyxl and XlsxWriter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from openpyxl import Workbook

from ragqa.read import sheets
from ragqa.read.sheets import shown
from ragqa.read.table import column_names
from tests.readers.cited import blocks, citation, place_of, reading, refusal, zipped


def book(*tables: Sequence[Sequence[Any]]) -> Workbook:
    made = Workbook()
    for n, rows in enumerate(tables):
        sheet = made.worksheets[0] if n == 0 else made.create_sheet()
        for row in rows:
            sheet.append(list(row))
    return made


def saved(made: Workbook) -> bytes:
    file = BytesIO()
    made.save(file)
    return file.getvalue()


def prices() -> bytes:
    made = book([["Fruit", "Price", "Picked"], ["Apples", 3.5, date(2024, 9, 1)], ["Pears", 0.1 + 0.2, None]])
    made.worksheets[0].title = "Prices"
    made.properties.title = "Harvest"
    made.properties.keywords = "fruit"
    made.properties.created = datetime(2024, 10, 2)
    return saved(made)


def test_a_row_is_cited_by_its_sheet_and_number(tmp_path: Path):
    place = citation(tmp_path, "harvest.xlsx", prices(), "price of Pears", "Pears")
    assert place == "Prices, row 3"


def test_every_row_has_the_names_of_its_columns():
    read = reading("xlsx", prices())
    assert blocks(read) == [
        ("table", "Fruit: Apples; Price: 3.5; Picked: 2024-09-01"),
        ("table", "Fruit: Pears; Price: 0.3"),
    ]
    assert read.blocks[0].heading == ("Prices",)
    assert (read.title, read.tags, read.date) == ("Harvest", ("fruit",), "2024-10-02")


def test_a_title_over_the_table_is_a_row_of_its_own():
    read = reading("xlsx", saved(book([["Prices of 2024"], [], ["Fruit", "Price"], ["Apples", 3]])))
    assert [text for _kind, text in blocks(read)] == ["Prices of 2024", "Fruit: Apples; Price: 3"]
    assert place_of(read, "Apples") == "Sheet, row 4"


def test_labels_beside_their_values_over_a_table_do_not_name_its_columns():
    rows = [
        ["Budget", "2024 (draft)"],
        ["Unit", "Tides"],
        ["Fruit", "Spring", "Autumn", "Note"],
        ["Apples", 3, 4, "new"],
    ]
    read = reading("xlsx", saved(book(rows)))
    assert [text for _kind, text in blocks(read)] == [
        "Budget | 2024 (draft)",
        "Unit | Tides",
        "Fruit: Apples; Spring: 3; Autumn: 4; Note: new",
    ]


def test_rows_of_a_sheet_without_names_stand_as_they_are():
    read = reading("xlsx", saved(book([["Apples", 3], ["Pears", 4]])))
    assert [text for _kind, text in blocks(read)] == ["Apples | 3", "Pears | 4"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (["Name", "Age"], ["Ada", "36"], True),
        (["Name", ""], ["Ada", "36"], False),  # half of the columns are not named
        (["Name", "Name"], ["Ada", "Bob"], False),
        (["Name", "Paid", "Paid"], ["Ada", "1", "2"], True),
        (["Name:", "Ada"], ["Town:", "Rome"], False),  # it names what stands beside it
        (["Ada", "36"], ["Bob", "40"], False),
        (["2023", "2024"], ["1", "2"], False),
        (["Name", "Age"], ["", ""], False),
    ],
)
def test_words_that_stand_once_over_each_column_are_its_names(first: list[str], second: list[str], expected: bool):
    assert column_names(first, second) is expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.1 + 0.2, "0.3"),
        (3.0, "3"),
        (1e300, "1e+300"),
        (12, "12"),
        (True, "TRUE"),
        (datetime(2024, 5, 1), "2024-05-01"),
        (datetime(2024, 5, 1, 9, 30), "2024-05-01 09:30:00"),
        (date(2024, 5, 1), "2024-05-01"),
        (time(9, 30), "09:30:00"),
        (timedelta(hours=25), "1 day, 1:00:00"),
        ("two\nlines ", "two lines"),
    ],
)
def test_values_are_shown_on_one_line_without_noise(value: object, text: str):
    assert shown(value) == text


def test_a_formula_is_read_by_its_stored_value():
    file = BytesIO()
    made = xlsxwriter.Workbook(file)
    sheet = made.add_worksheet("Sums")
    sheet.write_row(0, 0, ["Item", "Total"])
    sheet.write(1, 0, "All")
    sheet.write_formula(1, 1, "=6*7", None, 42)
    made.close()
    assert blocks(reading("xlsx", file.getvalue())) == [("table", "Item: All; Total: 42")]


@pytest.mark.parametrize("options", [{}, {"constant_memory": True}, {"date_1904": True}])
def test_what_numbers_stand_for_is_told_by_their_formats(options: dict[str, bool]):
    file = BytesIO()
    made = xlsxwriter.Workbook(file, options)
    sheet = made.add_worksheet("Formats")
    for row, (value, format) in enumerate(
        [
            (0.25, "0%"),
            (45413, "#,##0"),
            (datetime(2024, 5, 1), "d. mmmm yyyy"),
            (1.5, "[h]:mm"),
            (0.5, "hh:mm"),
            (12.5, '0.0"%"'),
            (45, "0\\%"),
        ]
    ):
        write = sheet.write_datetime if isinstance(value, datetime) else sheet.write_number
        write(row, 0, value, made.add_format({"num_format": format}))
        sheet.write(row, 1, "a 'text' & more")
    made.close()
    read = [text.removesuffix(" | a 'text' & more") for _kind, text in blocks(reading("xlsx", file.getvalue()))]
    assert read == ["25%", "45413", "2024-05-01", "1 day, 12:00:00", "12:00:00", "12.5%", "45%"]


def test_a_workbook_without_its_parts_is_refused():
    assert refusal("xlsx", zipped({"a.txt": b"text"})) == "no workbook"


def test_hidden_sheets_are_left_out_and_counted():
    made = book([["seen", "too"]], [["hidden", "away"]])
    made.worksheets[1].sheet_state = "hidden"
    read = reading("xlsx", saved(made))
    assert "hidden" not in read.text
    assert read.notes == ("1 hidden sheet left out",)


# fault 21
def test_hidden_rows_and_columns_are_left_out_and_counted():
    made = book([["Name", "Pay", "Town"], ["Ada", 99, "Rome"], ["Bob", 77, "Oslo"], [None, None, None]])
    sheet = made.worksheets[0]
    sheet.column_dimensions["B"].hidden = True
    sheet.column_dimensions.group("D", "XFD", hidden=True)  # nothing is there that could be left out
    sheet.row_dimensions[3].hidden = sheet.row_dimensions[4].hidden = True
    read = reading("xlsx", saved(made))
    assert blocks(read) == [("table", "Name: Ada; Town: Rome")]
    assert sorted(read.notes) == ["1 hidden column left out", "1 hidden row left out"]


def test_formulas_without_a_stored_value_are_counted():
    read = reading("xlsx", saved(book([["Item", "Sum"], ["a", "=1+1"], ["b", "=SUM(B2)"]])))
    assert (read.text.split(), read.notes) == ("Item: a Item: b".split(), ("2 uncomputed formulas left out",))


def test_characters_that_xml_has_no_room_for_are_what_they_stand_for():
    read = reading("xlsx", saved(book([["one_x000D_\ntwo", "_x005F_x000D_"]])))
    assert read.text.strip() == "one two | _x000D_"


def test_a_note_says_from_which_row_on_a_sheet_was_too_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sheets, "CELLS", 10)
    read = reading("xlsx", saved(book([["a", n] for n in range(8)])))
    assert read.text.split() == "a | 0 a | 1 a | 2 a | 3 a | 4".split()
    assert read.notes == ("Sheet: rows from 6 on left out",)


def test_columns_past_the_most_are_left_out_and_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sheets, "COLUMNS", 2)
    read = reading("xlsx", saved(book([["one", "two", "three"]])))
    assert (read.text.strip(), read.notes) == ("one | two", ("Sheet: columns after the first 2 left out",))


def test_the_size_that_a_file_states_costs_nothing():
    made = book([["one", 2]])
    made.worksheets[0].cell(1_048_576, 16_384, "far")
    read = reading("xlsx", saved(made))
    assert (place_of(read, "one"), read.notes) == ("Sheet, row 1", ("Sheet: columns after the first 256 left out",))


def test_an_empty_workbook_is_empty():
    assert refusal("xlsx", saved(Workbook())) == "empty"
