"""check, backup, reindex: the index as a whole. Stand-ins embed, so no model is needed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ragqa.chunk import join
from ragqa.cli.alone import alone
from ragqa.cli.whole import WORDS_COUNTED
from ragqa.errors import IndexDamaged, ModelError, NotWritable, RagqaError
from ragqa.index import fingerprint
from ragqa.index.trial import strange_vectors
from ragqa.lock import holder, writing_alone
from ragqa.settings import Settings
from ragqa.store.opening import open_index
from ragqa.store.sqlite import SQLiteStore
from ragqa.store.switch import place_beside
from ragqa.types import Matrix
from tests.cli.test_care import damage
from tests.conftest import RAGQA, Done, Ragqa
from tests.fakes import WordEmbedder, document, passage
from tests.stores.test_sqlite import second_connection
from tests.test_again import Failing, OtherEmbedder

Run = Callable[..., Done]


@pytest.fixture
def embedders(monkeypatch: pytest.MonkeyPatch) -> dict[str, WordEmbedder]:
    """The embedders that there are, by name; the last is the one that is in use."""
    known: dict[str, WordEmbedder] = {"words": WordEmbedder()}

    def opened(settings, say):
        name = settings.embed_model or list(known)[-1]
        if name not in known:
            raise ModelError(f"no model {name!r}")
        return known[name]

    monkeypatch.setattr("ragqa.cli.open.open_embedder", opened)
    monkeypatch.setattr("ragqa.cli.whole.open_embedder", opened)
    return known


def vandal(ragqa: Ragqa, sql: str) -> None:
    db = second_connection(ragqa.db)
    db.execute(sql)
    db.close()


def bytes_of(ragqa: Ragqa) -> dict[str, bytes]:
    """The index and its log."""
    return {path.name: path.read_bytes() for path in (ragqa.db, Path(f"{ragqa.db}-wal")) if path.exists()}


# check


def test_some_passages_are_embedded_anew(shelf: Ragqa, quick: Run, embedders: dict[str, WordEmbedder]):
    assert quick("check", "--sample", "3").code == 0
    assert len(embedders["words"].embedded) == 3


def estrange(ragqa: Ragqa) -> None:
    """Vectors of a document that are another text's, with checksums and sketches that agree."""
    store = open_index(ragqa.db, writable=True)
    passages = store.passages_of("notes/light.md")
    other = WordEmbedder().embed_passages(["something else"] * len(passages))
    store.add(join(store.known()["notes/light.md"], passages), passages, other, store.signs(passages))
    store.close()


def test_a_vector_that_is_not_its_passage_s_is_found(shelf: Ragqa, quick: Run, embedders: object):
    estrange(shelf)
    done = quick("check", "--sample", "1000")
    assert done.code == 13
    assert "notes/light.md#1: its vector is not the one that the model makes of it" in done.out


@pytest.mark.parametrize("also", ["", "DELETE FROM passages_fts"])
def test_repair_makes_all_vectors_anew_where_some_are_strange(
    shelf: Ragqa, quick: Run, embedders: dict[str, WordEmbedder], also: str
):
    estrange(shelf)
    vandal(shelf, also)
    done = quick("check", "--repair", "--sample", "1000")
    passages = open_index(shelf.db).counts()["passages"]
    assert (done.code, f"3 documents kept, 0 lost, {passages} passages embedded anew" in done.out) == (0, True)
    assert quick("check", "--sample", "1000").code == 0


def test_other_passages_are_drawn_another_day(shelf: Ragqa):
    store, embedder = open_index(shelf.db), WordEmbedder()
    for seed in (1, 1, 2):
        assert list(strange_vectors(store, embedder, 3, seed=seed)) == []
    first, again, other = (embedder.embedded[n : n + 3] for n in (0, 3, 6))
    assert first == again != other


def test_an_index_that_cannot_be_written_is_checked_all_the_same(  # fault 56
    shelf: Ragqa, quick: Run, embedders: object, monkeypatch: pytest.MonkeyPatch
):
    def opened(path: Path, *, writable: bool = False, say: Callable[[str], None]) -> SQLiteStore:
        if writable:
            raise NotWritable(f"{path}: cannot be opened or written")
        return open_index(path, say=say)

    monkeypatch.setattr("ragqa.store.opening.open_index", opened)
    found = quick("check", "--json").json
    assert (found["ok"], found["notes"]) == (True, [WORDS_COUNTED])
    vandal(shelf, "DELETE FROM vectors WHERE passage = 1")
    assert quick("check").code == 13


