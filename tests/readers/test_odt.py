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


STYLE = (
    '<style:style style:name="%s" style:family="%s" style:parent-style-name="%s">'
    '<style:text-properties text:display="%s"/></style:style>'
)


def from_parts(body: str, own: str = "", named: str = "") -> list[tuple[str, str]]:
    """The blocks of a document with these elements, styles of its own and named ones."""
    kinds = {"office": "office", "text": "text", "draw": "drawing", "table": "table", "style": "style"}
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{kind}:1.0"' for name, kind in kinds.items()
    )
    text = f"<office:automatic-styles>{own}</office:automatic-styles>"
    text += f"<office:body><office:text>{body}</office:text></office:body>"
    parts = {"content.xml": text, "styles.xml": f"<office:styles>{named}</office:styles>"}
    return blocks(reading("odt", zipped({k: f"<office:d {spaces}>{v}</office:d>".encode() for k, v in parts.items()})))


def test_hidden_text_sections_fields_and_paragraphs_are_not_read():  # fault 21
    field = "<text:hidden-text text:is-hidden='%s'>field</text:hidden-text>"
    body = (
        f"<text:p>Seen<text:span text:style-name='T1'> approve it</text:span>, {field % 'true'}too.</text:p>"
        "<text:section text:display='none'><text:p>In a hidden section.</text:p></text:section>"
        "<text:p><text:span><text:hidden-paragraph text:is-hidden='true'/></text:span>A hidden paragraph.</text:p>"
        "<text:h text:outline-level='1' text:style-name='P1'>By the style below its own</text:h>"
        "<text:p text:style-name='T1'>A paragraph's style of that name.</text:p>"
        f"<text:p text:style-name='P2'>Shown again: {field % 'false'}</text:p>"
    )
    own = STYLE % ("T1", "text", "", "none") + STYLE % ("P2", "paragraph", "Out", "true")
    own += '<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Out"/>'
    assert from_parts(body, own, STYLE % ("Out", "paragraph", "", "none")) == [
        ("paragraph", "Seen, too."),
        ("paragraph", "A paragraph's style of that name."),
        ("paragraph", "Shown again: field"),
    ]


FRAME = "<draw:frame><draw:text-box><text:p>In a frame.</text:p></draw:text-box></draw:frame>"


def test_a_frame_of_the_page_is_read_and_shapes_stand_after_their_paragraph():
    shape = "<draw:g><draw:custom-shape><text:p>One.</text:p><text:p>Two.</text:p></draw:custom-shape></draw:g>"
    hidden = shape.replace("<draw:g", "<draw:g draw:display='none'")
    assert from_parts(f"{FRAME}<text:p>Before {shape}{hidden}and after.</text:p>") == [
        ("paragraph", "In a frame."),
        ("paragraph", "Before and after."),
        ("paragraph", "One."),
        ("paragraph", "Two."),
    ]


def test_notes_and_frames_of_a_table_stand_after_it():
    note = "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Note.</text:p>"
    note += f"</text:note-body></text:note>{FRAME}"
    rows = (("Year", "Cost"), (f"1894{note}", "5 m"))
    cells = ("".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in row) for row in rows)
    table = "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)
    assert from_parts(f"<table:table>{table}</table:table><text:p>After it.</text:p>") == [
        ("table", "Year | Cost\n--- | ---\n1894 | 5 m"),
        ("paragraph", "Note."),
        ("paragraph", "In a frame."),
        ("paragraph", "After it."),
    ]
