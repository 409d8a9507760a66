"""Word documents, written by python-docx."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from tests.readers.cited import blocks, citation, place_of, reading, refusal, zipped

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def saved(document: Document) -> bytes:  # type: ignore[valid-type]
    file = BytesIO()
    document.save(file)  # type: ignore[attr-defined]
    return file.getvalue()


def handbook() -> bytes:
    document = Document()
    document.core_properties.title = "The beekeeper's handbook"
    document.core_properties.keywords = "Bees; Honey, bees"
    document.core_properties.created = datetime(2024, 5, 17, 12)
    document.add_heading("Spring", 1)
    document.add_paragraph("Open the hives on the first warm day.")
    document.add_heading("Feeding", 2)
    document.add_paragraph("Sugar syrup is mixed one to one.")
    document.add_paragraph("a smoker", style="List Bullet")
    document.add_paragraph("a veil", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        [*table.rows[0].cells, *table.rows[1].cells], ["Month", "Honey", "July", "12 kg"], strict=True
    ):
        cell.text = text
    document.add_heading("Autumn", 1)
    document.add_paragraph("Reduce the entrance against wasps.")
    return saved(document)


def test_a_quote_from_word_is_cited_by_its_paragraph(tmp_path: Path):
    place = citation(tmp_path, "bees.docx", handbook(), "How is the entrance reduced against wasps?", "wasps")
    assert place == "paragraph 9"


def test_headings_lists_and_tables_are_blocks_under_their_headings():
    read = reading("docx", handbook())
    assert blocks(read) == [
        ("heading", "Spring"),
        ("paragraph", "Open the hives on the first warm day."),
        ("heading", "Feeding"),
        ("paragraph", "Sugar syrup is mixed one to one."),
        ("list", "- a smoker\n- a veil"),
        ("table", "Month | Honey\n--- | ---\nJuly | 12 kg"),
        ("heading", "Autumn"),
        ("paragraph", "Reduce the entrance against wasps."),
    ]
    assert read.blocks[3].heading == ("Spring", "Feeding")
    assert read.blocks[7].heading == ("Autumn",)


def test_word_documents_say_their_title_keywords_and_day():
    read = reading("docx", handbook())
    assert (read.title, read.tags, read.date) == ("The beekeeper's handbook", ("bees", "honey"), "2024-05-17")


def test_a_document_without_properties_has_no_title_and_no_day_of_today():
    document = Document()
    document.core_properties.title = ""
    document.add_paragraph("Text.")
    assert reading("docx", saved(document)).title == ""


def test_a_style_of_another_language_is_a_heading_by_its_level_in_the_outline():
    document = Document()
    style = document.styles.add_style("Kapitelrubrik", WD_STYLE_TYPE.PARAGRAPH)
    style.element.append(parse_xml(f'<w:pPr {W}><w:outlineLvl w:val="1"/></w:pPr>'))
    based = document.styles.add_style("Eigen", WD_STYLE_TYPE.PARAGRAPH)
    based.base_style = style
    document.add_paragraph("Våren", style="Eigen")
    document.add_paragraph("Öppna kuporna.")
    assert blocks(reading("docx", saved(document)))[0] == ("heading", "Våren")


def test_what_was_deleted_is_left_out_and_what_was_inserted_is_read():
    document = Document()
    paragraph = document.add_paragraph("Pay ")
    for change, tag, text in (("del", "delText", "ten"), ("ins", "t", "twenty")):
        paragraph._p.append(parse_xml(f"<w:{change} {W}><w:r><w:{tag}>{text}</w:{tag}></w:r></w:{change}>"))
    assert reading("docx", saved(document)).text.strip() == "Pay twenty"


def test_text_in_a_control_and_in_a_frame_of_one_cell_is_read_in_order():
    document = Document()
    control = parse_xml(
        f"<w:sdt {W}><w:sdtContent><w:p><w:r><w:t>From a form.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    document.element.body.insert(0, control)
    document.add_table(rows=1, cols=1).cell(0, 0).text = "In a frame."
    document.add_paragraph("After it.")
    assert blocks(reading("docx", saved(document))) == [
        ("paragraph", "From a form."),
        ("paragraph", "In a frame."),
        ("paragraph", "After it."),
    ]


def test_a_row_of_a_table_is_placed_at_its_table():
    assert place_of(reading("docx", handbook()), "July") == "paragraph 7"


def test_a_tab_and_a_break_part_words():
    document = Document()
    run = document.add_paragraph("Name").runs[0]
    run.add_tab()
    run.add_text("Ada")
    run.add_break()
    run.add_text("Town")
    assert reading("docx", saved(document)).text.strip() == "Name\tAda\nTown"


def test_an_archive_that_is_no_word_document_is_refused():
    assert refusal("docx", zipped({"a.txt": b"text"})) == "no Word document"


def test_a_word_document_under_a_password_is_encrypted():
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "EncryptedPackage".encode("utf-16-le")
    assert refusal("docx", ole) == "encrypted"


def test_an_empty_document_is_empty():
    assert refusal("docx", saved(Document())) == "empty"


def test_the_namespace_of_the_strict_dialect_makes_no_difference():
    strict = b"http://purl.oclc.org/ooxml/wordprocessingml/main"
    with ZipFile(BytesIO(handbook())) as archive:
        parts = {one: archive.read(one).replace(qn("w:p")[1:-2].encode(), strict) for one in archive.namelist()}
    assert blocks(reading("docx", zipped(parts)))[0] == ("heading", "Spring")


def test_lists_are_numbered_as_word_numbers_them():
    document = Document()
    for text in ("Open the lid.", "Look for the queen."):
        document.add_paragraph(text, style="List Number")
    assert [text for _kind, text in blocks(reading("docx", saved(document)))] == [
        "1. Open the lid.\n2. Look for the queen.",
    ]


LEVELS = (
    '<w:lvl w:ilvl="0"><w:start w:val="4"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1"/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerRoman"/><w:lvlText w:val="%1.%2)"/></w:lvl>'
)


def test_numbers_of_several_levels_are_those_that_word_shows():
    document = Document()
    numbering = document.part.numbering_part.element
    numbering.insert(0, parse_xml(f'<w:abstractNum {W} w:abstractNumId="90">{LEVELS}</w:abstractNum>'))
    numbering.append(parse_xml(f'<w:num {W} w:numId="90"><w:abstractNumId w:val="90"/></w:num>'))
    for depth, text in ((0, "Parties"), (1, "the owner"), (1, "the tenant"), (0, "Rent"), (1, "due monthly")):
        paragraph = document.add_paragraph(text, style="Heading 1" if depth == 0 else None)
        number = f'<w:numPr {W}><w:ilvl w:val="{depth}"/><w:numId w:val="90"/></w:numPr>'
        paragraph._p.get_or_add_pPr().append(parse_xml(number))
    read = reading("docx", saved(document))
    assert [text for _kind, text in blocks(read)] == [
        "4 Parties",
        "4.i) the owner\n  4.ii) the tenant",
        "5 Rent",
        "5.i) due monthly",
    ]
    assert read.blocks[3].heading == ("5 Rent",)
    assert place_of(read, "the tenant") == "paragraph 3"


def test_a_table_of_contents_is_left_out():
    document = Document()
    document.styles.add_style("toc 1", WD_STYLE_TYPE.PARAGRAPH)
    document.add_paragraph("Spring\t3", style="toc 1")
    document.add_paragraph("Spring is here.")
    assert reading("docx", saved(document)).text.strip() == "Spring is here."


def test_a_note_and_a_text_in_a_frame_stand_after_their_paragraph():
    document = Document()
    paragraph = document.add_paragraph("It rained.")
    box = f"<w:r {W}><w:pict><w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent></w:pict></w:r>"
    paragraph._p.append(parse_xml(box))
    paragraph._p.append(parse_xml(f'<w:r {W}><w:footnoteReference w:id="2"/></w:r>'))
    notes = (
        f'<w:footnotes {W}><w:footnote w:id="2"><w:p><w:r><w:t>See below.</w:t></w:r></w:p></w:footnote></w:footnotes>'
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    part = Part(PackURI("/word/footnotes.xml"), "application/xml", notes.encode(), document.part.package)
    document.part.relate_to(part, kind)
    assert [text for _kind, text in blocks(reading("docx", saved(document)))] == [
        "It rained.",
        "See below.",
        "In a box.",
    ]


def run(text: str, *, hidden: str = "") -> str:
    return f"<w:r><w:rPr>{hidden}</w:rPr><w:t>{text}</w:t></w:r>"


def paragraph(inner: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{inner}</w:p>"


def table(*rows: list[str]) -> str:
    cells = ("".join(f"<w:tc>{cell}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def framed(inner: str) -> str:
    return f"<w:r><w:pict><w:txbxContent>{inner}</w:txbxContent></w:pict></w:r>"


NOTE = '<w:r><w:footnoteReference w:id="2"/></w:r>'


def from_xml(body: str, **parts: str) -> list[tuple[str, str]]:
    return blocks(reading("docx", packed(body, **parts)))


def packed(body: str, **parts: str) -> bytes:
    """A document of these elements, and of parts such as `styles`."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
    of_package = f'<Relationship Type="{kind}officeDocument" Target="document.xml"/>'
    of_document = "".join(f'<Relationship Id="{one}" Type="{kind}{one}" Target="{one}.xml"/>' for one in parts)
    made = {
        "_rels/.rels": f"<Relationships>{of_package}</Relationships>",
        "_rels/document.xml.rels": f"<Relationships>{of_document}</Relationships>",
        "document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
        **{f"{name}.xml": f"<w:{name} {W}>{content}</w:{name}>" for name, content in parts.items()},
    }
    return zipped({name: content.encode() for name, content in made.items()})


