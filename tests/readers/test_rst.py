"""reStructuredText by its blocks, against docutils' own sections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from hypothesis import assume, given
from hypothesis import strategies as st

from ragqa.read.reading import Reading
from ragqa.read.rst import read

GOLDEN = Path(__file__).parents[1] / "golden" / "bicycle.rst"
QUIET = {"warning_stream": False, "doctitle_xform": False, "file_insertion_enabled": False, "raw_enabled": False}
SEVERE = 4  # of docutils' messages: titles whose levels are in no order


def rst(text: str) -> Reading:
    return read(text.encode(), "a.rst")


def parts(reading: Reading) -> list[tuple[str, str]]:
    return [(block.kind, reading.text[block.start : block.end].strip("\n")) for block in reading.blocks]


def understood(text: str) -> nodes.document:
    """What docutils makes of a text, with its severe messages in it."""
    return publish_doctree(text, settings_overrides={"report_level": SEVERE, "halt_level": SEVERE + 1, **QUIET})


def sections(parent: nodes.Element, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of headings as docutils sees them."""
    for section in (child for child in parent.children if isinstance(child, nodes.section)):
        here = (*path, " ".join(section.children[0].astext().split()))
        yield here
        yield from sections(section, here)


def headings(reading: Reading) -> list[tuple[str, ...]]:
    return [block.heading for block in reading.blocks if block.kind == "heading"]


def test_a_text_is_kept_as_it_stands_and_divided_by_its_blocks():
    reading = read(GOLDEN.read_bytes(), "a.rst")
    assert reading.text.encode() == GOLDEN.read_bytes()
    assert [(kind, text.split("\n")[0]) for kind, text in parts(reading)] == [
        ("heading", "======================="),
        ("front", ":Author: Ada"),
        ("code", ".. meta::"),
        ("heading", "The *chain*"),
        ("paragraph", "Oil the chain"),
        ("code", "    oil --drops 3"),
        ("paragraph", "Then ride. See :ref:`the tools <tools>`."),
        ("code", ".. code-block:: sh"),
        ("quotation", ".. note::"),
        ("heading", "Tools and ``oil``"),
        ("list", "- A pump"),
        ("table", "+-------+-----+"),
        ("table", "=====  ==="),
        ("quotation", "    Said by somebody."),
        ("code", ".. include:: /etc/hostname"),
        ("code", ".. a remark"),
        ("code", ">>> 1 + 1"),
        ("paragraph", "----"),
        ("heading", "Brakes"),
        ("paragraph", "Last words."),
    ]


def test_a_text_says_what_it_is():
    reading = read(GOLDEN.read_bytes(), "a.rst")
    told = (reading.title, reading.tags, reading.date)
    assert told == ("Looking after a bicycle", ("bicycle", "chain", "repair"), "2024-03-05")


def test_sections_are_those_of_docutils():
    text = GOLDEN.read_text(encoding="utf-8")
    assert headings(rst(text)) == list(sections(understood(text))) != []


PIECES = st.sampled_from(
    [
        *(
            "One\n===",
            "Two\n---",
            "====\nFour\n====",
            "Six\n^^^^^^",
            "1. Seven\n========",
            "~~~~~~~~\n Eight\n~~~~~~~~",
        ),
        *("A text\nof two lines.", "Code::\n\n    Nine\n    ====", "- an item\n\n  Ten\n\n- more", "1. one\n2. two"),
        *(
            "term\n  meaning",
            ":field: value",
            ".. note::\n\n   Eleven\n\n   ------",
            ".. Twelve\n   ======",
            "    said",
        ),
        *("+----+\n| a  |\n+----+", "==  ==\na   b\n==  ==", ">>> 1\n2", "| a line\n| block", "..", ".. [1] a note"),
        *("A. Smith\nwrote it.", "-a  an option", "*emphasis* begins\nit.", "\\- no item"),
    ]
)


@given(st.lists(PIECES, max_size=8))
def test_sections_are_those_of_docutils_whatever_stands_between(pieces: list[str]):
    text = "\n\n".join(pieces) + "\n"
    document = understood(text)
    assume(not document.next_node(nodes.system_message))
    assert headings(rst(text)) == list(sections(document))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("A\n=\n\nB\n", ["heading", "paragraph"]),
        ("Long title\n===\n\nB\n", ["paragraph", "paragraph"]),
        ("Long title\n====\n", ["heading"]),
        ("text\n\n----\n\ntext\n", ["paragraph", "paragraph", "paragraph"]),
        ("1. Numbered\n===========\n", ["heading"]),
        ("* a\n* b\n\n  c\n\nText\n", ["list", "paragraph"]),
        ("(a) one\n(b) two\n", ["list"]),
        ("A. Smith\nwas there.\n", ["paragraph"]),
        ("-o FILE  where to\n--all    everything\n", ["list"]),
        ("Intro::\n\n  code\n\nText\n\n  said\n", ["paragraph", "code", "paragraph", "quotation"]),
        ("..\n\n  said\n", ["code", "quotation"]),
        (".. [1] A note.\n.. _target:\n", ["paragraph", "code"]),
        (".. list-table::\n\n   * - a\n", ["table"]),
        (".. py:function:: f(x)\n\n   Does it.\n", ["quotation"]),
        (".. |logo| image:: a.png\n", ["code"]),
        ("\n\nText\r\nmore\r\n\r\nText\r\n", ["paragraph", "paragraph"]),
        ("::\n\n  code\n", ["paragraph", "code"]),
    ],
)
def test_blocks_are_known_by_their_lines(text: str, kinds: list[str]):
    assert [block.kind for block in rst(text).blocks] == kinds


def test_nothing_is_fetched_or_run():
    named = "   :file: /etc/hostname\n"
    text = f".. include:: /etc/hostname\n\n.. raw:: html\n{named}\n.. csv-table::\n{named}"
    assert rst(text).text == text


def test_a_title_loses_its_markup_where_it_is_a_path():
    reading = rst("The ``index`` of `a page`_ and :doc:`this <page>`\n" + "=" * 60 + "\n")
    assert reading.blocks[0].heading == ("The index of a page and this",)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "line",
    [
        *(
            "a\n=\n\n",
            "== ==\na\n\n",
            "== ==\n",
            "+--+\n",
            "- a\n",
            "a\n b\n",
            ".. a::\n",
            "..\n\n",
            ":a: b\n",
            ">>> \n",
            "=\n",
            "::\n\n a\n",
        ),
        *("a::\n", "`", "`a <", ":a", "1.\n", "-a ", "=", "| \n", "\n", " \n", " a\n\n"),
    ],
)
def test_hostile_texts_take_no_time(line: str):
    rst(line * (600_000 // len(line)) + "\nText")
    rst(line.strip() * 20_000 + "\n" + "=" * 200_000 + "\nText")
