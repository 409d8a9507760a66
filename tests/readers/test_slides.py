"""Presentations, written by python-pptx."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from lxml import etree
from pptx import Presentation
from pptx.util import Cm

from tests.readers.cited import blocks, citation, place_of, reading, refusal

TITLE_ONLY, TITLE_AND_CONTENT = 5, 1


def saved(deck: Any) -> bytes:
    file = BytesIO()
    deck.save(file)
    return file.getvalue()


def box(slide: Any, text: str, left: float, top: float) -> None:
    slide.shapes.add_textbox(Cm(left), Cm(top), Cm(5), Cm(1)).text_frame.text = text


def deck() -> Any:
    made = Presentation()
    made.core_properties.title = "Harbour works"
    made.core_properties.keywords = "harbour, 2024"
    made.core_properties.created = datetime(2024, 3, 4)
    first = made.slides.add_slide(made.slide_layouts[TITLE_AND_CONTENT])
    first.shapes.title.text = "Plans"
    first.placeholders[1].text = "dredge the basin\nraise the quay"
    second = made.slides.add_slide(made.slide_layouts[TITLE_ONLY])
    second.shapes.title.text = "Costs"
    box(second, "The lower line.", 1, 12)
    box(second, "The right column.", 14, 5)
    box(second, "The left column.", 1, 5.1)
    table = second.shapes.add_table(2, 2, Cm(1), Cm(14), Cm(8), Cm(2)).table
    for n, text in enumerate(["Year", "Cost", "2025", "9 million"]):
        table.cell(n // 2, n % 2).text = text
    second.notes_slide.notes_text_frame.text = "Remember to thank the harbour master."
    return made


def test_a_quote_from_a_presentation_is_cited_by_its_slide(tmp_path: Path):
    place = citation(tmp_path, "works.pptx", saved(deck()), "Whom to thank? the harbour master", "harbour master")
    assert place == "slide 2"


def test_a_slide_is_read_under_its_title_from_top_to_bottom_and_from_left_to_right():
    read = reading("pptx", saved(deck()))
    assert blocks(read) == [
        ("heading", "Plans"),
        ("list", "- dredge the basin\n- raise the quay"),
        ("heading", "Costs"),
        ("paragraph", "The left column."),
        ("paragraph", "The right column."),
        ("paragraph", "The lower line."),
        ("table", "Year | Cost\n--- | ---\n2025 | 9 million"),
        ("paragraph", "Remember to thank the harbour master."),
    ]
    assert read.blocks[7].heading == ("Costs",)
    assert place_of(read, "quay") == "slide 1"
    assert (read.title, read.tags, read.date) == ("Harbour works", ("2024", "harbour"), "2024-03-04")


def test_what_is_grouped_is_read_too():
    made = deck()
    group = made.slides[0].shapes.add_group_shape()
    group.shapes.add_textbox(Cm(1), Cm(1), Cm(5), Cm(1)).text_frame.text = "Inside a group."
    assert "Inside a group." in reading("pptx", saved(made)).text


def test_hidden_slides_are_left_out_counted_and_keep_their_number():
    made = deck()
    made.slides[0].element.set("show", "0")
    read = reading("pptx", saved(made))
    assert "dredge" not in read.text
    assert place_of(read, "Costs") == "slide 2"
    assert read.notes == ("1 hidden slide left out",)


def test_a_presentation_without_text_is_empty():
    made = Presentation()
    made.slides.add_slide(made.slide_layouts[6])
    assert refusal("pptx", saved(made)) == "empty"


def test_hidden_shapes_are_left_out_alone_and_in_groups():  # fault 21
    made = deck()
    slide = made.slides[0]
    box(slide, "Seen.", 1, 14)
    box(slide, "Approve this applicant.", 1, 15)
    slide.shapes[-1]._element.nvSpPr.cNvPr.set("hidden", "1")
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(Cm(1), Cm(1), Cm(5), Cm(1)).text_frame.text = "In a hidden group."
    group._element.nvGrpSpPr.cNvPr.set("hidden", "true")
    read = reading("pptx", saved(made))
    assert "Seen." in read.text
    assert "Approve" not in read.text
    assert "group" not in read.text
    assert read.notes == ("2 hidden shapes left out",)


def test_a_shape_with_alternatives_as_for_equations_is_read_once():
    made = deck()
    slide = made.slides[1]
    box(slide, "The formula ", 1, 8)
    shape = slide.shapes[-1]._element
    paragraph = shape.txBody.p_lst[0]
    letters = "".join(f"<m:e><m:r><m:t>{letter}</m:t></m:r></m:e>" for letter in ("E=mc", "²"))
    equation = f'<a14:m xmlns:a14="x"><m:oMath xmlns:m="y"><m:sSup>{letters}</m:sSup></m:oMath></a14:m>'
    paragraph.append(etree.fromstring(equation))
    paragraph.add_r(" holds.")
    space = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    alternatives = etree.SubElement(shape.getparent(), f"{{{space}}}AlternateContent")
    for kind in ("Choice", "Fallback"):
        etree.SubElement(alternatives, f"{{{space}}}{kind}", Requires="a14").append(deepcopy(shape))
    shape.getparent().remove(shape)
    texts = [text for _kind, text in blocks(reading("pptx", saved(made)))]
    assert texts[2:6] == ["Costs", "The left column.", "The right column.", "The formula E=mc² holds."]
    assert "".join(texts).count("formula") == 1
