"""The whole path of a file: written by a real program, read in the confined process, indexed, searched, cited."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from ragqa.document import Document, place_at
from ragqa.errors import BadInput
from ragqa.index import Summary, update_index
from ragqa.read import Source, read_document
from ragqa.read.apart import Child
from ragqa.read.formats import BY_NAME, read_bytes
from ragqa.read.reading import Reading
from ragqa.store.opening import create_index
from tests.fakes import WordEmbedder

DAY = (2024, 5, 17, 0, 0, 0)  # of members of archives: a test is the same at any time


def citation(folder: Path, name: str, content: bytes, question: str, quote: str) -> str:
    """What a citation says of where `quote` stands, which the question must find among ten other documents."""
    notes = folder / "notes"
    notes.mkdir()
    (notes / name).write_bytes(content)
    for n in range(10):
        (notes / f"other-{n}.txt").write_text(f"Nothing here but filler about number {n}.")
    store, embedder, summary = (
        create_index(folder / "i.db", fingerprint="f", model="w", dim=64),
        WordEmbedder(),
        Summary(),
    )
    try:
        update_index([notes], store=store, embedder=embedder, summary=summary)
        assert summary.skipped == []
        best = store.search(embedder.embed_query(question), 1)[0].passage
        assert best.document_id == f"notes/{name}"
        place = place_at(best.places, best.text.index(quote))
        assert place
        return place.label
    finally:
        store.close()


def reading(format: str, content: bytes) -> Reading:
    """Read in this process: quick, and a fault has a traceback."""
    return read_bytes(BY_NAME[format], content, f"a.{format}")


def apart(name: str, content: bytes, child: Child) -> Document:
    return read_document(Source(Path("/n") / name, content, "", 1), f"n/{name}", "default", child)


def refusal(format: str, content: bytes) -> str:
    """Why a file is not read."""
    try:
        reading(format, content)
    except BadInput as error:
        return error.reason
    raise AssertionError("it was read")


def blocks(reading: Reading) -> list[tuple[str, str]]:
    return [(block.kind, reading.text[block.start : block.end].strip()) for block in reading.blocks]


def place_of(reading: Reading, words: str) -> str:
    place = place_at(reading.places, reading.text.index(words))
    return place.label if place else ""


def zipped(members: dict[str, bytes], compression: int = ZIP_DEFLATED) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(ZipInfo(name, DAY), content, compression)
    return file.getvalue()