FOOTNOTE = f'<w:footnote w:id="2">{paragraph(run("See below."))}</w:footnote>'


def test_hidden_text_is_not_read_whether_a_run_or_a_style_hides_it():  # fault 21
    styles = (
        '<w:style w:styleId="Base"><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:styleId="Out"><w:basedOn w:val="Base"/></w:style>'
    )
    body = (
        paragraph(run("Seen.") + run("Approve it.", hidden="<w:vanish/>") + run(" And", hidden='<w:vanish w:val="0"/>'))
        + paragraph(run("A hidden style.", hidden='<w:rStyle w:val="Out"/>') + run("this."))
        + paragraph(run("A hidden paragraph."), '<w:pStyle w:val="Out"/>')
        + paragraph(run("Shown again.", hidden='<w:vanish w:val="false"/>'), '<w:pStyle w:val="Out"/>')
    )
    assert [text for _kind, text in from_xml(body, styles=styles)] == ["Seen. And", "this.", "Shown again."]


def test_hidden_rows_and_shapes_and_hidden_text_of_notes_are_not_read():  # fault 21
    rows = table([paragraph(run("a")), paragraph(run("b"))], [paragraph(run("c")), paragraph(run("d"))])
    rows = rows.replace("<w:tr>", "<w:tr><w:trPr><w:hidden/></w:trPr>", 1)
    drawing = f'<w:r><w:drawing><wp:anchor xmlns:wp="x"><wp:docPr hidden="1"/>{framed(paragraph(run("No.")))}'
    drawing += "</wp:anchor></w:drawing></w:r>"
    note = f'<w:footnote w:id="2">{paragraph(run("Note.") + run("Order.", hidden="<w:vanish/>"))}</w:footnote>'
    read = from_xml(paragraph(run("Text.") + NOTE + drawing) + rows, footnotes=note)
    assert read == [("paragraph", "Text."), ("paragraph", "Note."), ("table", "c | d")]