def test_without_the_model_the_rest_is_checked_all_the_same(shelf: Ragqa):
    document = shelf("check", "--json").json
    assert document["ok"]
    assert "no passage was embedded anew" in document["notes"][0]


@pytest.mark.parametrize("arguments", [["check"], ["check", "--repair"]])
def test_a_damaged_index_is_never_written(shelf: Ragqa, arguments: list[str]):  # fault 59
    reader = second_connection(shelf.db)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM documents").get == 3
    assert shelf("forget", "kitchen/bread.md").code in (0, 11)  # stays in the log as long as somebody reads
    kept = shutil.copytree(shelf.home, shelf.home.parent / "kept")
    reader.close()
    for name in ("index.db", "index.db-wal"):
        shutil.copy(kept / name, shelf.home / name)
    (shelf.home / "index.db-shm").unlink(missing_ok=True)
    damage(shelf, b"burned colza oil", lambda found: b"burned whale oil")
    before = bytes_of(shelf)
    assert len(before["index.db-wal"]) > 0
    assert shelf(*arguments).code in (13, 3)
    damaged = [path for path in shelf.home.iterdir() if ".damaged-" in path.name] or [*shelf.home.glob("index.db*")]
    after = {path.name: path.read_bytes() for path in damaged}
    assert before["index.db"] in after.values()
    assert before["index.db-wal"] in after.values()


def test_repair_keeps_what_is_sound_and_names_what_is_not(shelf: Ragqa):  # fault 60
    damage(shelf, b"burned colza oil", lambda found: b"burned whale oil")
    before = shelf.db.read_bytes()
    done = shelf("check", "--repair")
    assert done.code == 3
    assert "lost: notes/light.md: its text is damaged" in done.out
    assert "repaired: 2 documents kept, 1 lost, 0 passages embedded anew" in done.out
    assert shelf("check").code == 0
    assert [line["id"] for line in shelf("ls", "--nl").lines] == ["kitchen/bread.md", "notes/secret.md"]
    (damaged,) = shelf.home.glob("index.db.damaged-*Z")
    assert damaged.read_bytes() == before
    assert {stat.S_IMODE(path.stat().st_mode) for path in shelf.home.glob("index.db*")} == {0o600}


def test_repair_makes_damaged_vectors_anew(shelf: Ragqa, quick: Run, embedders: dict[str, WordEmbedder]):
    vandal(shelf, "UPDATE vectors SET crc32 = 1 WHERE passage = 1")  # fault 60
    vandal(shelf, "DELETE FROM tokens WHERE passage = 2")
    records = [{**line, "indexed_at": "then"} for line in shelf("ls", "--nl").lines]
    vandal(shelf, "UPDATE documents SET indexed_at = 'then'")
    done = quick("check", "--repair", "--json")
    assert (done.code, done.json["embedded"], done.json["lost"]) == (0, 2, [])
    assert quick("check", "--sample", "1000").code == 0
    assert shelf("ls", "--nl").lines == records


def test_repair_without_the_model_leaves_everything_as_it_was(shelf: Ragqa):
    vandal(shelf, "UPDATE vectors SET crc32 = 1 WHERE passage = 1")
    before = shelf.db.read_bytes()
    assert shelf("check", "--repair").code in (2, 12)
    assert shelf.db.read_bytes() == before


@pytest.mark.parametrize("table", ["sketches", "passages_fts_data", "passages_fts_docsize"])
def test_repair_makes_the_tables_for_searching_anew(shelf: Ragqa, table: str):
    vandal(shelf, f"DELETE FROM {table}")
    assert shelf("check").code == 13
    assert shelf("check", "--repair").out.startswith("repaired: 3 documents kept, 0 lost")
    assert shelf("check").code == 0


def test_repair_of_a_sound_index_does_nothing(shelf: Ragqa):
    before = shelf.db.read_bytes()
    assert shelf("check", "--repair").out.startswith("ok: 3 documents")
    assert shelf.db.read_bytes() == before


def test_an_index_of_which_nothing_can_be_read_is_left_alone(shelf: Ragqa):  # fault 59
    shelf.db.write_bytes(bytes(range(1, 256)) * 40)
    done = shelf("check", "--repair")
    assert done.code == 13
    assert "restore a backup" in done.err
    assert shelf.db.read_bytes() == bytes(range(1, 256)) * 40


