"""Keeping in step: what is read again, what is kept, what is embedded, and what is not tried twice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

import ragqa.index.sync
from ragqa.index import sync
from ragqa.read.reading import Reading
from ragqa.store.sqlite import SQLiteStore
from tests.fakes import WordEmbedder
from tests.index.updating import did, ids, update, write

LONG_AGO = 10**18  # nanoseconds since the epoch


@pytest.fixture
def settled(notes: Path) -> Path:
    """The notes, written long ago."""
    for path in notes.rglob("*.*"):
        age(path)
    return notes


def age(path: Path) -> Path:
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    return path


def edit(path: Path, text: str) -> None:
    """Write a text, and set the time back to what it was."""
    before = path.stat().st_mtime_ns
    path.write_text(text)
    os.utime(path, ns=(before, before))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are opened from now on."""
    seen: list[str] = []
    read = sync.read_source

    def noted(path: Path, *rest: object) -> object:
        seen.append(path.name)
        return read(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ragqa.index.sync, "read_source", noted)
    return seen


# Unchanged


def test_a_settled_file_is_not_even_opened(store: SQLiteStore, settled: Path, reads: list[str]):
    update(store, settled)
    reads.clear()
    assert did(update(store, settled)) == {"unchanged": 2}
    assert reads == []


def test_a_file_written_the_moment_before_is_compared_by_content_the_next_time(
    store: SQLiteStore, notes: Path, reads: list[str]
):
    update(store, notes)
    assert {record.inode for record in store.known().values()} == {0}
    edit(notes / "a.md", (notes / "a.md").read_text().replace("1894", "1895"))
    assert did(update(store, notes)) == {"indexed": 1, "unchanged": 1}


def test_a_touched_file_is_settled_again(store: SQLiteStore, settled: Path, reads: list[str]):
    update(store, settled)
    os.utime(settled / "a.md", ns=(LONG_AGO + 5, LONG_AGO + 5))
    update(store, settled)
    reads.clear()
    assert did(update(store, settled)) == {"unchanged": 2}
    assert reads == []


def test_another_file_of_the_same_size_and_time_is_told_by_its_inode(store: SQLiteStore, settled: Path):
    update(store, settled)
    other = write(settled.parent / "other.md", (settled / "a.md").read_text().replace("1894", "1895"))
    age(other).replace(settled / "a.md")
    assert did(update(store, settled)) == {"indexed": 1, "unchanged": 1}


def test_verify_finds_a_change_that_left_no_trace(store: SQLiteStore, settled: Path):  # fault 69
    update(store, settled)
    edit(settled / "a.md", (settled / "a.md").read_text().replace("1894", "1895"))
    assert did(update(store, settled)) == {"unchanged": 2}
    assert did(update(store, settled, verify=True)) == {"indexed": 1, "unchanged": 1}


def test_a_file_from_the_future_is_compared_by_content(store: SQLiteStore, notes: Path):  # fault 69
    later = (2**32) * 10**9
    for path in (notes / "a.md", notes / "deep" / "b.txt"):
        os.utime(path, ns=(later, later))
    update(store, notes)
    edit(notes / "a.md", (notes / "a.md").read_text().replace("1894", "1895"))
    assert did(update(store, notes)) == {"indexed": 1, "unchanged": 1}


# What is embedded


def test_an_edited_file_has_only_its_changed_passages_embedded(store: SQLiteStore, notes: Path):
    paragraphs = [f"This is paragraph {n}. " + f"word{n} " * 70 for n in range(4)]
    write(notes / "long.md", "\n\n".join(paragraphs))
    update(store, notes)
    before = store.vector_of("notes/long.md#4")
    embedder = WordEmbedder()
    write(notes / "long.md", "\n\n".join([paragraphs[0], "This one is new. " + "new " * 70, *paragraphs[2:]]))
    assert did(update(store, notes, embedder=embedder)) == {"indexed": 1, "unchanged": 2}
    assert [text[:16] for text in embedder.embedded] == ["This one is new."]
    assert (store.vector_of("notes/long.md#4") == before).all()  # type: ignore[union-attr]
    passages = store.passages_of("notes/long.md")
    assert [len(signs) for signs in store.signs(passages)] == [len(passage.text.split()) for passage in passages]
    assert list(store.faults()) == []


