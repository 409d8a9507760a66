"""Documents whose text is extracted, from the index to the citation; and the filter, with the real embedder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from fpdf import FPDF

from tests.conftest import BREAD, LIGHTHOUSE, Ragqa, home_with

pytestmark = pytest.mark.model
CRANE = "The crane of the harbour was rebuilt in 1957 after the great storm."
REBUILT = "When was the crane of the harbour rebuilt?"
PAGES = ("The harbour has four docks and a wall of stone.", "Fish is sold from six in the morning.", CRANE)


def write_pdf(path: Path, pages: Sequence[str]) -> None:
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    for text in pages:
        pdf.add_page()
        pdf.multi_cell(0, 8, text)
    pdf.output(str(path))


@pytest.fixture(scope="module")
def harbour(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Ragqa:
    """A PDF of three pages, a table and two notes, indexed. The PDF may be written anew."""
    folder = tmp_path_factory.mktemp("harbour")
    (folder / "work").mkdir()
    ragqa = Ragqa(home_with(models, folder / "home"), folder / "work")
    ragqa.write("papers/members.csv", "name,joined,boat\nAnna,2019,Sea Rose\nBram,2021,Grey Heron\n")
    ragqa.write("notes/light.md", f"---\ntags: [sea]\n---\n# The light\n\n{LIGHTHOUSE}")
    ragqa.write("notes/bread.md", BREAD)
    write_pdf(folder / "work" / "papers" / "harbour.pdf", PAGES)
    done = ragqa("index", "papers", "notes")
    assert (done.code, done.out.partition(",")[0]) == (0, "indexed 4")
    return ragqa


def test_an_answer_from_a_pdf_cites_the_page(harbour: Ragqa):
    done = harbour("ask", REBUILT, "--quotes", "--no-log")
    assert (done.code, done.out.splitlines()[-1]) == (0, "[1] papers/harbour.pdf, page 3")
    (evidence,) = harbour("ask", REBUILT, "--quotes", "--json", "--no-log").json["evidence"]
    assert (evidence["page"], evidence["quote"]) == (3, CRANE)
    assert evidence["place"] == {"kind": "page", "number": 3, "name": "", "label": "page 3"}


def test_a_row_of_a_table_is_cited_with_its_line(harbour: Ragqa):
    out = harbour("ask", "Which boat does Bram have?", "--quotes", "--no-log").out
    assert "papers/members.csv:3, row " in out


def test_a_search_says_pages_and_csv_has_their_label(harbour: Ragqa):
    (hit,) = harbour("search", "harbour crane", "-n", "1", "--nl").lines
    assert (hit["path"], hit["page"]) == ("papers/harbour.pdf", 1)
    assert hit["place"]["label"] == "pages 1-3"
    assert "pages 1-3" in harbour("search", "harbour crane", "-n", "1", "--csv").out
    assert harbour("search", "harbour crane", "-n", "1").out.startswith(" 1  papers/harbour.pdf, pages 1-3\n")


def test_counting_and_the_history_say_the_page(harbour: Ragqa):
    done = harbour("How many documents mention the crane?", env={"RAGQA_LOG": "1"})
    assert "papers/harbour.pdf, page 3 (1 passage)" in done.out
    assert harbour("logs", "-n", "1").out.endswith("[1] papers/harbour.pdf, page 3\n")
    (source,) = harbour("logs", "-n", "1", "--json").json[0]["sources"]
    assert source["place"]["label"] == "page 3"


def test_a_quote_that_is_on_another_page_now_says_so(harbour: Ragqa):
    path = harbour.cwd / "papers" / "harbour.pdf"
    before = path.read_bytes()
    try:
        write_pdf(path, ["A new preface.", *PAGES])
        out = harbour("ask", REBUILT, "--quotes", "--no-log").out
        assert "[1] papers/harbour.pdf, page 4 (moved: was page 3 when indexed)" in out
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        (["type:pdf"], {"harbour.pdf"}),
        (["tag:sea"], {"light.md"}),
        (["notes"], {"light.md", "bread.md"}),
        (["*.md", "type:md"], {"light.md", "bread.md"}),
        (["light.md", "members.csv"], {"light.md", "members.csv"}),
    ],
)
def test_a_search_sees_only_what_fulfils_the_filter(harbour: Ragqa, terms: list[str], found: set[str]):
    options = [word for term in terms for word in ("--where", term)]
    lines = harbour("search", "harbour crane", *options, "--nl").lines
    assert {Path(line["path"]).name for line in lines} == found


def test_what_is_asked_of_other_documents_is_not_answered(harbour: Ragqa):
    done = harbour("ask", REBUILT, "--where", "notes", "--quotes", "--json")
    assert (done.code, done.json["status"], done.json["read"]["of_documents"]) == (4, "abstained", 2)
    assert harbour("logs", "-n", "1", "--json").json[0]["where"] == ["notes"]


def test_a_chat_asks_what_was_chosen_on_the_command_line_or_later(harbour: Ragqa):
    typed = f"{REBUILT}\n/where type:pdf\n{REBUILT}\n"
    out = harbour("chat", "--where", "notes", "--quotes", "--no-log", stdin=typed).out
    assert out.startswith("These documents do not answer that.")
    assert out.rstrip().endswith("[1] papers/harbour.pdf, page 3")
