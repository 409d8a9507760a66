"""PDF, written by fpdf2 and, where it is hostile, by hand."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from ragqa.errors import BadInput
from ragqa.read.apart import Child
from tests.readers.cited import apart, blocks, citation, place_of, reading, refusal

NEXT = {"new_x": XPos.LMARGIN, "new_y": YPos.NEXT}
FILLER = "The tide comes in twice a day and the harbour master writes it down in the long ledger of the port. "


class Report(FPDF):
    """With a running head, and numbered pages."""

    def header(self) -> None:
        self.set_font("Helvetica", size=8)
        self.cell(0, 5, "Annual report of the port", **NEXT)

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font("Helvetica", size=8)
        self.cell(0, 5, f"Page {self.page_no()} of 5", align="C")


def report() -> bytes:
    made = Report()
    made.set_title("The port in 2024")
    made.set_keywords("Harbour, tides")
    made.set_creation_date(datetime(2024, 5, 17, tzinfo=UTC))
    for number, said in enumerate(["dredging began", "a crane arrived", "the quay was raised", "storms", "ice"], 1):
        made.add_page()
        made.set_font("Helvetica", style="B", size=16)
        made.start_section(f"Chapter {number}")
        made.cell(0, 12, f"Chapter {number}", **NEXT)
        made.set_font("Helvetica", size=11)
        made.multi_cell(0, 6, f"In quarter {number} {said}. {FILLER * 3}", **NEXT)
        made.ln(6)
        made.multi_cell(0, 6, FILLER * 2, **NEXT)
    return bytes(made.output())


def typeset(*lines: tuple[float, float, str], size: float = 11) -> bytes:
    """A page with lines at places of its own, in millimetres."""
    made = FPDF()
    made.add_page()
    made.set_font("Helvetica", size=size)
    for x, y, text in lines:
        made.text(x, y, text)
    return bytes(made.output())


def column(x: float, y: float, text: str, step: float = 5) -> list[tuple[float, float, str]]:
    return [(x, y + n * step, line) for n, line in enumerate(text.split("\n"))]


def by_hand(*objects: bytes) -> bytes:
    """A file of numbered objects, the first of which is its catalogue."""
    out, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return out + head + table + b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))


def stream(content: bytes) -> bytes:
    packed = zlib.compress(content, 9)
    return b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(packed), packed)


def pages(content: bytes, number: int = 1) -> bytes:
    """A file whose pages all have the same content."""
    kids = b" ".join(b"%d 0 R" % n for n in range(5, 5 + number))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 3 0 R>>>>>>"
    return by_hand(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, number),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        stream(content),
        *[page] * number,
    )


def texts(content: bytes) -> list[str]:
    return [text for _kind, text in blocks(reading("pdf", content))]


def test_a_quote_from_a_pdf_is_cited_by_its_page(tmp_path: Path):
    assert citation(tmp_path, "port.pdf", report(), "When was the quay raised?", "quay was raised") == "page 3"


def test_the_outline_makes_the_headings_and_running_heads_and_page_numbers_are_left_out():
    read = reading("pdf", report())
    assert blocks(read)[:3] == [
        ("heading", "Chapter 1"),
        ("paragraph", f"In quarter 1 dredging began. {FILLER * 3}".strip()),
        ("paragraph", (FILLER * 2).strip()),
    ]
    assert "Annual report" not in read.text
    assert "Page" not in read.text
    assert read.blocks[-1].heading == ("Chapter 5",)


def test_a_pdf_says_its_title_keywords_and_day():
    read = reading("pdf", report())
    assert (read.title, read.tags, read.date) == ("The port in 2024", ("harbour", "tides"), "2024-05-17")


def test_a_section_of_the_outline_whose_title_stands_nowhere_is_a_heading_all_the_same():
    made = FPDF()
    made.add_page()
    made.set_font("Helvetica", size=11)
    made.start_section("Overture")
    made.multi_cell(0, 6, FILLER)
    read = reading("pdf", bytes(made.output()))
    assert [(block.kind, block.heading) for block in read.blocks] == [("paragraph", ("Overture",))]


def test_without_an_outline_large_type_makes_headings():
    made = FPDF()
    made.add_page()
    for size, text in ((20, "Tides"), (11, FILLER * 3), (15, "Neap tides"), (11, FILLER * 3)):
        made.set_font("Helvetica", size=size)
        made.multi_cell(0, 8, text, **NEXT)
    read = reading("pdf", bytes(made.output()))
    assert [block.kind for block in read.blocks] == ["heading", "paragraph", "heading", "paragraph"]
    assert read.blocks[3].heading == ("Tides", "Neap tides")


LEFT = "The first column speaks of the\nlong bridges and of the rivers\nthat they cross in the north."
RIGHT = "The second column begins here\nand tells of harbours, of ships\nand of the tides of the sea."


@pytest.mark.parametrize("by_rows", [True, False])
def test_two_columns_are_read_one_after_the_other(by_rows: bool):
    lines = column(15, 40, LEFT) + column(110, 40, RIGHT)
    whole = [(15.0, 30.0, "A title that stands over both of the columns of this page and is wide")]
    read = texts(typeset(*whole, *(sorted(lines, key=lambda line: line[1]) if by_rows else lines)))
    assert read == [whole[0][2], LEFT.replace("\n", " "), RIGHT.replace("\n", " ")]


def test_cells_that_stand_side_by_side_are_a_table_by_rows():
    cells = [
        (15, 30, "Month"),
        (60, 30, "Rain"),
        (15, 36, "March"),
        (60, 36, "12 mm"),
        (15, 42, "April"),
        (60, 42, "9 mm"),
    ]
    assert blocks(reading("pdf", typeset(*cells))) == [("table", "Month | Rain\nMarch | 12 mm\nApril | 9 mm")]


def test_a_wider_gap_an_indent_or_a_bullet_begins_a_paragraph():
    lines = [
        (20, 30, "The first paragraph has two lines of text that go all the way"),
        (20, 35, "to the right, and is followed by a wider gap than others are"),
        (20, 45, "The second paragraph comes after that gap and goes on as well"),
        (20, 50, "to the right of the page, and is followed by an indented line"),
        (26, 55, "The third paragraph is indented in its first line and goes on"),
        (20, 60, "to the right of the page, where it is followed by some bullets"),
        (20, 65, "- one"),
        (20, 70, "- two"),
    ]
    made = texts(typeset(*lines))
    assert [one.split(" paragraph")[0] for one in made] == ["The first", "The second", "The third", "- one\n- two"]


def test_words_divided_at_the_end_of_a_line_are_made_whole_and_real_hyphens_stay():
    text = "For exam-\nple, a well-\nknown bridge by Jean-\nPaul, open-\nsource as all that is open-source"
    assert texts(typeset(*column(20, 30, text))) == [
        "For example, a well-known bridge by Jean-Paul, open-source as all that is open-source"
    ]


def in_fonts(*lines: tuple[str, float, float, str]) -> bytes:
    made = FPDF()
    made.add_page()
    for font, x, y, text in lines:
        made.set_font(font, size=11)
        made.text(x, y, text)
    return bytes(made.output())


def test_type_of_one_width_is_code_with_its_lines_and_indents():
    prose = [("Helvetica", 20, 30 + 5 * n, FILLER[:80]) for n in range(3)]
    code = [("Courier", 20, 50, "for port in ports:"), ("Courier", 29.31, 55, "open(port)")]
    assert blocks(reading("pdf", in_fonts(*prose, *code)))[1] == ("code", "for port in ports:\n    open(port)")


def test_a_text_that_is_all_typewritten_is_prose():
    lines = in_fonts(("Courier", 20, 30, "The tide comes in"), ("Courier", 20, 35, "twice a day."))
    assert blocks(reading("pdf", lines)) == [("paragraph", "The tide comes in twice a day.")]


def on_pages(*texts: Sequence[tuple[float, float, str]]) -> bytes:
    made = FPDF()
    made.set_font("Helvetica", size=11)
    for lines in texts:
        made.add_page()
        for x, y, text in lines:
            made.text(x, y, text)
    return bytes(made.output())


def test_lines_of_a_table_of_contents_are_left_out():
    titles = ["1 Tides", "2 Storms of the north", "3 Ice"]
    contents = [(20.0, 100.0 + 6 * n, f"{title} {'. ' * 20}{n + 12}") for n, title in enumerate(titles)]
    dots = [(20, 160, "Dots may trail off ... and then go on in 12 words.")]
    read = texts(on_pages([*contents, *dots], *([(20, 80, title), (20, 99, FILLER[:80])] for title in titles)))
    assert " ".join(read) == " ".join([dots[0][2], *(f"{title} {FILLER[:80].strip()}" for title in titles)])


@pytest.mark.parametrize("pages", [1, 30])
def test_dots_that_lead_to_a_price_or_to_a_blank_are_no_contents(pages: int):
    prices = [
        ("Parking", "5"),
        ("Dog", "8"),
        ("Breakfast", "12"),
        ("Name:", ""),
        ("I accept the contract of 3 May", ""),
    ]
    lines = [(20.0, 60.0 + 12 * n, f"{text} {'.' * 30} {price}".strip()) for n, (text, price) in enumerate(prices)]
    more = [[(20.0, 60.0, "Breakfast is served until ten.")] for _page in range(pages - 1)]
    assert " ".join(texts(on_pages(lines, *more))).startswith(" ".join(text for _x, _y, text in lines))


def test_a_bare_number_of_a_page_is_left_out_and_a_year_is_not():
    lines = [(20, 10, "1894"), (20, 80, "was the year in which the bridge opened."), (20, 290, "42")]
    assert texts(on_pages(lines)) == ["1894 was the year in which the bridge opened."]


def test_page_numbers_of_four_digits_are_left_out_where_they_count():
    made = on_pages(*([(20, 10, f"{number}"), (20, 80, FILLER[:80])] for number in range(1202, 1205)))
    assert texts(made) == [FILLER[:80].strip()] * 3


# fault 21
@pytest.mark.parametrize("turn", [b"", b"/Rotate 90"])
def test_text_outside_the_page_is_left_out(turn: bytes):
    said = [(50, 700, b"Seen."), (-300, 600, b"Left of it."), (50, 900, b"Over it."), (50, 40, b"Cut away.")]
    drawn = b" ".join(b"1 0 0 1 %d %d Tm (%b) Tj" % one for one in said)
    box = b"/MediaBox[0 0 600 800]"
    content = pages(b"BT /F 12 Tf " + drawn + b" ET").replace(
        box, b"/MediaBox[0 0 600 800]/CropBox[0 100 600 800]" + turn
    )
    assert texts(content) == ["Seen."]


def test_a_head_on_two_pages_runs_and_titles_of_chapters_do_not():
    made = FPDF()
    for head, chapter in (("The port", "Chapter 4"), ("The port", "Chapter 5"), ("", "Chapter 7"), ("", "Chapter 9")):
        made.add_page()
        made.set_font("Helvetica", size=11)
        made.text(20, 12, head)
        made.text(20, 20, chapter)
        made.text(20, 80, FILLER[:80])
    read = reading("pdf", bytes(made.output()))
    assert "The port" not in read.text
    assert all(f"Chapter {n}" in read.text for n in (4, 5, 7, 9))


def test_a_paragraph_that_goes_on_on_the_next_page_is_one_and_each_part_is_cited_by_its_page():
    made = FPDF()
    made.set_font("Helvetica", size=11)
    for part in ("On the last day of March the harbour mas-", "ter closed the ledger."):
        made.add_page()
        made.text(20, 100, part)
    read = reading("pdf", bytes(made.output()))
    assert blocks(read) == [("paragraph", "On the last day of March the harbour master closed the ledger.")]
    assert (place_of(read, "March"), place_of(read, "ledger")) == ("page 1", "page 2")


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_on_its_side_is_read_as_one_that_stands(turn: int):
    made = FPDF()
    made.add_page()
    made.set_font("Helvetica", size=11)
    with made.rotation(turn, 100, 150):
        made.text(60, 150, "The first line of the page")
        made.text(60, 155, "and the second one of it.")
    assert texts(bytes(made.output())) == ["The first line of the page and the second one of it."]


def test_pages_without_text_are_counted():
    made = FPDF()
    made.add_page()
    made.set_font("Helvetica", size=11)
    made.text(20, 30, "Only the first page was typed.")
    made.add_page()
    assert reading("pdf", bytes(made.output())).notes == ("1 of 2 pages without text",)


# fault 26
def test_a_pdf_without_any_text_is_probably_a_scan():
    made = FPDF()
    made.add_page()
    assert refusal("pdf", bytes(made.output())) == "no text layer (a scan?)"


# fault 26
@pytest.mark.parametrize(("password", "why"), [("secret", "encrypted, a password is wanted"), (None, "")])
def test_a_pdf_under_a_password_is_refused_and_one_without_is_opened(password: str | None, why: str):
    made = FPDF()
    made.set_encryption(owner_password="owner", user_password=password)
    made.add_page()
    made.set_font("Helvetica", size=11)
    made.text(20, 30, "A text for some eyes.")
    content = bytes(made.output())
    assert (refusal("pdf", content) if why else texts(content)) == (why or ["A text for some eyes."])


# fault 26
@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"no such file at all", report()[:700]])
def test_a_truncated_pdf_is_damaged(content: bytes):
    assert refusal("pdf", content) == "damaged"


# fault 26
def test_an_escape_in_the_text_of_a_pdf_stays_text():
    assert "\x1b[2Jgone" in reading("pdf", pages(b"BT /F 12 Tf 50 700 Td (Here \\033[2Jgone) Tj ET")).text


# fault 26
@pytest.mark.parametrize("kids", [b"2 0 R", b"3 0 R 3 0 R"])
def test_a_tree_of_pages_that_leads_back_to_itself_ends(kids: bytes):
    content = by_hand(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%b]/Count 1000>>" % kids,
        b"<</Type/Pages/Kids[2 0 R]/Count 1000>>",
    )
    with Child() as child, pytest.raises(BadInput):
        apart("a.pdf", content, child)


def outcome(content: bytes, child: Child) -> str:
    """Why it is not read, or nothing."""
    try:
        apart("a.pdf", content, child)
    except BadInput as error:
        return error.reason
    return ""


# fault 26
def test_a_stream_that_expands_to_half_a_gigabyte_costs_its_own_file_only():
    packer, mark = zlib.compressobj(9), stream(b"")
    packed = packer.compress(b"BT /F 12 Tf 50 700 Td (here) Tj ET")
    packed += b"".join(packer.compress(b" " * 2**20) for _ in range(512)) + packer.flush()
    bomb = pages(b"").replace(mark, b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(packed), packed))
    with Child() as child:
        assert apart("a.pdf", bomb, child).text.strip() == "here"
        assert outcome(report(), child) == ""


# fault 25
def test_pages_that_share_one_long_stream_are_all_read_in_time():
    shared = pages(b"BT /F 1 Tf " + b"1 0 0 1 50 700 Tm (x) Tj " * 20_000 + b"ET", 50)
    assert len(shared) < 20_000
    with Child() as child:
        assert outcome(shared, child) == ""


def test_pages_are_placed_in_their_order():
    numbers = [place.number for place in reading("pdf", report()).places]
    assert numbers == sorted(numbers)
    assert set(numbers) == {1, 2, 3, 4, 5}
