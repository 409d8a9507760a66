"""Quotes against their files as they are now."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ragqa.read.freshness as freshness
from ragqa.document import Block, DocumentRecord, Place
from ragqa.read.freshness import cite, line_of
from ragqa.read.reading import Reading
from ragqa.types import Citation, Evidence
from tests.fakes import document, evidence

QUOTE = "The bridge opened in 1894."
TEXT = f"# Bridge\n\n{QUOTE} It is red.\n"


def indexed(path: Path, text: str) -> DocumentRecord:
    one = document(text)
    return DocumentRecord(one.id, path, one.collection, one.sha256, one.size, 1, 1, "")


def quoted(path: Path, quote: str = QUOTE, line: int = 3) -> Evidence:
    one = evidence(quote)
    return replace(one, hit=replace(one.hit, path=path), line_start=line, line_end=line + quote.count("\n"))


Now = Callable[[bytes], Citation]


@pytest.fixture
def now(tmp_path: Path) -> Now:
    """The citation once a file that was indexed with TEXT holds these bytes."""

    def cited(content: bytes, quote: str = QUOTE, text: str = TEXT, **more: int) -> Citation:
        path = tmp_path / "a.md"
        path.write_bytes(content)
        (citation,) = cite([quoted(path, quote)], lambda name: indexed(path, text), **more)
        return citation

    return cited


def told(citation: Citation) -> tuple[str, int, bool]:
    return citation.fresh, citation.line_start, citation.stands


def test_the_bytes_that_were_indexed_are_the_same(now: Now):
    assert told(now(TEXT.encode())) == ("same", 3, True)


def test_a_quote_on_other_lines_has_moved_there(now: Now):
    assert told(now(f"New first line.\n{TEXT}".encode())) == ("moved", 4, True)


def test_a_quote_of_several_lines_moves_with_all_of_them(now: Now):
    citation = now(b"x\n\none\ntwo\n", "one\ntwo", "one\ntwo\n")
    assert (citation.fresh, citation.line_start, citation.line_end) == ("changed", 3, 4)
    citation = now(b"one\ntwo\n", "one\ntwo", "x\n\none\ntwo\n")
    assert (citation.fresh, citation.line_start, citation.line_end) == ("moved", 1, 2)


def test_a_quote_in_its_place_still_stands_in_a_changed_file(now: Now):
    assert told(now(f"{TEXT}More.\n".encode())) == ("changed", 3, True)


def test_a_quote_that_was_edited_no_longer_stands(now: Now):
    assert told(now(TEXT.replace("1894", "1895").encode())) == ("changed", 3, False)


def test_other_line_ends_and_a_mark_of_byte_order_change_the_file_not_the_quote(now: Now):
    assert told(now(TEXT.replace("\n", "\r\n").encode("utf-8-sig"))) == ("changed", 3, True)
    assert told(now(TEXT.encode("utf-16"))) == ("changed", 3, True)
    assert told(now(b"x\r\n\r\none\r\ntwo\r\n", "one\ntwo", "other")) == ("changed", 3, True)


def test_a_file_that_is_no_longer_text_has_lost_the_quote(now: Now):
    citation = now(bytes(range(256)) * 4)
    assert (told(citation), citation.reason) == (("changed", 3, False), "binary")
    assert told(now(b"caf\xe9\n\n" + QUOTE.encode())) == ("changed", 3, True)


def test_a_file_that_has_outgrown_the_limit_is_not_read(now: Now):
    citation = now(TEXT.encode() * 9, max_size=100)
    assert (told(citation), citation.reason) == (("changed", 3, False), "over 100 bytes")


def test_a_file_that_is_gone_is_deleted(tmp_path: Path):
    for path in (tmp_path / "a.md", tmp_path / "b.md" / "a.md"):
        (tmp_path / "b.md").touch()
        assert cite([quoted(path)], lambda name: indexed(Path("/"), TEXT))[0].fresh == "deleted"


def test_a_document_that_was_forgotten_meanwhile_is_deleted(tmp_path: Path):
    (tmp_path / "a.md").write_text(TEXT)
    assert cite([quoted(tmp_path / "a.md")], lambda name: None)[0].fresh == "deleted"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "put",
    [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to(path)],
    ids=["a FIFO", "a folder", "a link", "a link to itself"],
)
def test_whatever_took_the_place_of_the_file_blocks_nothing(tmp_path: Path, put: Callable[[Path], None]):
    put(tmp_path / "a.md")
    (citation,) = cite([quoted(tmp_path / "a.md")], lambda name: indexed(Path("/"), TEXT))
    assert (citation.fresh, citation.stands, bool(citation.reason)) == ("changed", False, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_has_changed(tmp_path: Path):
    path = tmp_path / "a.md"
    path.write_text(TEXT)
    path.chmod(0)
    (citation,) = cite([quoted(path)], lambda name: indexed(path, TEXT))
    assert (citation.fresh, citation.reason) == ("changed", "permission denied")


def test_a_file_that_is_cited_three_times_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.md"
    path.write_text(TEXT)
    read = []
    real = freshness.read_source
    monkeypatch.setattr(freshness, "read_source", lambda *given: read.append(given) or real(*given))
    citations = cite([quoted(path)] * 3, lambda name: indexed(path, TEXT))
    assert ([one.n for one in citations], len(read)) == ([1, 2, 3], 1)


@pytest.mark.parametrize(("near", "line"), [(1, 1), (3, 2), (5, 6), (6, 6), (99, 9)])
def test_of_several_occurrences_the_nearest_counts(near: int, line: int):
    assert line_of("yes", "yes\nyes\n\n\n\nyes\n\n\nyes\n", near=near) == line


@given(st.lists(st.sampled_from(["yes", "no", ""]), max_size=12), st.integers(1, 14), st.sampled_from(["\n", "\r\n"]))
def test_the_nearest_of_all_lines_is_found(lines: list[str], near: int, end: str):
    places = [line for line, text in enumerate(lines, start=1) if text == "yes"]
    nearest = min(places, key=lambda line: (abs(line - near), line), default=None)
    assert line_of("yes", end.join(lines), near=near) == nearest


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("wifi: hunter2", "wifi: hunter22"),
        ("wifi: hunter2", "wifi: hunter2!x"),
        ("pay 5", "pay 5.5"),
        ("5 °C", "-5 °C"),
        ("5 °C", "1.5 °C"),
        ("opened", "reopened"),
    ],
)
def test_a_stretch_of_a_longer_word_or_number_is_not_the_quote(quote: str, text: str):
    assert line_of(quote, text, near=1) is None


@pytest.mark.parametrize("text", ["({})", "**{}**", "say “{}”!", "| {} |", "- {}"])
def test_marks_around_a_quote_leave_it_standing(text: str):
    assert line_of("wifi: hunter2", text.format("wifi: hunter2"), near=1) == 1


def extracted(*places: Place) -> Reading:
    """The quote in each of the places, a blank line after it."""
    text = f"{QUOTE}\n\n" * len(places)
    each = len(text) // len(places)
    return Reading(
        text, (Block("paragraph", 0, len(text)),), tuple(replace(one, start=n * each) for n, one in enumerate(places))
    )


def quoted_in(path: Path, place: Place) -> Evidence:
    """Quoted from a document whose text is extracted: the quote stands on its first line, or on the place's."""
    one = quoted(path, line=place.line or 1)
    return replace(one, hit=replace(one.hit, passage=replace(one.hit.passage, places=(place,))))


@pytest.mark.parametrize(
    ("was", "places", "said"),
    [
        (Place(0, "page", 3), [Place(0, "page", 5)], ("moved", ", page 5")),
        (Place(0, "page", 3), [Place(0, "page", 3)], ("changed", ", page 3")),
        (Place(0, "row", 4, "Prices"), [Place(0, "row", 4, "Costs")], ("moved", ", Costs, row 4")),
        (Place(0, "row", 5, line=6), [Place(0, "row", 7, line=8)], ("moved", ":8, row 7")),
        # The one on line 51 is nearest, though it stands on the third line of the extracted text.
        (
            Place(0, "row", 50, line=51),
            [Place(0, "row", 1, line=2), Place(0, "row", 50, line=51)],
            ("changed", ":51, row 50"),
        ),
    ],
)
def test_a_quote_of_extracted_text_is_found_again_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, was: Place, places: list[Place], said: tuple[str, str]
):
    path = tmp_path / "a.md"
    path.write_text("changed")
    monkeypatch.setattr(freshness, "read_as", lambda *given: extracted(*places))
    (citation,) = cite([quoted_in(path, was)], lambda name: indexed(path, TEXT))
    assert (citation.fresh, citation.locator) == said
