"""A folder with one file of everything: all that can be read is found where it stands, all else is counted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ragqa.cli.render import summary_line
from ragqa.document import locator, place_at, stretch_label
from ragqa.index import Summary, update_index
from ragqa.index.summary import HARMLESS
from ragqa.read.formats import FORMATS
from ragqa.store.opening import create_index
from ragqa.store.sqlite import SQLiteStore
from tests.conftest import Ragqa
from tests.fakes import WordEmbedder
from tests.samples import SAMPLES

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
PASSED_OVER: dict[str, tuple[bytes, str]] = {
    "broken.pdf": (b"%PDF-1.7\n", "damaged"),
    "broken.docx": (SAMPLES["docx"].content[:900], "damaged archive"),
    "bundle.js": (b"a(b,c);" * 20_000, "minified or generated"),
    "empty.md": (b"", "empty"),
    "id_ed25519": (KEY.encode(), "secret"),
    "ignored.md": (b"The harbour of Ignored was dredged.\n", "ignored"),
    "picture.png": (b"\x89PNG\r\n\x1a\n" + bytes(100), "unknown format"),
    "renamed.txt": (bytes(range(256)) * 8, "binary"),
}


def everything(folder: Path) -> Path:
    """A folder with every sample and with all that is passed over."""
    folder.mkdir()
    for sample in SAMPLES.values():
        (folder / sample.name).write_bytes(sample.content)
    for name, (content, _reason) in PASSED_OVER.items():
        (folder / name).write_bytes(content)
    (folder / ".gitignore").write_text("ignored.md\n")
    os.mkfifo(folder / "pipe.md")
    return folder


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SQLiteStore, Summary]]:
    home = tmp_path_factory.mktemp("everything")
    summary = Summary()
    store = create_index(home / "index.db", fingerprint="f", model="words", dim=64)
    update_index([everything(home / "all")], store=store, embedder=WordEmbedder(), summary=summary)
    yield store, summary
    store.close()


def test_every_format_has_a_sample():
    assert set(SAMPLES) == {format.name for format in FORMATS}


def test_all_that_can_be_read_is_indexed(indexed: tuple[SQLiteStore, Summary]):
    store, summary = indexed
    assert summary.indexed == len(SAMPLES)
    assert {record.type for record in store.known().values()} == set(SAMPLES)
    assert list(store.faults()) == []


def test_all_that_is_passed_over_is_counted_with_its_reason(indexed: tuple[SQLiteStore, Summary]):
    _store, summary = indexed
    expected = {name: reason for name, (_content, reason) in PASSED_OVER.items()} | {"pipe.md": "not a regular file"}
    assert {path.name: reason for path, reason in summary.skipped} == expected
    assert summary_line(summary) == f"indexed {len(SAMPLES)}, unchanged 0, removed 0, skipped {len(expected)} (" + (
        ", ".join(f"{reason}×1" for reason in sorted(expected.values())) + ")"
    )
    assert set(summary.reasons) - HARMLESS


@pytest.mark.parametrize("name", SAMPLES)
def test_what_a_file_says_is_found_and_cited_where_it_stands(name: str, indexed: tuple[SQLiteStore, Summary]):
    store, _summary = indexed
    sample = SAMPLES[name]
    passage = store.match([name, "dredged"], 1)[0].passage
    assert passage.document_id == f"all/{sample.name}"
    start = passage.text.index(sample.sentence)
    place, line = place_at(passage.places, start), passage.line_at(start)
    assert locator((line, line), place, stretch_label(place)) == sample.cited


@pytest.mark.model
def test_one_command_indexes_everything_and_each_sentence_is_quoted_from_its_place(prepared: Ragqa):
    everything(prepared.cwd / "all")
    done = prepared("index", "all")
    assert (done.code, done.err) == (3, "")
    assert done.out.startswith(f"indexed {len(SAMPLES)}, unchanged 0, removed 0, skipped {len(PASSED_OVER) + 1} (")
    assert prepared("check").code == 0
    for name in ("pdf", "xlsx", "epub", "html", "subtitles"):
        sample = SAMPLES[name]
        asked = prepared("ask", "--quotes", "--plain", f"When was the harbour of {name.title()} dredged?")
        assert sample.sentence in asked.out
        assert f"all/{sample.name}{sample.cited}" in asked.out
    again = prepared("index", "all")
    assert (again.code, again.out.partition(",")[0]) == (3, "indexed 0")