def test_a_copy_of_an_indexed_file_is_not_embedded(store: SQLiteStore, notes: Path):
    update(store, notes)
    shutil.copy(notes / "a.md", notes / "copy.md")
    embedder = WordEmbedder()
    assert did(update(store, notes, embedder=embedder)) == {"indexed": 1, "unchanged": 2}
    assert embedder.embedded == []
    assert store.text_of("notes/copy.md") == store.text_of("notes/a.md")
    assert list(store.faults()) == []


@pytest.mark.parametrize("between", [0, 70, 140], ids=["one group", "the next group", "two groups on"])
def test_identical_files_of_one_run_are_embedded_once(store: SQLiteStore, notes: Path, between: int):
    shutil.copy(notes / "a.md", notes / "z.md")
    for n in range(between):
        write(notes / "between" / f"{n}.txt", f"Between them is number {n}.")
    write(notes / "last" / "z.md", (notes / "a.md").read_text())
    embedder = WordEmbedder()
    update(store, notes, embedder=embedder)
    assert len(embedder.embedded) == len(set(embedder.embedded)) == 2 + between
    assert list(store.faults()) == []


def test_a_damaged_vector_is_not_copied(store: SQLiteStore, notes: Path):
    update(store, notes)
    store._db.execute("UPDATE vectors SET crc32 = crc32 + 1")
    shutil.copy(notes / "a.md", notes / "copy.md")
    embedder = WordEmbedder()
    update(store, notes, embedder=embedder)
    assert len(embedder.embedded) == 1


# What cannot be read


def test_a_file_that_can_no_longer_be_read_keeps_what_it_said_and_is_stale(store: SQLiteStore, notes: Path):
    update(store, notes)
    (notes / "a.md").write_bytes(bytes(range(256)) * 20)
    summary = update(store, notes)
    assert (summary.removed, summary.stale, dict(summary.reasons)) == (0, 1, {"binary": 1})
    assert store.known()["notes/a.md"].stale == "binary"
    assert "1894" in store.text_of("notes/a.md")
    assert update(store, notes).stale == 1  # until it changes
    write(notes / "a.md", "Readable again.")
    assert update(store, notes).stale == 0
    assert store.known()["notes/a.md"].stale == ""


def test_a_stale_file_that_becomes_what_it_was_is_stale_no_longer(store: SQLiteStore, notes: Path):
    update(store, notes)
    before = (notes / "a.md").read_bytes()
    (notes / "a.md").write_bytes(bytes(range(256)) * 20)
    update(store, notes)
    (notes / "a.md").write_bytes(before)
    assert did(update(store, notes)) == {"unchanged": 2}
    assert store.known()["notes/a.md"].stale == ""
    assert store.refused() == {}


def test_a_file_replaced_by_what_is_no_file_is_stale(store: SQLiteStore, notes: Path):
    update(store, notes)
    (notes / "a.md").unlink()
    os.mkfifo(notes / "a.md")
    assert update(store, notes).stale == 1
    assert store.known()["notes/a.md"].stale == "not a regular file"


def test_a_file_replaced_by_a_folder_leaves_the_index(store: SQLiteStore, notes: Path):
    update(store, notes)
    (notes / "a.md").unlink()
    (notes / "a.md").mkdir()
    assert did(update(store, notes)) == {"unchanged": 1, "removed": 1}
    assert ids(store) == ["notes/deep/b.txt"]


def test_a_folder_replaced_by_a_link_takes_its_documents_with_it(store: SQLiteStore, notes: Path):
    update(store, notes)
    (notes / "deep").rename(notes.parent / "elsewhere")
    (notes / "deep").symlink_to(notes.parent / "elsewhere")
    assert did(update(store, notes)) == {"unchanged": 1, "removed": 1, "skipped": 1}


