"""Files → store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ragqa.chunk import embedded_text
from ragqa.errors import UsageError
from ragqa.files import readable
from ragqa.index import fingerprint, update_index
from ragqa.index.intake import GROUP
from ragqa.index.summary import Summary
from ragqa.interaction import signs_of
from ragqa.store.opening import create_index
from ragqa.store.sqlite import SQLiteStore
from ragqa.types import Matrix
from tests.fakes import WordEmbedder
from tests.index.updating import did, ids, update, write

# New, changed, gone


def test_new_files_are_indexed_with_their_folders_name(store: SQLiteStore, notes: Path):
    summary = update(store, notes)
    assert did(summary) == {"indexed": 2}
    assert summary.passages == 2
    assert ids(store) == ["notes/a.md", "notes/deep/b.txt"]
    assert store.text_of("notes/deep/b.txt") == "Eggs and flour.\n"
    assert list(store.faults()) == []


def test_the_signs_of_what_was_read_of_each_passage_are_stored(tmp_path: Path):
    centre = np.full(64, 0.05, np.float32)
    store = create_index(tmp_path / "i.db", fingerprint="f", model="words", dim=64, centre=lambda: centre)
    write(tmp_path / "n" / "a.md", "# Bridge\n\n" + "\n\n".join(f"It is number {n}. " + "word " * 70 for n in range(3)))
    embedder = WordEmbedder()
    update(store, tmp_path / "n" / "a.md", embedder=embedder)
    passages = [passage for batch, _vectors in store.vectors() for passage in batch]
    read = [embedded_text(passage, embedder.count_tokens, embedder.max_tokens) for passage in passages]
    assert [text.startswith(("# Bridge", "Bridge\nIt is")) for text in read] == [True] * 3
    expected = [signs_of(tokens, centre) for tokens in embedder.passage_tokens(read)[1]]
    assert all(np.array_equal(*pair) for pair in zip(store.signs(passages), expected, strict=True))
    store.close()


def test_more_passages_than_are_embedded_together_all_have_their_own_signs(store: SQLiteStore, tmp_path: Path):
    count = GROUP + 3
    paragraphs = (" ".join(["word"] * (70 + n)) for n in range(count))
    update(store, write(tmp_path / "long.txt", "\n\n".join(paragraphs)), max_file_size=10**6)
    passages = [passage for batch, _vectors in store.vectors() for passage in batch]
    assert [len(signs) for signs in store.signs(passages)] == [70 + n for n in range(count)]


def test_an_unchanged_file_is_not_read_again(store: SQLiteStore, notes: Path):
    update(store, notes)
    embedder = WordEmbedder()
    assert did(update(store, notes, embedder=embedder)) == {"unchanged": 2}
    assert embedder.embedded == []


def test_a_touched_file_is_remembered_as_touched(store: SQLiteStore, notes: Path):
    update(store, notes)
    os.utime(notes / "a.md", ns=(5, 5))
    assert did(update(store, notes)) == {"unchanged": 2}
    assert store.known()["notes/a.md"].mtime_ns == 5


def test_a_changed_file_is_indexed_anew_under_its_id(store: SQLiteStore, notes: Path):
    update(store, notes)
    write(notes / "a.md", "Another text.\n")
    assert did(update(store, notes)) == {"indexed": 1, "unchanged": 1}
    assert store.text_of("notes/a.md") == "Another text.\n"


def test_a_file_that_lost_its_text_is_removed(store: SQLiteStore, notes: Path):
    update(store, notes)
    write(notes / "a.md", " \n")
    assert did(update(store, notes)) == {"unchanged": 1, "removed": 1, "skipped": 1}
    assert ids(store) == ["notes/deep/b.txt"]


def test_a_moved_file_keeps_its_vectors(store: SQLiteStore, notes: Path):
    update(store, notes)
    (notes / "a.md").rename(notes / "deep" / "c.md")
    embedder = WordEmbedder()
    assert did(update(store, notes, embedder=embedder)) == {"unchanged": 1, "moved": 1}
    assert embedder.embedded == []
    assert ids(store) == ["notes/deep/b.txt", "notes/deep/c.md"]
    assert store.known()["notes/deep/c.md"].path == notes / "deep" / "c.md"


def test_a_file_renamed_to_another_format_is_read_as_that_format(store: SQLiteStore, notes: Path):
    text = "# Bridge\n\nIt opened.\n"
    update(store, write(notes / "c.txt", text), notes)
    (notes / "c.txt").rename(notes / "c.md")
    update(store, notes)
    (hit,) = [hit for hit in store.match(["opened"], 9) if hit.passage.document_id == "notes/c.md"]
    assert hit.passage.heading == ("Bridge",)


def test_a_copied_file_is_indexed_beside_the_first(store: SQLiteStore, notes: Path):
    update(store, notes)
    write(notes / "copy.md", (notes / "a.md").read_text())
    assert did(update(store, notes)) == {"indexed": 1, "unchanged": 2}


def test_a_deleted_file_is_removed(store: SQLiteStore, notes: Path):
    update(store, notes)
    (notes / "a.md").unlink()
    assert did(update(store, notes)) == {"unchanged": 1, "removed": 1}
    assert ids(store) == ["notes/deep/b.txt"]


def test_a_deleted_file_outside_the_folders_asked_for_stays(store: SQLiteStore, notes: Path, tmp_path: Path):
    other = write(tmp_path / "other" / "c.md", "Text.")
    update(store, notes, other)
    other.unlink()
    assert did(update(store, notes)) == {"unchanged": 2}
    assert "other/c.md" in ids(store)


def test_an_emptied_folder_keeps_its_documents_until_pruned(store: SQLiteStore, notes: Path):  # fault 10
    update(store, notes)
    (notes / "a.md").unlink()
    (notes / "deep" / "b.txt").unlink()
    summary = update(store, notes)
    assert (did(summary), summary.warnings) == ({"skipped": 1}, [(notes, "empty folder, documents kept")])
    assert "2 kept" in summary.notes[0]
    assert did(update(store, notes, prune=True)) == {"removed": 2}
    assert ids(store) == []


@pytest.mark.parametrize("place", ["disk", "disk/x/y"])
def test_an_emptied_folder_below_another_keeps_its_documents_until_pruned(
    store: SQLiteStore, notes: Path, place: str
):  # fault 10
    write(notes / place / "c.md", "On another disk.")
    update(store, notes)
    shutil.rmtree(notes / "disk")
    (notes / "disk").mkdir()
    (notes / "a.md").unlink()  # is gone as ever
    summary = update(store, notes)
    assert did(summary) == {"unchanged": 1, "removed": 1, "skipped": 1}
    assert summary.notes == [f"{notes / 'disk'}: holds no documents now; 1 kept, --prune removes them"]
    assert did(update(store, notes, prune=True)) == {"unchanged": 1, "removed": 1}
    assert ids(store) == ["notes/deep/b.txt"]


@pytest.mark.parametrize("wanted", [{"glob": "*.txt"}, {"exclude": ("b.md", "c.*")}], ids=["glob", "exclude"])
def test_a_folder_is_not_empty_because_a_run_wants_none_of_its_files(
    store: SQLiteStore, tmp_path: Path, wanted: dict[str, object]
):
    folder = tmp_path / "n"
    for name in ("a.md", "b.md"):
        write(folder / name, name)
    update(store, folder)
    (folder / "a.md").unlink()
    assert update(store, folder, **wanted).removed == 1
    update(store, write(folder / "c.md", "New."))
    (folder / "c.md").unlink()
    store.remove("n/b.md")  # nobody knows of it now
    summary = update(store, folder, **wanted)
    assert summary.removed == 1
    assert not any("--prune" in note for note in summary.notes)


def test_a_folder_that_was_removed_takes_its_documents_with_it(store: SQLiteStore, notes: Path):
    update(store, notes)
    shutil.rmtree(notes / "deep")
    assert did(update(store, notes)) == {"unchanged": 1, "removed": 1}


def test_the_last_file_that_is_moved_out_of_a_folder_is_not_kept_there(store: SQLiteStore, notes: Path):
    update(store, notes)
    (notes / "deep" / "b.txt").rename(notes / "b.txt")
    summary = update(store, notes)
    assert (did(summary), summary.notes) == ({"unchanged": 1, "moved": 1}, [])
    assert ids(store) == ["notes/a.md", "notes/b.txt"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("root", ["/dev/zero", "/dev/stdin", "/proc/self", "/proc", "/sys", "/dev"])
def test_what_the_system_shows_as_files_is_no_root(store: SQLiteStore, notes: Path, root: str):  # fault 2
    update(store, notes)
    with pytest.raises(UsageError) as refused:
        update(store, Path(root), notes, prune=True)
    assert str(refused.value).startswith(f"{root}: ")
    assert len(ids(store)) == 2


def test_a_vanished_folder_is_an_error_and_removes_nothing(store: SQLiteStore, notes: Path, tmp_path: Path):  # fault 10
    update(store, notes)
    notes.rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError) as refused:
        update(store, notes, prune=True)
    assert "nothing was removed" in refused.value.hint
    assert len(ids(store)) == 2


def test_stopping_keeps_the_documents_that_were_done(store: SQLiteStore, tmp_path: Path):
    for n in range(3):
        write(tmp_path / "many" / f"{n}.txt", "\n\n".join(f"Paragraph {n} {m}. " + "word " * 70 for m in range(GROUP)))

    class Stopped(WordEmbedder):
        def passage_tokens(self, texts: Sequence[str]) -> tuple[Matrix, list[Matrix]]:
            if len(self.embedded) >= 2 * GROUP:
                raise KeyboardInterrupt
            return super().passage_tokens(texts)

    summary = Summary()
    with pytest.raises(KeyboardInterrupt):
        update_index([tmp_path / "many"], store=store, embedder=Stopped(), summary=summary)
    assert summary.indexed == len(ids(store)) == 2
    assert list(store.faults()) == []


# Which files


def test_links_are_not_followed(store: SQLiteStore, notes: Path, tmp_path: Path):
    write(tmp_path / "secret" / "c.md", "Secret.")
    (notes / "link.md").symlink_to(tmp_path / "secret" / "c.md")
    (notes / "folder").symlink_to(tmp_path / "secret")
    (notes / "round").symlink_to(notes)
    summary = update(store, notes)
    assert did(summary) == {"indexed": 2, "skipped": 3}
    assert set(summary.reasons) == {"link not followed"}


def test_a_link_that_was_named_is_followed(store: SQLiteStore, notes: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(notes)
    update(store, tmp_path / "link")
    assert ids(store) == ["notes/a.md", "notes/deep/b.txt"]


def test_a_fifo_is_skipped(store: SQLiteStore, notes: Path):
    os.mkfifo(notes / "pipe.md")
    summary = update(store, notes)
    assert summary.skipped == [(notes / "pipe.md", "not a regular file")]


def test_a_named_fifo_is_refused(store: SQLiteStore, tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(UsageError):
        update(store, tmp_path / "pipe.md")


def test_hidden_files_are_not_looked_at_and_unknown_formats_are_counted(store: SQLiteStore, notes: Path):
    write(notes / ".hidden.md", "x")
    write(notes / ".git" / "c.md", "x")
    write(notes / "picture.png", "x")
    summary = update(store, notes)
    assert summary.indexed == 2
    assert summary.reasons == {"unknown format": 1, "version control": 1}
    assert summary.warnings == []


def test_a_named_file_of_unknown_format_is_read_as_text(store: SQLiteStore, tmp_path: Path):
    update(store, write(tmp_path / "code.py", "x = 1\n"))
    assert len(ids(store)) == 1


def test_a_glob_that_nothing_fits_is_told(store: SQLiteStore, notes: Path):
    assert update(store, notes, glob="*.MD").notes == ["nothing to read fits --glob '*.MD'"]
    assert update(store, notes, glob="*.md").notes == []


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("*.txt", ["notes/deep/b.txt"]),
        ("*.py", ["notes/c.py"]),
        ("deep/*", ["notes/deep/b.txt"]),
        ("**/*.txt", ["notes/deep/b.txt"]),
        ("**/*.md", ["notes/a.md"]),
        ("?.*", ["notes/a.md", "notes/c.py", "notes/deep/b.txt"]),
        ("none", []),
    ],
)
def test_a_glob_chooses_by_name_or_by_path(store: SQLiteStore, notes: Path, glob: str, expected: list[str]):
    write(notes / "c.py", "x = 1\n")
    update(store, notes, glob=glob)
    assert ids(store) == expected


def test_a_glob_removes_nothing_that_is_still_there(store: SQLiteStore, notes: Path):
    update(store, notes)
    assert did(update(store, notes, glob="*.md", prune=True)) == {"unchanged": 1}
    assert len(ids(store)) == 2


def test_too_large_a_file_is_skipped_and_the_others_are_not(store: SQLiteStore, notes: Path):
    write(notes / "large.txt", "word " * 5000)
    assert did(update(store, notes)) == {"indexed": 2, "skipped": 1}


def test_a_file_met_twice_is_indexed_once(store: SQLiteStore, notes: Path):
    assert did(update(store, notes, notes / "deep", notes / "a.md")) == {"indexed": 2}


def test_a_file_whose_vector_is_bad_is_skipped(store: SQLiteStore, notes: Path):
    class Broken(WordEmbedder):
        def passage_tokens(self, texts: Sequence[str]) -> tuple[Matrix, list[Matrix]]:
            vectors, tokens = super().passage_tokens(texts)
            vectors[0] = np.nan
            return vectors, tokens

    summary = update(store, notes, embedder=Broken())
    assert did(summary) == {"indexed": 1, "skipped": 1}
    assert summary.reasons == {"bad vector": 1}


# Names


def test_two_folders_of_one_name_give_different_ids(store: SQLiteStore, tmp_path: Path):
    for home in ("x", "y"):
        write(tmp_path / home / "notes" / "a.md", f"Text of {home}.")
    update(store, tmp_path / "x" / "notes", tmp_path / "y" / "notes")
    assert ids(store) == ["notes/a.md", "y/notes/a.md"]


def test_an_id_stays_when_the_folder_is_named_otherwise(store: SQLiteStore, notes: Path):
    update(store, notes)
    assert did(update(store, notes.parent / "notes" / "deep")) == {"unchanged": 1}
    assert ids(store) == ["notes/a.md", "notes/deep/b.txt"]


@pytest.mark.parametrize("name", ["new\nline.md", "caf\udce9.md", "漢字 'q\" %s.md", "-x.md"])
def test_any_name_that_a_file_can_have_is_indexed_and_found_again(store: SQLiteStore, tmp_path: Path, name: str):
    folder = tmp_path / "odd"
    write(folder / name, "Some text.")
    assert did(update(store, folder)) == {"indexed": 1}
    (record,) = store.known().values()
    assert record.path == folder / name
    record.id.encode()
    assert did(update(store, folder)) == {"unchanged": 1}


def test_bytes_that_are_not_utf8_are_spelled_out_in_the_id():
    assert readable(Path("caf\udce9.md")) == "caf\\xe9.md"


def test_a_name_spelled_like_another_ones_bytes_is_a_document_of_its_own(store: SQLiteStore, tmp_path: Path):
    folder = tmp_path / "odd"
    write(folder / "caf\udce9.md", "One text.")
    write(folder / "caf\\xe9.md", "Another text.")
    assert did(update(store, folder)) == {"indexed": 2}
    assert len(ids(store)) == 2


# Collections


def test_documents_go_into_the_collection_and_stay_there(store: SQLiteStore, notes: Path):
    update(store, notes, collection="kitchen")
    write(notes / "a.md", "Another text.")
    update(store, notes)
    assert {record.collection for record in store.known().values()} == {"kitchen"}


def test_another_collection_takes_documents_over(store: SQLiteStore, notes: Path):
    update(store, notes)
    assert did(update(store, notes, collection="kitchen")) == {"indexed": 2}
    assert {record.collection for record in store.known().values()} == {"kitchen"}
    assert list(store.faults()) == []


def test_repaired_files_are_counted(store: SQLiteStore, notes: Path):
    (notes / "c.txt").write_bytes(b"caf\0 au lait")
    assert update(store, notes).repaired == 1


def test_progress_ends_with_all_files_done(store: SQLiteStore, notes: Path):
    steps: list[tuple[int, int]] = []
    update(store, notes, progress=lambda done, total, summary: steps.append((done, total)))
    assert steps == [(0, 2), (1, 2), (2, 2)]


def test_the_fingerprint_names_embedder_and_way_of_cutting():
    assert fingerprint(WordEmbedder()).startswith("words-64:passages-")