def test_an_index_of_a_newer_version_is_not_repaired(shelf: Ragqa):  # fault 61
    with sqlite3.connect(shelf.db) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = shelf.db.read_bytes(), shelf.db.stat().st_mtime_ns
    done = shelf("check", "--repair")
    assert (done.code, "upgrade ragqa" in done.err) == (13, True)
    assert (shelf.db.read_bytes(), shelf.db.stat().st_mtime_ns) == before


@pytest.mark.parametrize("arguments", [["check"], ["check", "--repair"]])
def test_what_another_process_does_meanwhile_is_no_fault(  # fault 65
    shelf: Ragqa, quick: Run, embedders: dict[str, WordEmbedder], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
):
    """Documents are replaced and removed between the reading of their names and that of their passages."""
    usual = SQLiteStore.vectors_of

    def late(store: SQLiteStore, document_id: str):
        with closing(open_index(shelf.db, writable=True)) as other:
            if document_id == "notes/secret.md":
                other.remove(document_id)
            else:
                passages = [passage("something else", document=document_id)]
                vectors = WordEmbedder().embed_passages([passages[0].text])
                other.add(document("something else", id=document_id), passages, vectors)
        return usual(store, document_id)

    monkeypatch.setattr(SQLiteStore, "vectors_of", late)
    done = quick(*arguments, "--sample", "1000")
    assert (done.code, done.out[:2]) == (0, "ok"), done


def test_what_a_repair_that_was_broken_off_took_out_of_sight_is_found_again(shelf: Ragqa):  # fault 62
    reader = second_connection(shelf.db)
    store = open_index(shelf.db, writable=True)
    store.add(document("in the log", id="n/new.md"), [passage("in the log", document="n/new.md")], words_of("log"))
    damaged = shelf.home / "index.db.damaged-20260101T000000Z"
    os.link(shelf.db, damaged)
    shutil.copy(f"{shelf.db}-wal", f"{damaged}-wal")
    main = shelf.db.read_bytes()
    store.close()
    reader.close()
    shelf.db.write_bytes(main)
    assert not Path(f"{shelf.db}-wal").exists()
    assert "a repair was broken off" in shelf("check").out
    assert shelf("check", "--repair").out.startswith("repaired: 4 documents kept, 0 lost")
    assert "n/new.md" in {line["id"] for line in shelf("ls", "--nl").lines}
    assert shelf("check").code == 0


def words_of(text: str) -> Matrix:
    return WordEmbedder().embed_passages([text])


def test_repair_looks_again_when_nobody_writes(  # fault 65
    shelf: Ragqa, quick: Run, embedders: dict[str, WordEmbedder], monkeypatch: pytest.MonkeyPatch
):
    looked = []

    def faults(store: SQLiteStore):
        looked.append(holder(shelf.db))
        yield from [] if looked[-1] else ["what somebody was just writing"]

    monkeypatch.setattr(SQLiteStore, "faults", faults)
    assert quick("check", "--repair").out.startswith("ok: 3 documents")
    assert (len(looked), looked[0]) == (2, "")
    assert [*shelf.home.glob("*.damaged-*")] == []


# backup


def test_a_backup_is_the_index_as_it_is(shelf: Ragqa):
    before = os.umask(0)
    try:
        assert shelf("backup", "kept.db").code == 0
    finally:
        os.umask(before)
    kept = shelf.cwd / "kept.db"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert shelf("check", "--db", kept).out.startswith("ok: 3 documents")
    assert shelf("ls", "--nl", "--db", kept).lines == shelf("ls", "--nl").lines


def test_a_backup_replaces_a_file_only_when_told(shelf: Ragqa):
    other = shelf.write("kept.db", b"something else")
    assert shelf("backup", "kept.db").code == 2
    assert other.read_bytes() == b"something else"
    assert shelf("backup", "kept.db", "--force").code == 0
    assert shelf("check", "--db", other).code == 0


@pytest.mark.parametrize("name", ["home/index.db", "folder", "/dev/null"])
def test_a_backup_never_replaces_the_index_itself_nor_what_is_no_file(shelf: Ragqa, name: str):
    (shelf.cwd / "folder").mkdir()
    before = shelf.db.read_bytes()
    target = shelf.db if name.startswith("home") else name
    done = shelf("backup", target, "--force")
    assert (done.code, str(target) in done.err) == (2, True)
    assert shelf.db.read_bytes() == before


