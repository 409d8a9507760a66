"""`ragqa index` on the real E5: what it says, what it keeps, and that nothing it meets can stop or fool it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ragqa.errors import RagqaError
from ragqa.store.opening import open_index
from tests.cli.test_ask import on_a_terminal
from tests.conftest import BREAD, CORPUS, LIGHTHOUSE, RAGQA, Ragqa

pytestmark = pytest.mark.model
SEED = 1894
KILLS = 20


@pytest.fixture
def folder(prepared: Ragqa) -> Ragqa:
    """Two documents, not indexed yet."""
    prepared.write("notes/light.md", f"# The light\n\n{LIGHTHOUSE}")
    prepared.write("notes/bread.txt", BREAD)
    return prepared


def counts(ragqa: Ragqa, *arguments: object) -> dict[str, int]:
    """What a run says of itself, without what is zero."""
    document = ragqa("index", *arguments, "--json").json
    return {name: n for name, n in document.items() if name in ("indexed", "unchanged", "moved", "removed") and n}


def ids(ragqa: Ragqa) -> list[str]:
    return [line["id"] for line in ragqa("ls", "--nl").lines]


def test_the_summary_is_one_line(folder: Ragqa):
    done = folder("index", "notes")
    assert (done.code, done.err) == (0, "")
    assert done.out == "indexed 2, unchanged 0, removed 0, skipped 0\n"


def test_the_summary_as_json_has_the_documented_fields(folder: Ragqa):
    document = folder("index", "notes", "--json").json
    assert list(document) == [
        *("indexed", "unchanged", "moved", "removed", "skipped", "passages", "seconds"),
        *("stale", "remarks"),
    ]
    assert (document["indexed"], document["passages"], document["skipped"]) == (2, 2, [])


def test_unchanged_edited_deleted_moved_and_new_documents_are_told_apart(folder: Ragqa):
    assert counts(folder, "notes") == {"indexed": 2}
    assert counts(folder, "notes") == {"unchanged": 2}
    folder.write("notes/light.md", "The lighthouse was rebuilt in 1954.\n")
    assert counts(folder, "notes") == {"indexed": 1, "unchanged": 1}
    (folder.cwd / "notes" / "bread.txt").rename(folder.cwd / "notes" / "loaf.txt")
    assert counts(folder, "notes") == {"moved": 1, "unchanged": 1}
    (folder.cwd / "notes" / "light.md").unlink()
    assert counts(folder, "notes") == {"removed": 1, "unchanged": 1}
    assert ids(folder) == ["notes/loaf.txt"]
    assert folder("check").code == 0


def test_a_file_that_was_only_touched_is_unchanged(folder: Ragqa):
    counts(folder, "notes")
    os.utime(folder.cwd / "notes" / "light.md", ns=(1, 1))
    assert counts(folder, "notes") == {"unchanged": 2}


def test_what_cannot_be_read_is_skipped_with_its_reason(folder: Ragqa):
    os.mkfifo(folder.cwd / "notes" / "pipe.md")
    (folder.cwd / "notes" / "link.md").symlink_to("/etc/hostname")
    (folder.cwd / "notes" / "loop").symlink_to("..")
    folder.write("notes/binary.md", bytes(range(256)) * 20)
    done = folder("index", "notes", "--json")
    assert done.code == 3
    assert {one["path"]: one["reason"] for one in done.json["skipped"]} == {
        "notes/pipe.md": "not a regular file",
        "notes/link.md": "link not followed",
        "notes/loop": "link not followed",
        "notes/binary.md": "binary",
    }
    assert len(ids(folder)) == 2


def test_ragqas_own_models_are_no_documents(folder: Ragqa):
    shutil.copytree(folder.cwd / "notes", folder.home / "notes")
    models = (folder.home / "models").resolve()
    (folder.home / "models").unlink()
    (folder.home / "models").mkdir()
    for model in models.iterdir():
        (folder.home / "models" / model.name).symlink_to(model)
    done = folder("index", folder.home, "--json")
    assert (done.code, done.json["indexed"]) == (0, 2)
    assert [Path(one["path"]).name for one in done.json["skipped"] if one["reason"] == "ragqa's own"] == ["models"]


def test_reasons_are_counted_in_the_summary(folder: Ragqa):
    os.mkfifo(folder.cwd / "notes" / "one")
    os.mkfifo(folder.cwd / "notes" / "two")
    assert "skipped 2 (not a regular file×2)" in folder("index", "notes").out


def test_how_a_file_was_read_is_said_with_its_name(folder: Ragqa):
    words = "Am Kanal, über dem Wehr, öffnet die Mühle früh. Die Brücke heißt „Schöne Aussicht“ – seit 1954.\n"
    for n in range(6):
        folder.write(f"old/{n}.txt", f"{n}: {words}".encode("cp1252"))
    said = on_a_terminal(folder, "index", "old", columns=200)
    assert [line for line in said.splitlines() if "remark" in line or "read as" in line] == [
        *(f"old/{n}.txt: read as cp1252" for n in range(5)),
        "… and 1 more remarks; --json has them all",
    ]
    for n in range(6):
        folder.write(f"old/{n}.txt", f"{n}. {words}".encode("cp1252"))
    remarks = folder("index", "old", "--json").json["remarks"]
    assert remarks == [{"path": f"old/{n}.txt", "remark": "read as cp1252"} for n in range(6)]


@pytest.mark.parametrize("content", ["", " \n\t\n", "\ufeff"], ids=["nothing", "spaces", "only a mark"])
def test_an_empty_file_is_no_reason_to_warn(folder: Ragqa, content: str):
    folder.write("notes/empty.md", content)
    done = folder("index", "notes")
    assert (done.code, done.out) == (0, "indexed 2, unchanged 0, removed 0, skipped 1 (empty×1)\n")


def test_a_missing_path_removes_nothing(folder: Ragqa):  # fault 10
    counts(folder, "notes")
    shutil.rmtree(folder.cwd / "notes")
    done = folder("index", "notes")
    assert done.code == 2
    assert len(ids(folder)) == 2


def test_an_emptied_folder_is_kept_until_prune(folder: Ragqa):  # fault 10
    counts(folder, "notes")
    shutil.rmtree(folder.cwd / "notes")
    (folder.cwd / "notes").mkdir()
    emptied = folder("index", "notes")
    said = "indexed 0, unchanged 0, removed 0, skipped 1 (empty folder, documents kept×1)\n"
    assert (emptied.code, emptied.out) == (3, said)
    assert counts(folder, "notes", "--prune") == {"removed": 2}


@pytest.mark.parametrize("path", ["/dev/zero", "/proc/self", "/dev/stdin", "/dev/null"])
def test_what_holds_no_documents_is_refused(folder: Ragqa, path: str):  # fault 2
    assert folder("index", path).code == 2


def test_the_index_is_born_private(folder: Ragqa):
    old = os.umask(0)
    try:
        folder("index", "notes")
    finally:
        os.umask(old)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.home.glob("index.db*")} == {0o600}


def test_the_documents_are_left_as_they_were(folder: Ragqa):
    def seen() -> list[tuple[Path, bytes, int, int]]:
        files = sorted((folder.cwd / "notes").iterdir())
        return [(path, path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode) for path in files]

    before = seen()
    folder("index", "notes")
    assert seen() == before


# fault 7
@pytest.mark.parametrize(
    "name", ["a\nb.md", "\x1b[2J.md", "[/red].md", "\u202egpj.md", "caf\udce9.md", "x" * 252 + ".md"]
)
def test_a_document_of_any_name_is_indexed(prepared: Ragqa, name: str):
    prepared.write(f"notes/{name}", BREAD)
    assert prepared("index", "notes").code == 0
    assert prepared("index", "notes").out.startswith("indexed 0, unchanged 1")


@pytest.mark.parametrize("content", ["a" * 30_000, "^" * 30_000, "e" + "\u0301" * 30_000], ids=["a", "^", "accents"])
def test_one_enormous_line_is_cut_into_passages(prepared: Ragqa, content: str):
    prepared.write("long.txt", content)
    done = prepared("index", "long.txt", "--json")
    assert (done.code, done.json["indexed"]) == (0, 1)
    assert done.json["passages"] > 1


def test_the_glob_limits_the_names(folder: Ragqa):
    assert counts(folder, "notes", "--glob", "*.txt") == {"indexed": 1}
    assert ids(folder) == ["notes/bread.txt"]


def test_a_full_disk_is_said_and_what_was_there_stays(folder: Ragqa):
    counts(folder, "notes")
    shutil.copytree(CORPUS, folder.cwd / "corpus")
    limit = folder.db.stat().st_size + 200_000
    done = folder.shell(f"ulimit -f {limit // 1024}; trap '' XFSZ; ragqa index corpus")
    assert done.code == 14
    assert "Traceback" not in done.err
    assert folder("check").code == 0
    assert {"notes/light.md", "notes/bread.txt"} <= set(ids(folder))


def test_another_writer_is_waited_for_and_then_named(folder: Ragqa):
    import sqlite3

    counts(folder, "notes")
    folder.write("notes/new.md", "A third note, about nothing at all.\n")
    other = sqlite3.connect(folder.db, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with contextlib.closing(other):
        done = folder("index", "notes")
    assert done.code == 11
    assert "another process is writing" in done.err


@contextlib.contextmanager
def running(ragqa: Ragqa, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """An index run in the background, with a session of its own; gone at the end, whatever happens."""
    process = subprocess.Popen(
        [RAGQA, "index", *arguments],
        cwd=ragqa.cwd,
        env=ragqa.environment(RAGQA_THREADS="2"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell that runs the suite in the background has it ignore Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def written(ragqa: Ragqa) -> int:
    """Bytes of the index and of its log: they grow with each document."""
    return sum(path.stat().st_size for path in (ragqa.db, Path(f"{ragqa.db}-wal")) if path.exists())


def stored(ragqa: Ragqa) -> int:
    """Documents in the index so far; none while it is being made."""
    try:
        store = open_index(ragqa.db)
    except RagqaError:
        return 0
    try:
        return store.count_documents()
    finally:
        store.close()


def wait_for(process: subprocess.Popen[bytes], ragqa: Ragqa, size: int) -> None:
    while process.poll() is None and written(ragqa) < size:
        time.sleep(0.005)


@pytest.mark.timeout(240)
def test_killed_at_any_moment_the_index_is_whole(prepared: Ragqa, library: Ragqa):  # fault 50
    shutil.copytree(CORPUS, prepared.cwd / "corpus")
    whole = library.db.stat().st_size
    moments = random.Random(SEED).sample(range(whole), KILLS)
    killed = 0
    for size in sorted(moments):
        with running(prepared, "corpus", "-c", "corpus") as process:
            wait_for(process, prepared, min(size, written(prepared) + whole // KILLS))
            process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        assert prepared("check").code in (0, 10)  # 10: killed before the index was made
    assert killed >= KILLS // 2
    assert prepared("index", "corpus", "-c", "corpus").code == 0
    assert prepared("check").code == 0
    assert [line["id"] for line in library("ls", "--nl").lines] == ids(prepared)


def test_ctrl_c_keeps_what_was_done(prepared: Ragqa):
    shutil.copytree(CORPUS, prepared.cwd / "corpus")
    with running(prepared, "corpus") as process:
        while process.poll() is None and not stored(prepared):
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate()
    kept = len(ids(prepared))
    assert process.returncode == 130
    # The signal may fall between a document's commit and its count.
    said = {f"stopped; {n} new documents kept; run again to continue\n" for n in (kept, kept - 1)}
    assert err.decode() in said
    assert prepared("check").code == 0
    done = counts(prepared, "corpus")
    assert (done["unchanged"], done["indexed"] + kept) == (
        kept,
        len(list(CORPUS.rglob("*.md")) + list(CORPUS.rglob("*.txt"))),
    )


def test_an_index_that_is_large_enough_is_calibrated_once(library: Ragqa):
    found = library("status", "--json").json
    assert found["calibration"]["passages"] == found["passages"]
    assert found["calibration"]["questions"] == 40
    # The weights were fitted on this library among others, so the questions drawn from it change nothing.
    assert (found["calibration"]["slope"], found["calibration"]["shift"]) == (1, 0)


def test_a_small_index_is_not_calibrated(folder: Ragqa):
    folder("index", "notes")
    assert folder("status", "--json").json["calibration"] is None


def test_secrets_are_named_by_reason_and_their_text_is_nowhere(folder: Ragqa):
    key = "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n"
    folder.write("notes/.env", "PASSWORD=periwinkle-7391\n")
    folder.write("notes/id_ed25519", key)
    folder.write("notes/keys.md", f"Mine:\n\n{key}")
    folder.write("notes/.git/notes.md", "A letter periwinkle-7391 that was deleted.\n")
    done = folder("index", "notes")
    assert (done.code, done.out) == (
        3,
        "indexed 2, unchanged 0, removed 0, skipped 4 (secret×3, version control×1)\n",
    )
    stored = b"".join(path.read_bytes() for path in folder.home.glob("index.db*"))
    assert (b"periwinkle" in stored, b"b3BlbnNz" in stored, b"lighthouse" in stored) == (False, False, True)
    assert counts(folder, "notes", "--include-secrets") == {"indexed": 3, "unchanged": 2}


def test_what_is_left_out_on_purpose_is_no_reason_to_warn(folder: Ragqa):
    folder.write("notes/.gitignore", "*.txt\n")
    folder.write("notes/picture.png", b"\x89PNG")
    folder.write("notes/drafts/a.md", BREAD)
    done = folder("index", "notes", "--exclude", "drafts")
    assert (done.code, done.out) == (
        0,
        "indexed 1, unchanged 0, removed 0, skipped 3 (excluded×1, ignored×1, unknown format×1)\n",
    )
    assert counts(folder, "notes", "--no-ignore") == {"indexed": 2, "unchanged": 1}


def test_an_edited_document_is_marked_stale_when_it_cannot_be_read(folder: Ragqa):
    counts(folder, "notes")
    folder.write("notes/light.md", bytes(range(256)) * 20)
    done = folder("index", "notes", "--json")
    assert (done.code, done.json["stale"], done.json["removed"]) == (3, 1, 0)
    assert {line["id"]: line["stale"] for line in folder("ls", "--nl").lines} == {
        "notes/light.md": "binary",
        "notes/bread.txt": None,
    }
    assert folder("status", "--json").json["stale"] == 1


def test_links_inside_the_folder_are_followed_when_asked_for(folder: Ragqa):
    folder.write("notes/deep/c.md", "A third note, about nothing at all.\n")
    (folder.cwd / "notes" / "store").symlink_to("deep")
    assert folder("index", "notes").code == 3
    done = folder("index", "notes", "--follow")
    assert (done.code, ids(folder)) == (0, ["notes/bread.txt", "notes/deep/c.md", "notes/light.md"])


def test_a_file_that_took_too_long_is_tried_again_with_more_time(folder: Ragqa):
    folder.write("notes/page.html", "<p>The harbour froze in 1929.</p>")
    hurried = folder("index", "notes", "-o", "read_seconds=0.001")
    assert (hurried.code, hurried.out) == (3, "indexed 2, unchanged 0, removed 0, skipped 1 (took over 0.001 s×1)\n")
    assert counts(folder, "notes") == {"unchanged": 2}
    assert counts(folder, "notes", "--retry") == {"indexed": 1, "unchanged": 2}