@pytest.mark.skipif(not shutil.which("setpriv") or os.geteuid() != 0, reason="needs root, to become somebody else")
def test_a_file_that_may_not_be_read_is_kept_and_named(tmp_path: Path):  # fault 5
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        write(folder / "n" / "a.md", "The bridge opened in 1894.")
        write(folder / "n" / "b.md", "Bread needs flour.")
        write(folder / "n" / "closed" / "c.md", "Behind a door.")
        for path in (*folder.rglob("*"), folder):
            os.chown(path, 65534, 65534)
        become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        root = Path(__file__).parents[2]
        program = [sys.executable, "-B", "-m", "tests.index.unprivileged", folder]
        done = subprocess.run([*become, *program], cwd=root, capture_output=True, text=True, check=False)
        assert done.stdout.splitlines() == [
            "3 indexed",
            "1 unchanged, 2 stale: permission denied×2",
            "n/a.md: permission denied: The bridge opened in 1894.",
            "n/b.md: : Bread needs flour.",
            "n/closed/c.md: permission denied: Behind a door.",
            "1 unchanged, 2 stale: permission denied×2",
            "3 unchanged, 0 stale: ",
        ], done.stderr


def test_a_file_that_vanishes_before_it_is_read_is_skipped(
    store: SQLiteStore, notes: Path, monkeypatch: pytest.MonkeyPatch
):  # fault 6
    update(store, notes)
    write(notes / "a.md", "Newer.")
    read = sync.read_source

    def vanished(path: Path, *rest: object) -> object:
        path.unlink()
        return read(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ragqa.index.sync, "read_source", vanished)
    summary = update(store, notes)
    assert (summary.stale, summary.removed) == (0, 0)
    monkeypatch.undo()
    (notes / "deep" / "still.md").write_text("Something is there.")
    assert did(update(store, notes)) == {"indexed": 1, "removed": 2}


# What is not tried again


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are parsed from now on."""
    seen: list[str] = []
    read = sync.read_document

    def noted(source: object, *rest: object) -> Reading:
        seen.append(source.path.name)  # type: ignore[attr-defined]
        return read(source, *rest)  # type: ignore[arg-type, return-value]

    monkeypatch.setattr(ragqa.index.sync, "read_document", noted)
    return seen


@pytest.fixture
def binary(notes: Path) -> Path:
    path = notes / "binary.txt"
    path.write_bytes(bytes(range(256)) * 20)
    return age(path)


def test_what_could_not_be_read_is_not_tried_again_until_it_changes(
    store: SQLiteStore, notes: Path, binary: Path, parsed: list[str]
):
    assert update(store, notes).reasons == {"binary": 1}
    parsed.clear()
    assert update(store, notes).reasons == {"binary": 1}
    os.utime(binary, ns=(LONG_AGO + 1, LONG_AGO + 1))
    assert update(store, notes).reasons == {"binary": 1}
    assert parsed == []
    binary.write_text("Text after all.")
    assert did(update(store, notes)) == {"indexed": 1, "unchanged": 2}
    assert store.refused() == {}


def test_it_is_tried_again_when_asked_for_and_by_new_readers(
    store: SQLiteStore, notes: Path, binary: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
):
    update(store, notes)
    parsed.clear()
    update(store, notes, retry=True)
    assert parsed == ["binary.txt"]
    learn(monkeypatch)
    update(store, notes)
    assert parsed.count("binary.txt") == 2
    update(store, notes)
    assert parsed.count("binary.txt") == 2


def learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have readers learn something."""
    monkeypatch.setattr(ragqa.index.sync, "READERS_VERSION", "newer")
    monkeypatch.setattr("ragqa.read.READERS_VERSION", "newer")


def test_what_other_readers_read_is_read_again_once_and_keeps_its_vectors(
    store: SQLiteStore, settled: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
):
    update(store, settled)
    parsed.clear()
    learn(monkeypatch)
    embedder = WordEmbedder()
    assert did(update(store, settled, embedder=embedder)) == {"indexed": 2}
    assert (sorted(parsed), embedder.embedded) == (["a.md", "b.txt"], [])
    assert {record.readers for record in store.known().values()} == {"newer"}
    assert did(update(store, settled)) == {"unchanged": 2}


