"""What holds of every format, for any bytes at all."""

from __future__ import annotations

import contextlib
import re
import traceback
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile, is_zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragqa.chunk import embedded_text, split
from ragqa.document import Document, locator, place_at, stretch_label
from ragqa.errors import BadInput
from ragqa.read import STDIN, formats
from ragqa.read.apart import Child
from ragqa.read.formats import BY_NAME, FORMATS, Format, read_bytes
from ragqa.read.reading import Reading
from ragqa.read.text import decode
from tests.fakes import letters
from tests.readers.cited import zipped
from tests.samples import SAMPLES

LIMIT = 128
PACKAGE = str(Path(formats.__file__).parents[1])
# One of those that are read by the same module in the same way stands for all.
SAMPLED = [one for one in FORMATS if one.name in SAMPLES]
DISTINCT = list({(one.module, one.inside or one.name): one for one in SAMPLED}.values())
NATIVE = {"pdf"}  # their libraries may bring down the process that calls them: only ever read apart
each_format = pytest.mark.parametrize("format", SAMPLED, ids=lambda one: one.name)
in_process = pytest.mark.parametrize(
    "format", [one for one in DISTINCT if one.name not in NATIVE], ids=lambda one: one.name
)
examples = settings(max_examples=60)

Mutation = tuple[float, float, bytes, bool]
places = st.floats(0, 1)
odd = st.sampled_from(
    [b"", b"\0", b"\xff\xfe", b"\r", b"\n\n", b'"', b"<", b"<!--", b"]]>", b"{", b"[", b"\\", b"&#0;", b",,"]
)
mutations = st.lists(st.tuples(places, st.floats(0, 0.1), odd | st.binary(max_size=6), st.booleans()), max_size=4)


def mutated(content: bytes, changes: list[Mutation]) -> bytes:
    """Each change takes a stretch away, or says it twice, and puts something in its place."""
    for at, share, put, twice in changes:
        start, length = int(at * len(content)), int(share * len(content))
        stretch = content[start : start + length] if twice else b""
        content = content[:start] + stretch + put + stretch + content[start + length :]
    return content


def with_changes(format: Format, changes: list[Mutation], inside: float) -> bytes:
    """A sample that was changed; of an archive, mostly one of its members."""
    content = SAMPLES[format.name].content
    if inside < 0.2 or not is_zipfile(BytesIO(content)):
        return mutated(content, changes)
    with ZipFile(BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = sorted(members)[int((inside - 0.2) * 1.24 * len(members))]
    members[name] = mutated(members[name], changes)
    return zipped(members)


def name_for(format: Format) -> str:
    return SAMPLES[format.name].name


def holds(reading: Reading) -> None:
    """What a reading promises beyond what it checks itself."""
    assert reading.text.strip()
    about = [reading.title, *reading.tags, *reading.notes, *(place.name for place in reading.places)]
    for text in (reading.text, *about, *(title for block in reading.blocks for title in block.heading)):
        assert "\0" not in text
        text.encode()
    assert list(reading.tags) == sorted({tag.lower() for tag in reading.tags})
    assert re.fullmatch(r"(\d{4}-\d\d-\d\d)?", reading.date)
    assert "\n" not in reading.title
    assert reading.repaired >= 0
    for place in reading.places:
        assert place.number >= 0 if place.kind == "time" else place.number > 0
        assert place.line >= 0


def passages_hold(reading: Reading, content: bytes) -> None:
    """Passages cover the text in order, are short enough, and know the lines they stand on."""
    document = Document("a", STDIN, reading.text, "", 1, 1, reading.blocks, places=reading.places)
    passages = split(document, letters, LIMIT)
    assert "".join(passage.text for passage in passages) == reading.text
    assert all(letters(embedded_text(passage, letters, LIMIT)) <= LIMIT for passage in passages)
    if not reading.places:  # the text is the file's own
        lines = reading.text.split("\n")
        for passage in passages:
            assert passage.text.strip() in "\n".join(lines[passage.line_start - 1 : passage.line_end])
    elif reading.places[0].line:
        text = decode("a", content).text
        lines = text.count("\n" if "\n" in text else "\r") + 1
        assert all(1 <= line <= lines for passage in passages for line in (passage.line_start, passage.line_end))


def check(format: Format, content: bytes) -> None:
    """Read in this process. What a library raises in a reader apart, the confined process makes a BadInput of."""
    try:
        reading = read_bytes(format, content, name_for(format))
    except BadInput as error:
        refusals = [error.reason]
    except Exception as error:
        *_outer, innermost = traceback.extract_tb(error.__traceback__)
        if not format.is_apart(len(content)) or PACKAGE in innermost.filename:
            raise
        refusals = []
    else:
        refusals = []
        holds(reading)
        passages_hold(reading, content)
    assert not any("\n" in reason or name_for(format) in reason for reason in refusals)


@each_format
def test_a_sample_is_read_and_its_sentence_stands_where_it_was_put(format: Format):
    sample = SAMPLES[format.name]
    reading = read_bytes(format, sample.content, sample.name)
    at = reading.text.index(sample.sentence)
    place = place_at(reading.places, at)
    line = place.line if place else reading.text.count("\n", 0, at) + 1
    assert locator((line, line), place, stretch_label(place)) == sample.cited
    check(format, sample.content)


@in_process
@examples
@given(changes=mutations, inside=places)
def test_a_file_that_was_damaged_is_read_or_refused(format: Format, changes: list[Mutation], inside: float):
    check(format, with_changes(format, changes, inside))


@pytest.mark.parametrize("content", [b"", b" \n\t", b"\xef\xbb\xbf", "\ufeff\u2028".encode()])
@each_format
def test_a_file_without_text_is_empty_or_damaged(format: Format, content: bytes):
    with pytest.raises(BadInput) as refused:
        read_bytes(format, content, name_for(format))
    assert refused.value.reason == "empty" or content.strip()


@in_process
@examples
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(format: Format, content: bytes):
    check(format, content)


@in_process
@examples
@given(text=st.text(max_size=300), encoding=st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_any_text_is_read_or_refused(format: Format, text: str, encoding: str):
    check(format, text.encode(encoding, errors="replace"))


@pytest.mark.parametrize("name", ["pdf", "docx", "epub", "html", "json", "python"])
def test_what_the_confined_process_says_of_damaged_files_holds_too(name: str):
    with Child() as child:

        @settings(max_examples=40)
        @given(changes=mutations, inside=places)
        def check_apart(changes: list[Mutation], inside: float) -> None:
            content = with_changes(BY_NAME[name], changes, inside)
            with contextlib.suppress(BadInput):
                reading = child.read(BY_NAME[name], content, name_for(BY_NAME[name]))
                holds(reading)
                passages_hold(reading, content)

        check_apart()


def test_what_the_confined_process_says_of_any_bytes_as_pdf_holds_too():
    with Child() as child:

        @settings(max_examples=20)
        @given(content=st.binary(max_size=300), headed=st.booleans())
        def check_apart(content: bytes, headed: bool) -> None:
            with contextlib.suppress(BadInput):
                holds(child.read(BY_NAME["pdf"], b"%PDF-1.7\n" * headed + content, "a.pdf"))

        check_apart()