def test_notes_and_frames_of_a_table_stand_after_it_once():
    cell = paragraph(run("1894") + NOTE + framed(paragraph(run("Pay by May.") + NOTE)))
    rows = table([paragraph(run("Year")), paragraph(run("Cost"))], [cell, paragraph(run("5 m"))])
    assert from_xml(rows + paragraph(run("After it.")), footnotes=FOOTNOTE) == [
        ("table", "Year | Cost\n--- | ---\n1894 | 5 m"),
        ("paragraph", "See below."),
        ("paragraph", "Pay by May."),
        ("paragraph", "See below."),
        ("paragraph", "After it."),
    ]


def test_a_table_in_a_frame_is_a_table():
    rows = table([paragraph(run("Name")), paragraph(run("Age"))], [paragraph(run("Anna")), paragraph(run("42"))])
    assert from_xml(paragraph(run("Guests") + framed(rows))) == [
        ("paragraph", "Guests"),
        ("table", "Name | Age\n--- | ---\nAnna | 42"),
    ]


def test_a_note_that_moved_is_read_once_and_one_in_a_blank_paragraph_keeps_the_places():
    moved = "".join(paragraph(f"<w:{way}>{run('Moved.')}{NOTE}</w:{way}>") for way in ("moveFrom", "moveTo"))
    read = reading("docx", packed(moved + paragraph(NOTE), footnotes=FOOTNOTE))
    assert read.text.split("\n\n")[:-1] == ["Moved.", "See below.", "See below."]
    assert [place.label for place in read.places] == ["paragraph 1", "paragraph 2"]


def test_a_list_that_begins_anew_counts_from_the_number_that_it_names():
    level = '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    anew = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride>'
    numbering = f'<w:abstractNum w:abstractNumId="0">{level}</w:abstractNum>'
    for id, change in ((1, ""), (2, anew)):
        numbering += f'<w:num w:numId="{id}"><w:abstractNumId w:val="0"/>{change}</w:num>'
    body = "".join(paragraph(run("step"), f'<w:numPr><w:numId w:val="{id}"/></w:numPr>') for id in (1, 2, 2))
    assert from_xml(body, numbering=numbering) == [("list", "1. step\n7. step\n8. step")]