def test_a_vanished_file_is_no_longer_remembered_as_unreadable(store: SQLiteStore, notes: Path, binary: Path):
    update(store, notes)
    assert list(store.refused()) == [binary]
    binary.unlink()
    update(store, notes)
    assert store.refused() == {}


def test_what_could_not_be_read_is_remembered_where_this_run_does_not_look(
    store: SQLiteStore, notes: Path, binary: Path
):
    update(store, notes)
    binary.unlink()
    update(store, notes / "deep")
    assert list(store.refused()) == [binary]


def test_what_could_not_be_read_is_remembered_while_a_disk_may_be_away(
    store: SQLiteStore, notes: Path, binary: Path
):  # fault 10
    disk = notes / "disk"
    disk.mkdir()
    shutil.copy(binary, disk)
    update(store, notes)
    (disk / binary.name).unlink()
    update(store, notes)
    assert disk / binary.name in store.refused()
    update(store, notes, prune=True)
    assert list(store.refused()) == [binary]


@pytest.mark.parametrize("content", [b"", b" \n\t", b"\xef\xbb\xbf"], ids=["nothing", "spaces", "only a mark"])
def test_an_empty_file_is_counted_and_parsed_once(
    store: SQLiteStore, notes: Path, parsed: list[str], content: bytes
):  # fault 12
    (notes / "empty.md").write_bytes(content)
    age(notes / "empty.md")
    for _ in range(2):
        summary = update(store, notes)
        assert (dict(summary.reasons), summary.warnings) == ({"empty": 1}, [])
    assert parsed.count("empty.md") == 1
    assert "notes/empty.md" not in ids(store)


# Secret and ignored


def test_the_text_of_a_secret_is_nowhere_in_the_index(store: SQLiteStore, notes: Path):  # fault 9
    key = "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n"
    write(notes / "b.md", f"Do not lose this:\n\n{key}")
    write(notes / ".env", "PASSWORD=periwinkle-7391")
    summary = update(store, notes)
    assert summary.reasons == {"secret": 2}
    assert len(summary.warnings) == 2
    stored = b"".join(path.read_bytes() for path in store.path.parent.glob(f"{store.path.name}*"))
    assert (b"b3BlbnNz" in stored, b"periwinkle" in stored, b"bridge" in stored) == (False, False, True)


