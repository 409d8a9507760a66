"""Jupyter notebooks by their cells."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragqa.document import place_at
from ragqa.errors import BadInput
from ragqa.read.apart import Child
from ragqa.read.formats import BY_NAME
from ragqa.read.notebook import read
from ragqa.read.reading import Reading

GOLDEN = Path(__file__).parents[1] / "golden" / "analysis.ipynb"


def notebook(*cells: object, **more: object) -> Reading:
    return read(json.dumps({"nbformat": 4, "cells": cells, **more}).encode(), "a.ipynb")


def parts(reading: Reading) -> list[tuple[str, str, str]]:
    found = []
    for block in reading.blocks:
        place = place_at(reading.places, block.start)
        found.append((place.label if place else "", block.kind, reading.text[block.start : block.end].rstrip()))
    return found


def test_cells_are_read_in_order_with_what_they_printed():
    reading = read(GOLDEN.read_bytes(), "a.ipynb")
    assert parts(reading) == [
        ("cell 1", "heading", "# Bridges"),
        ("cell 1", "paragraph", "Which were *opened* when?"),
        ("cell 1", "heading", "## Counting"),
        ("cell 2", "code", "opened = 1894\nprint(opened)"),
        ("cell 2", "code", "1894"),
        ("cell 2", "code", "<Figure size 640x480>"),
        ("cell 2", "code", "NameError: name 'x' is not defined"),
        ("cell 3", "paragraph", "The first was opened in 1894."),
        ("cell 3", "paragraph", "![plan]()"),
    ]
    assert reading.title == "Bridges"
    assert {block.heading for block in reading.blocks[3:]} == {("Bridges", "Counting")}


def test_cells_of_format_3_are_read():
    cells = [
        {"cell_type": "heading", "level": 1, "source": "Bridges"},
        {"cell_type": "heading", "level": 2, "source": ["Counting"]},
        {"cell_type": "code", "input": "1894", "outputs": [{"output_type": "pyout", "text": ["1894"]}]},
    ]
    reading = read(json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}).encode(), "a.ipynb")
    assert [part[1:] for part in parts(reading)] == [
        ("heading", "Bridges"),
        ("heading", "Counting"),
        ("code", "1894"),
        ("code", "1894"),
    ]
    assert (reading.title, reading.blocks[-1].heading) == ("Bridges", ("Bridges", "Counting"))


def test_a_table_that_is_shown_only_as_a_page_is_read_as_one():
    page = "<table><tr><th>year</th><th>n</th></tr><tr><td>1894</td><td>1</td></tr></table>"
    reading = notebook({"cell_type": "code", "source": "t", "outputs": [{"data": {"text/html": page}}]})
    assert parts(reading)[-1] == ("cell 1", "table", "year | n\n--- | ---\n1894 | 1")


def test_of_a_line_that_is_written_over_the_last_is_read():
    reading = notebook({"cell_type": "code", "source": "f()", "outputs": [{"text": " 10 %\r 50 %\rdone\r\nmore"}]})
    assert parts(reading)[-1][2] == "done\nmore"


def test_a_notebook_says_what_it_is():
    told = {"title": "A study", "keywords": ["Bridges"], "date": "2024-03-05"}
    reading = notebook({"cell_type": "markdown", "source": "# Other"}, metadata=told)
    assert (reading.title, reading.tags, reading.date) == ("A study", ("bridges",), "2024-03-05")
    reading = notebook({"cell_type": "raw", "source": "---\ntitle: A study\n---"}, {"cell_type": "raw", "source": "x"})
    assert (reading.title, reading.text) == ("A study", "x\n\n")


def test_the_first_heading_of_level_1_is_the_title():
    cells = [{"cell_type": "markdown", "source": source} for source in ("## Before", "# First title", "# Conclusion")]
    assert notebook(*cells).title == "First title"


def test_what_is_shown_as_a_page_is_read_with_its_head_and_foot():
    page = f"<header>Readings</header><p>{'It rained. ' * 30}</p><footer>1894 mm</footer>"
    reading = notebook({"cell_type": "code", "source": "t", "outputs": [{"data": {"text/html": page}}]})
    assert [text for _cell, _kind, text in parts(reading)][1::2] == ["Readings", "1894 mm"]


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"1", b"null", b'{"cells": 1', b"[" * 200_000),
        *(b'{"cells": ' + b"[" * 100_000, b'{"a": ' * 100_000, b'{"cells": [' + b"9" * 5000 + b"]}", b'{"other": []}'),
    ],
    ids=range(11),
)
def test_what_is_no_notebook_is_refused(content: bytes):
    with pytest.raises(BadInput) as refused:
        read(content, "a.ipynb")
    assert refused.value.reason == "no notebook"


FIELDS = st.sampled_from(["cells", "worksheets", "cell_type", "source", "outputs", "data", "text", "level", "metadata"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(FIELDS, VALUES, max_size=4))
def test_fields_of_the_wrong_kind_bring_nothing_down(fields: dict[str, object]):
    reading = notebook(
        fields, {"cell_type": "code", **fields}, {"cell_type": "markdown", "source": "end"}, metadata=fields
    )
    assert reading.text.endswith("end\n\n")
    with contextlib.suppress(BadInput):
        read(json.dumps(fields).encode(), "a.ipynb")


def test_lone_surrogates_do_not_leave_the_process():  # fault 15
    content = b'{"cells": [{"cell_type": "markdown", "source": "# A\\ud800B\\n\\nText\\udfff"}]}'
    with Child() as child:
        reading = child.read(BY_NAME["notebook"], content, "a.ipynb")
    assert (reading.text, reading.title, reading.repaired) == ("# A\ufffdB\n\nText\ufffd\n\n", "A\ufffdB", 2)
