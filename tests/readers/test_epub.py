"""Books, written by ebooklib."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from ebooklib import epub

from tests.readers.cited import blocks, citation, place_of, reading, refusal, zipped

STORM = "<h1>The storm</h1><p>On the third night the mast broke off at the deck.</p>"
HARBOUR = "<p>The pilot came aboard at dawn, and brought the mail.</p>"


def book() -> bytes:
    made = epub.EpubBook()
    made.set_identifier("x")
    made.set_title("A voyage north")
    made.set_language("en")
    made.add_metadata("DC", "subject", "Sailing")
    made.add_metadata("DC", "subject", "Arctic")
    made.add_metadata("DC", "date", "1894-06-01")
    chapters = []
    for n, (title, body) in enumerate([("The storm", STORM), ("In harbour", HARBOUR)]):
        chapter = epub.EpubHtml(title=title, file_name=f"text/part {n}.xhtml", lang="en")
        chapter.content = f"<html><body>{body}</body></html>"
        made.add_item(chapter)
        chapters.append(chapter)
    made.toc = chapters
    made.add_item(epub.EpubNcx())
    made.add_item(epub.EpubNav())
    made.spine = ["nav", *chapters]
    file = BytesIO()
    epub.write_epub(file, made)
    return file.getvalue()


def book_of(contents: str, *pages: str) -> bytes:
    """A book of pages `0.xhtml`, `1.xhtml` and so on, with the list of its table of contents."""
    listed = (
        f'<html><body><nav epub:type="toc" xmlns:epub="http://www.idpf.org/2007/ops">{contents}</nav></body></html>'
    )
    made = {f"{n}.xhtml": f"<html><body>{page}</body></html>" for n, page in enumerate(pages)} | {"nav.xhtml": listed}
    kind = 'media-type="application/xhtml+xml"'
    manifest = "".join(f'<item id="i{n}" href="{n}.xhtml" {kind}/>' for n in range(len(pages)))
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(pages)))
    package = f"""<package><metadata/><manifest><item id="nav" href="nav.xhtml" properties="nav" {kind}/>{manifest}
        </manifest><spine>{spine}</spine></package>"""
    made["META-INF/container.xml"] = '<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>'
    return zipped({name: content.encode() for name, content in {**made, "a.opf": package}.items()})


def entry(title: str, reference: str, *below: str) -> str:
    inner = f"<ol>{''.join(below)}</ol>" if below else ""
    return f'<li><a href="{reference}">{title}</a>{inner}</li>'


def parts() -> dict[str, bytes]:
    with ZipFile(BytesIO(book())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def locked(algorithm: str) -> bytes:
    method = f'<EncryptedData><EncryptionMethod Algorithm="{algorithm}"/></EncryptedData>'
    return zipped(parts() | {"META-INF/encryption.xml": f"<encryption>{method}</encryption>".encode()})


def test_a_quote_from_a_book_is_cited_by_its_chapter(tmp_path: Path):
    place = citation(tmp_path, "voyage.epub", book(), "When did the pilot come aboard?", "pilot")
    assert place == "In harbour"


def test_chapters_are_read_in_order_under_their_titles_and_the_contents_are_left_out():
    read = reading("epub", book())
    assert blocks(read) == [
        ("heading", "The storm"),
        ("paragraph", "On the third night the mast broke off at the deck."),
        ("paragraph", "The pilot came aboard at dawn, and brought the mail."),
    ]
    assert [block.heading for block in read.blocks] == [("The storm",), ("The storm",), ("In harbour",)]
    assert place_of(read, "mast") == "The storm"
    assert (read.title, read.tags, read.date) == ("A voyage north", ("arctic", "sailing"), "1894-06-01")


def test_a_book_that_is_locked_is_refused_and_one_whose_fonts_are_hidden_is_not():
    assert refusal("epub", locked("http://www.w3.org/2001/04/xmlenc#aes128-cbc")) == "encrypted"
    assert "pilot" in reading("epub", locked("http://www.idpf.org/2008/embedding")).text


def test_a_chapter_that_the_archive_lacks_is_passed_over():
    left = {name: content for name, content in parts().items() if not name.endswith("0.xhtml")}
    assert "pilot" in reading("epub", zipped(left)).text


def test_a_chapter_outside_of_the_archive_is_not_looked_for(tmp_path: Path):
    (tmp_path / "secret.xhtml").write_text("<p>secret</p>")
    changed = {
        name: content.replace(b"text/part%200", b"../../../.." + bytes(tmp_path) + b"/secret")
        for name, content in parts().items()
    }
    changed = {
        name: content.replace(b"text/part 0", b"../../../.." + bytes(tmp_path) + b"/secret")
        for name, content in changed.items()
    }
    assert "secret" not in reading("epub", zipped(changed)).text


@pytest.mark.parametrize("missing", ["META-INF/container.xml", "EPUB/content.opf"])
def test_an_archive_without_a_package_is_no_book(missing: str):
    assert refusal("epub", zipped({name: content for name, content in parts().items() if name != missing})) == "no EPUB"


# fault 22
def test_an_entity_in_a_chapter_is_forbidden():
    entity = (
        b'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/hostname">]><html><body>&x;</body></html>'
    )
    assert refusal("epub", zipped(parts() | {"EPUB/text/part 0.xhtml": entity})) == "forbidden XML entity"


def test_the_head_and_the_notes_of_a_chapter_are_read():
    aside = '<aside epub:type="footnote"><p>It was opened in 1894.</p></aside>'
    page = f"<header><h1>The bridge</h1></header><p>{HARBOUR * 9}</p>{aside}<footer>Written at sea.</footer>"
    read = reading("epub", book_of("", page))
    assert blocks(read)[0] == ("heading", "The bridge")
    assert blocks(read)[-2:] == [("paragraph", "It was opened in 1894."), ("paragraph", "Written at sea.")]
    assert {block.heading for block in read.blocks} == {("The bridge",)}


CHAPTERS = """<p>Foreword.</p><h2><a id="one"></a>The storm</h2><p>The mast broke.</p>
    <section id="two"><p>The pilot came.</p></section><p>A page <a name="three"/>ends.</p><p>Mail was read.</p>"""
LISTED = "".join(entry(f"Chapter {n}", f"0.xhtml#{id}") for n, id in enumerate(("one", "two", "three"), start=1))


def test_chapters_that_share_a_file_are_cited_each_by_its_own_title():
    read = reading("epub", book_of(LISTED, CHAPTERS, "<p>The rest of it.</p>"))
    where = {words: place_of(read, words) for words in ("The storm", "mast", "pilot", "ends", "Mail", "rest")}
    assert where == {
        "The storm": "Chapter 1",
        "mast": "Chapter 1",
        "pilot": "Chapter 2",
        "ends": "Chapter 3",
        "Mail": "Chapter 3",
        "rest": "Chapter 3",
    }


def test_a_file_may_begin_with_the_end_of_the_chapter_before():
    listed = entry("The storm", "0.xhtml") + entry("In harbour", "1.xhtml#b")
    read = reading("epub", book_of(listed, STORM, '<p>It rained.</p><p id="b">The pilot came.</p>'))
    assert (place_of(read, "rained"), place_of(read, "pilot")) == ("The storm", "In harbour")
    assert [block.heading for block in read.blocks][-1] == ("In harbour",)


def test_an_entry_for_what_is_not_in_its_file_names_the_file():
    assert place_of(reading("epub", book_of(entry("In harbour", "0.xhtml#gone"), HARBOUR)), "pilot") == "In harbour"


def test_a_chapter_is_cited_with_the_part_it_stands_in():
    listed = (
        entry("Part One", "0.xhtml", entry("I", "0.xhtml#a"))
        + f"<li><span>Two</span><ol>{entry('I', '1.xhtml')}</ol></li>"
    )
    read = reading("epub", book_of(listed, f'<p>Of ice.</p><div id="a">{STORM}</div>', HARBOUR))
    assert [place_of(read, words) for words in ("ice", "mast", "pilot")] == ["Part One", "Part One > I", "Two > I"]
    assert read.blocks[-1].heading == ("Two", "I")
