"""OpenDocument text, written by odfdo."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from odfdo import Document, Element, Header, List, ListItem, Paragraph, Table

from tests.readers.cited import blocks, citation, place_of, reading, refusal, zipped


def saved(document: Document) -> bytes:
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def document(*elements: Element) -> Document:
    made = Document("text")
    made.body.clear()
    for element in elements:
        made.body.append(element)
    return made


def handbook() -> bytes:
    table = Table("Harvest")
    table.set_values([["Month", "Honey"], ["July", "12 kg"]])
    made = document(
        Header(1, "Spring"),
        Paragraph("Open the hives on the first warm day."),
        Header(2, "Tools"),
        List([ListItem("a smoker"), ListItem("a veil")]),
        table,
        Header(1, "Autumn"),
        Paragraph("Reduce the entrance against wasps."),
    )
    made.meta.title = "The beekeeper's handbook"
    made.meta.keyword = "Bees, honey"
    made.meta.creation_date = datetime(2024, 5, 17, 12)
    return saved(made)


def from_xml(*xml: str) -> bytes:
    return saved(document(*map(Element.from_tag, xml)))


def test_a_quote_from_opendocument_is_cited_by_its_paragraph(tmp_path: Path):
    place = citation(tmp_path, "bees.odt", handbook(), "How is the entrance reduced against wasps?", "wasps")
    assert place == "paragraph 8"


def test_headings_lists_and_tables_are_blocks_under_their_headings():
    read = reading("odt", handbook())
    assert blocks(read) == [
        ("heading", "Spring"),
        ("paragraph", "Open the hives on the first warm day."),
        ("heading", "Tools"),
        ("list", "- a smoker\n- a veil"),
        ("table", "Month | Honey\n--- | ---\nJuly | 12 kg"),
        ("heading", "Autumn"),
        ("paragraph", "Reduce the entrance against wasps."),
    ]
    assert read.blocks[4].heading == ("Spring", "Tools")
    assert place_of(read, "July") == "paragraph 6"
    assert (read.title, read.tags, read.date) == ("The beekeeper's handbook", ("bees", "honey"), "2024-05-17")


def test_spaces_tabs_and_breaks_are_what_their_elements_say():
    assert reading(
        "odt", from_xml("<text:p>a<text:s text:c='3'/>b<text:tab/>c<text:line-break/>d\n e</text:p>")
    ).text == ("a   b\tc\nd e\n\n")


def test_an_element_cannot_stand_for_a_million_spaces():
    read = reading("odt", from_xml("<text:p>a<text:s text:c='1000000'/>b</text:p>"))
    assert len(read.text) < 2000


def test_a_note_stands_after_its_paragraph_and_a_comment_nowhere():
    body = "<text:note-body><text:p>See below.</text:p></text:note-body>"
    note = f"<text:note><text:note-citation>1</text:note-citation>{body}</text:note>"
    comment = "<office:annotation><text:p>Really?</text:p></office:annotation>"
    read = reading("odt", from_xml(f"<text:p>It rained{note} all{comment} day.</text:p>"))
    assert blocks(read) == [("paragraph", "It rained all day."), ("paragraph", "See below.")]


def test_what_was_deleted_and_the_table_of_contents_are_left_out():
    deletion = "<text:changed-region><text:deletion><text:p>gone</text:p></text:deletion></text:changed-region>"
    changes = f"<text:tracked-changes>{deletion}</text:tracked-changes>"
    body = "<text:index-body><text:p>Spring 3</text:p></text:index-body>"
    contents = f"<text:table-of-content>{body}</text:table-of-content>"
    assert blocks(reading("odt", from_xml(changes, contents, "<text:p>Here.</text:p>"))) == [("paragraph", "Here.")]


def test_an_encrypted_document_is_refused():
    with ZipFile(BytesIO(handbook())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["META-INF/manifest.xml"] = b"<manifest><file-entry><encryption-data/></file-entry></manifest>"
    assert refusal("odt", zipped(parts)) == "encrypted"


def test_an_archive_that_is_no_opendocument_is_refused():
    assert refusal("odt", zipped({"a.txt": b"text"})) == "no OpenDocument text"