def test_a_backup_to_a_link_replaces_the_file_that_it_names(shelf: Ragqa):
    shelf("backup", "kept.db")
    (shelf.cwd / "link.db").symlink_to("kept.db")
    shelf("forget", "notes/secret.md")
    assert shelf("backup", "link.db", "--force").code == 0
    assert (shelf.cwd / "link.db").is_symlink()
    assert shelf("ls", "--nl", "--db", "kept.db").lines == shelf("ls", "--nl").lines


def test_without_an_index_a_backup_says_so_whatever_lies_there(ragqa: Ragqa):
    ragqa.write("kept.db", b"something else")
    assert ragqa("backup", "kept.db", "--force").code == 10


def test_a_backup_that_cannot_be_written_leaves_nothing_behind(shelf: Ragqa):
    done = shelf.shell("ulimit -f 64; trap '' XFSZ; ragqa backup kept.db")
    assert done.code == 14
    assert "kept.db" in done.err
    assert [path.name for path in shelf.cwd.iterdir() if path.is_file()] == []


@pytest.mark.parametrize("left", [0.0, 0.5])
def test_a_backup_of_a_damaged_index_says_so_of_the_index(shelf: Ragqa, left: float):  # fault 59
    with closing(open_index(shelf.db)) as store:
        os.truncate(shelf.db, int(shelf.db.stat().st_size * left) // 4096 * 4096)
        with pytest.raises(IndexDamaged, match=rf"^{shelf.db}: ") if left else pytest.raises(RagqaError) as error:
            store.back_up(shelf.cwd / "kept.db")
    assert str(shelf.db) in error.value.message
    assert not (shelf.cwd / "kept.db").exists()


# reindex


def test_reindex_moves_the_index_to_the_model_that_is_named(  # fault 47
    shelf: Ragqa,
    quick: Run,
    embedders: dict[str, WordEmbedder],
):
    records = shelf("ls", "--nl").lines
    embedders["other words"] = OtherEmbedder()
    refused = quick("search", "lighthouse", "--embed-model", "other words")
    assert (refused.code, "ragqa reindex --embed-model other words" in refused.err) == (12, True)
    assert quick("search", "lighthouse").code == 0  # with the model it was made with
    done = quick("reindex", "--embed-model", "other words")
    assert (done.code, done.out) == (0, "made anew with other words (before: words): 3 documents\n")
    assert shelf("ls", "--nl").lines == records
    assert quick("check", "--sample", "1000").code == 0
    assert quick("search", "lighthouse").code == 0
    assert open_index(shelf.db).fingerprint == fingerprint(OtherEmbedder())
    assert sorted(path.name for path in shelf.home.glob("index.db.*")) == ["index.db.lock"]


def test_reindex_has_nothing_to_do_for_the_model_that_made_the_index(
    shelf: Ragqa,
    quick: Run,
    embedders: dict[str, WordEmbedder],
):
    before = shelf.db.read_bytes()
    assert quick("reindex").out == "nothing to do: the index is made with words\n"
    assert shelf.db.read_bytes() == before


def test_reindex_without_a_name_keeps_the_model_that_made_the_index(
    shelf: Ragqa,
    quick: Run,
    embedders: dict[str, WordEmbedder],
):
    embedders["other words"] = OtherEmbedder()  # what a new index would be made with
    vandal(shelf, "UPDATE meta SET value = replace(value, ':passages-', ':passages-of-before-')")
    assert quick("reindex").out == "made anew with words (before: words): 3 documents\n"


def test_reindex_as_json(shelf: Ragqa, quick: Run, embedders: dict[str, WordEmbedder]):
    embedders["other words"] = OtherEmbedder()
    document = quick("reindex", "--json", "--embed-model", "other words").json
    assert (document["reindexed"], document["kept"], document["skipped"]) == (3, 0, [])
    assert (document["embed_model"], document["embed_model_before"]) == ("other words", "words")


def test_a_document_that_cannot_be_embedded_is_skipped_and_named(  # fault 48
    shelf: Ragqa,
    quick: Run,
    embedders: dict[str, WordEmbedder],
):
    embedders["other words"] = Failing()
    done = quick("reindex", "--embed-model", "other words")
    assert done.code == 3
    assert "skipped 1 (bad vector×1)" in done.out
    assert [line["id"] for line in shelf("ls", "--nl").lines] == ["notes/light.md", "notes/secret.md"]


def test_a_model_of_which_nothing_can_be_used_changes_nothing(  # fault 48
    shelf: Ragqa,
    quick: Run,
    embedders: dict[str, WordEmbedder],
):
    broken = OtherEmbedder()
    broken.embed_passages = lambda texts: np.full((len(texts), 64), np.nan, np.float32)  # type: ignore[method-assign]
    embedders["other words"] = broken
    before = shelf.db.read_bytes()
    assert quick("reindex", "--embed-model", "other words").code == 12
    assert shelf.db.read_bytes() == before


def test_status_tells_of_an_unfinished_reindex_and_of_a_writer(
    shelf: Ragqa,
    quick: Run,
    embedders: dict[str, WordEmbedder],
):
    class Stopping(OtherEmbedder):
        def embed_passages(self, texts):
            if any("Bread" in text for text in texts):
                raise KeyboardInterrupt
            return super().embed_passages(texts)

    embedders["other words"] = Stopping()
    done = quick("reindex", "--embed-model", "other words")
    assert (done.code, done.err) == (
        130,
        "stopped; 0 documents are done, the old index answers; run again to continue\n",
    )
    with writing_alone(shelf.db, "ragqa index notes"):
        values = shelf("status", "--json").json
    assert values["reindexing"] == {"embed_model": "other words", "documents": 0}
    assert values["writer"] == f"process {os.getpid()} (ragqa index notes)"
    assert (values["types"], values["stale"], values["refused"]) == ({"markdown": 3}, 0, 0)
    assert values["first_indexed"] <= values["last_indexed"]


@pytest.mark.parametrize("command", [["reindex"], ["check", "--repair"], ["forget", "kitchen/bread.md"]])
def test_only_one_command_writes_at_a_time(  # fault 64
    shelf: Ragqa,
    quick: Run,
    embedders: dict[str, WordEmbedder],
    command: list[str],
):
    vandal(shelf, "UPDATE vectors SET crc32 = 1 WHERE passage = 1")
    holder = shelf.write("hold.py", "from ragqa.lock import *\nfrom pathlib import Path\nimport sys\n" + HOLD)
    with subprocess.Popen([sys.executable, holder, shelf.db], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        done = quick(*command, "-o", "patience=0")
        other.communicate(b"\n")
    assert done.code == 11
    assert f"locked by process {other.pid} (ragqa index ~/notes)" in done.err


def test_a_log_that_has_grown_large_is_said(  # fault 66
    shelf: Ragqa, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("ragqa.cli.alone.LARGE", 1)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    settings = Settings(home=shelf.home, config=shelf.home, db=shelf.db)
    store = open_index(shelf.db, writable=True)
    with alone(settings):
        store.remove("kitchen/bread.md")
    store.close()
    assert "index.db-wal has 0 MB: another process keeps the index open" in capsys.readouterr().err


HOLD = "with writing_alone(Path(sys.argv[1]), 'ragqa index ~/notes'): print('held', flush=True); sys.stdin.readline()\n"


@pytest.mark.model
@pytest.mark.timeout(480)
def test_a_killed_reindex_goes_on_where_it_was_and_until_then_the_old_index_answers(prepared: Ragqa, library: Ragqa):
    shutil.copy(library.db, prepared.db)  # fault 62
    question = ("search", "What does E5 want in front of a passage?", "-n", "1", "--nl")
    (answer,) = prepared(*question).lines
    made = open_index(prepared.db).fingerprint
    with closing(sqlite3.connect(prepared.db)) as db, db:
        db.execute("UPDATE meta SET value = replace(value, ':passages-', ':passages-of-before-')")
    records = prepared("ls", "--nl").lines
    done = 0
    for _ in range(3):
        with subprocess.Popen([RAGQA, "reindex"], env=prepared.environment(), stdout=-3, stderr=-3) as run:
            while run.poll() is None and begun(prepared) <= done:
                time.sleep(0.02)
            run.kill()
        assert run.returncode == -signal.SIGKILL
        assert begun(prepared) > done  # what was done before is kept
        done = begun(prepared)
        assert prepared(*question).lines == [answer]
        assert prepared("check").code == 0
    finished = prepared("reindex", "--json").json
    assert finished["kept"] >= done
    assert finished["kept"] + finished["reindexed"] == len(records)
    assert open_index(prepared.db).fingerprint == made
    assert prepared(*question).lines == [answer]
    assert prepared("ls", "--nl").lines == records
    assert prepared("check", "--sample", "1000").code == 0


def begun(ragqa: Ragqa) -> int:
    """How many documents an unfinished reindex has made anew."""
    try:
        store = open_index(place_beside(ragqa.db))
    except RagqaError:
        return 0
    with closing(store):
        return store.count_documents()
