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