def test_a_secret_is_taken_when_asked_for(store: SQLiteStore, notes: Path):
    write(notes / "b.md", "-----BEGIN " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n")
    write(notes / ".env", "PASSWORD=periwinkle-7391")
    update(store, notes)
    assert update(store, notes, secrets=True).indexed == 2
    assert ids(store) == ["notes/.env", "notes/a.md", "notes/b.md", "notes/deep/b.txt"]


@pytest.mark.parametrize("options", [{}, {"verify": True}, {"retry": True}], ids=["plain", "verify", "retry"])
def test_a_secret_that_was_asked_for_leaves_when_it_no_longer_is(
    store: SQLiteStore, notes: Path, parsed: list[str], options: dict[str, bool]
):  # fault 9
    age(write(notes / "c.md", "-----BEGIN " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n"))
    update(store, notes, secrets=True)
    assert did(update(store, notes, secrets=True)) == {"unchanged": 3}
    parsed.clear()
    for removed in (1, 0):
        assert update(store, notes, **options).removed == removed
        assert ids(store) == ["notes/a.md", "notes/deep/b.txt"]
    assert set(parsed) == {"c.md"}


def test_a_secret_that_was_asked_for_leaves_although_it_has_moved_or_is_named(store: SQLiteStore, notes: Path):
    for name in ("c.md", "d.md"):
        age(write(notes / name, f"{name} -----BEGIN " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n"))
    update(store, notes, secrets=True)
    (notes / "c.md").rename(notes / "deep" / "c.md")
    assert did(update(store, notes, secrets=True)) == {"unchanged": 3, "moved": 1}
    (notes / "deep" / "c.md").rename(notes / "e.md")
    assert did(update(store, notes / "d.md")) == {"removed": 1, "skipped": 1}
    assert update(store, notes).reasons == {"secret": 2}
    assert ids(store) == ["notes/a.md", "notes/deep/b.txt"]


def test_a_secret_leaves_although_the_run_that_took_it_was_killed(store: SQLiteStore, notes: Path):
    age(write(notes / "c.md", "-----BEGIN " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n"))
    update(store, notes)
    remembered = list(store.refused().values())
    update(store, notes, secrets=True)
    store.refuse(remembered)  # which the run takes back at its end
    assert did(update(store, notes)) == {"unchanged": 2, "removed": 1, "skipped": 1}
    assert ids(store) == ["notes/a.md", "notes/deep/b.txt"]


def test_a_document_that_becomes_secret_or_ignored_leaves_the_index(store: SQLiteStore, notes: Path):
    write(notes / "c.md", "Harmless.")
    update(store, notes)
    write(notes / "c.md", "-----BEGIN " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n")
    write(notes / ".gitignore", "deep\n")
    assert did(update(store, notes)) == {"unchanged": 1, "removed": 2, "skipped": 2}
    assert ids(store) == ["notes/a.md"]


def test_what_a_run_leaves_out_by_its_options_stays(store: SQLiteStore, notes: Path):
    update(store, notes)
    write(notes / "deep" / "b.txt", "Another text.")
    assert did(update(store, notes, exclude=("deep",))) == {"unchanged": 1, "skipped": 1}
    assert did(update(store, notes, glob="*.md")) == {"unchanged": 1}
    assert store.text_of("notes/deep/b.txt") == "Eggs and flour.\n"


def test_a_document_is_kept_in_step_although_its_name_is_of_no_format_or_hidden(store: SQLiteStore, notes: Path):
    update(store, write(notes / "Recipe.xyz", "Two eggs."))
    write(notes / ".kitchen" / "c.md", "Salt.")
    update(store, notes, hidden=True)
    write(notes / "Recipe.xyz", "Three eggs.")
    write(notes / ".kitchen" / "c.md", "Pepper.")
    write(notes / "Other.xyz", "Never named.")
    summary = update(store, notes)
    assert (did(summary), dict(summary.reasons)) == (
        {"indexed": 2, "unchanged": 2, "skipped": 1},
        {"unknown format": 1},
    )
    assert (store.text_of("notes/Recipe.xyz"), store.text_of("notes/.kitchen/c.md")) == ("Three eggs.", "Pepper.")


@pytest.mark.parametrize("rule", ["Recipe.xyz", ".kitchen"])
def test_a_document_that_nothing_else_keeps_in_step_leaves_the_index_when_it_is_ignored(
    store: SQLiteStore, notes: Path, rule: str
):
    update(store, write(notes / "Recipe.xyz", "Two eggs."))
    write(notes / ".kitchen" / "c.md", "Salt.")
    update(store, notes, hidden=True)
    write(notes / ".gitignore", rule)
    assert did(update(store, notes)) == {"unchanged": 3, "removed": 1, "skipped": 1}


def test_a_document_of_no_format_that_is_a_link_now_is_gone_and_one_that_is_a_pipe_is_stale(
    store: SQLiteStore, notes: Path
):
    for name in ("link.xyz", "pipe.xyz", ".pipe"):
        update(store, write(notes / name, name))
        (notes / name).unlink()
    (notes / "link.xyz").symlink_to(notes / "a.md")
    os.mkfifo(notes / "pipe.xyz")
    os.mkfifo(notes / ".pipe")
    summary = update(store, notes)
    assert (did(summary), summary.stale) == ({"indexed": 2, "removed": 1, "skipped": 2}, 2)
    assert {record.stale for record in store.known().values()} == {"", "not a regular file"}


def test_how_a_file_was_read_is_told_with_its_path(store: SQLiteStore, notes: Path, monkeypatch: pytest.MonkeyPatch):
    read = sync.read_document
    monkeypatch.setattr(ragqa.index.sync, "read_document", lambda *one: replace(read(*one), notes=("read as cp1252",)))
    remarks = update(store, notes).remarks
    assert [(path.name, remark) for path, remark in remarks] == [
        ("a.md", "read as cp1252"),
        ("b.txt", "read as cp1252"),
    ]
