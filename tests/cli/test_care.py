"""ls, status, check, forget: none of them needs a model, so these indexes are made with a stand-in."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from ragqa.chunk import join, split
from ragqa.document import Place, Refusal
from ragqa.files import unfinished
from ragqa.store.opening import open_index
from ragqa.store.switch import place_beside
from tests.cli.conftest import SECRET, index
from tests.conftest import BREAD, Done, Ragqa
from tests.fakes import WordEmbedder, words
from tests.stores.test_sqlite import second_connection


def kept(ragqa: Ragqa) -> list[str]:
    return [line["id"] for line in ragqa("ls", "--nl").lines]


def stored_bytes(ragqa: Ragqa) -> bytes:
    return b"".join(path.read_bytes() for path in ragqa.home.glob("index.db*"))


def damage(ragqa: Ragqa, find: bytes, change: Callable[[bytes], bytes]) -> None:
    """Change one place of the file behind SQLite's back."""
    content = ragqa.db.read_bytes()
    assert find in content
    ragqa.db.write_bytes(content.replace(find, change(find)))


def test_ls_names_each_document_with_its_place(shelf: Ragqa):
    first = shelf("ls", "--json").json[0]
    assert first["id"] == first["path"] == "kitchen/bread.md"
    assert (first["collection"], first["passages"], first["size"]) == ("kitchen", 1, len(BREAD))
    assert list(first) == [
        *("id", "path", "collection", "passages", "size", "sha256", "indexed_at"),
        *("type", "title", "tags", "date", "stale"),
    ]
    assert (first["type"], first["tags"], first["date"], first["stale"]) == ("markdown", [], None, None)


def test_ls_in_a_pipe_is_one_line_a_document(shelf: Ragqa):
    assert [line.split("\t")[0] for line in shelf("ls").out.splitlines()] == kept(shelf)


def test_ls_shows_only_the_collection_asked_for(shelf: Ragqa):
    lines = shelf("ls", "-c", "kitchen", "--nl").lines
    assert [line["id"] for line in lines] == ["kitchen/bread.md"]


def test_ls_refuses_an_unknown_collection_and_names_the_known(shelf: Ragqa):
    done = shelf("ls", "-c", "garden")
    assert done.code == 2
    assert "kitchen, notes" in done.err


def test_status_counts_what_is_there(shelf: Ragqa):
    values = shelf("status", "--json").json
    assert (values["documents"], values["collections"]) == (3, {"kitchen": 1, "notes": 2})
    assert (values["embed_model"], values["dim"]) == ("words", 64)
    assert values["passages"] == sum(line["passages"] for line in shelf("ls", "--nl").lines)


def test_check_finds_nothing_wrong_with_a_sound_index(shelf: Ragqa):
    assert shelf("check").out.startswith("ok: 3 documents")
    assert shelf("check", "--json").json["ok"]


def test_check_names_the_document_whose_vector_is_damaged(shelf: Ragqa):
    with sqlite3.connect(shelf.db) as db:
        (vector,) = db.execute("SELECT vector FROM vectors ORDER BY passage LIMIT 1").fetchone()
    db.close()
    damage(shelf, vector[:32], lambda found: bytes([found[0] ^ 1]) + found[1:])
    done = shelf("check")
    assert done.code == 13
    assert "notes/light.md#1: its vector is damaged" in done.out


def test_check_names_the_document_whose_text_is_damaged(shelf: Ragqa):
    damage(shelf, b"burned colza oil", lambda found: b"burned whale oil")
    done = shelf("check", "--json")
    assert done.code == 13
    assert "notes/light.md#1: its text is damaged" in done.json["faults"]


@pytest.mark.parametrize("table", ["vectors", "passages_fts_docsize", "sketches", "passages"])
def test_check_notices_a_row_that_is_gone(shelf: Ragqa, table: str):
    key = {"vectors": "passage", "passages_fts_docsize": "id", "sketches": "key", "passages": "key"}
    with sqlite3.connect(shelf.db) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("DROP TRIGGER passages_deleted")
        db.execute(f"DELETE FROM {table} WHERE {key[table]} = 1")
    db.close()
    assert shelf("check").code == 13


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_an_index_cut_short_is_damaged_and_stays_as_it_is(shelf: Ragqa, share: float):
    content = shelf.db.read_bytes()
    shelf.db.write_bytes(content[: int(len(content) * share)])
    done = shelf("check")
    assert done.code == 13
    assert shelf.db.stat().st_size == int(len(content) * share)


def test_an_index_of_a_newer_version_is_refused_untouched(shelf: Ragqa):
    with sqlite3.connect(shelf.db) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = shelf.db.read_bytes()
    done = shelf("ls")
    assert done.code == 13
    assert "upgrade ragqa" in done.err
    assert shelf.db.read_bytes() == before


def test_forget_leaves_no_byte_of_the_text(shelf: Ragqa):  # fault 63
    assert SECRET.encode() in stored_bytes(shelf)
    assert shelf("forget", "notes/secret.md").out == "forgot 1 document\n"
    assert SECRET.encode() not in stored_bytes(shelf)
    assert b"periwinkl" not in stored_bytes(shelf)
    assert shelf("check").code == 0


def test_forget_takes_a_folder_and_leaves_the_files(shelf: Ragqa):
    assert shelf("forget", "notes").out == "forgot 2 documents\n"
    assert kept(shelf) == ["kitchen/bread.md"]
    assert (shelf.cwd / "notes" / "secret.md").exists()


def test_forget_takes_a_collection(shelf: Ragqa):
    assert shelf("forget", "-c", "kitchen").code == 0
    assert kept(shelf) == ["notes/light.md", "notes/secret.md"]


def test_forget_takes_a_file_that_is_gone(shelf: Ragqa):
    (shelf.cwd / "notes" / "secret.md").unlink()
    assert shelf("forget", shelf.cwd / "notes" / "secret.md").code == 0


@pytest.mark.parametrize("arguments", [[], ["garden"], [""], ["notes", "garden"], ["-c", "garden"], ["notes#1"]])
def test_forget_of_what_is_not_there_removes_nothing(shelf: Ragqa, arguments: list[str]):
    assert shelf("forget", *arguments).code == 2
    assert len(kept(shelf)) == 3


def test_a_collection_that_is_mistyped_beside_a_known_one_removes_nothing(shelf: Ragqa):
    assert shelf("forget", "-c", "kitchen", "-c", "gardn").code == 2
    assert len(kept(shelf)) == 3


def test_a_name_that_is_not_utf8_is_listed_and_forgotten(ragqa: Ragqa):
    path = ragqa.write("caf\udce9.md", BREAD)
    index(ragqa, path.parent)
    assert kept(ragqa) == ["work/caf\\xe9.md"]
    assert ragqa("forget", b"caf\xe9.md").code == 0
    assert kept(ragqa) == []


def test_a_name_never_breaks_a_table(ragqa: Ragqa):
    path = ragqa.write("a\tb\n\x1b[2J\u202e[red]c.md", BREAD)
    index(ragqa, path.parent)
    (line,) = ragqa("ls").out.splitlines()
    assert len(line.split("\t")) == 6
    assert not {"\x1b", "\u202e"} & set(line)


def test_reading_leaves_the_index_as_private_as_it_was(shelf: Ragqa):
    shelf("check")
    shelf("forget", "notes/light.md")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in shelf.home.glob("index.db*")}
    assert modes == {0o600}


def test_forget_takes_a_file_that_was_refused_and_leaves_no_byte_of_its_name(shelf: Ragqa):  # fault 63
    store = open_index(shelf.db, writable=True)
    path = shelf.cwd / "notes" / "payslip-7391.pdf"
    store.refuse([Refusal(path, "aa", 1, 2, 3, "encrypted", "1")])
    store.close()
    assert b"payslip-7391" in stored_bytes(shelf)
    assert shelf("forget", path).out == "forgot 0 documents\n"
    assert b"payslip-7391" not in stored_bytes(shelf)
    assert shelf("status", "--json").json["refused"] == 0


def test_forget_leaves_no_byte_of_tags_title_and_places(shelf: Ragqa):  # fault 63
    store = open_index(shelf.db, writable=True)
    secrets = {"title": f"title {SECRET}", "tags": (f"tag {SECRET}",), "places": (Place(0, "row", 1, SECRET),)}
    document = replace(join(store.known()["notes/light.md"], store.passages_of("notes/light.md")), **secrets)
    passages = split(document, words, 512)
    store.add(document, passages, WordEmbedder().embed_passages([one.text for one in passages]))
    store.remove("notes/secret.md")
    store.erase()
    store.close()
    assert SECRET.encode() in stored_bytes(shelf)
    assert shelf("forget", "notes/light.md").code == 0
    assert SECRET.encode() not in stored_bytes(shelf)


def test_forget_that_a_reader_holds_up_is_done_by_the_same_command_later(  # fault 63
    shelf: Ragqa, quick: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(open_index, "__kwdefaults__", (open_index.__kwdefaults__ or {}) | {"patience_ms": 1})
    reader = second_connection(shelf.db)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM documents").get == 3
    refused = quick("forget", "notes/secret.md")
    assert (refused.code, "nothing was removed" in refused.err, len(kept(shelf))) == (11, True, 3)
    reader.close()
    assert quick("forget", "notes/secret.md").out == "forgot 1 document\n"
    assert SECRET.encode() not in stored_bytes(shelf)


def test_forget_goes_on_with_what_is_still_in_the_log(shelf: Ragqa):
    reader = second_connection(shelf.db)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM documents").get == 3
    store = open_index(shelf.db, writable=True)
    store.remove("notes/secret.md")
    assert SECRET.encode() in stored_bytes(shelf)
    reader.close()
    store.close()
    shelf("forget", "notes/secret.md")
    assert SECRET.encode() not in stored_bytes(shelf)


def test_forget_takes_the_copy_from_before_a_migration_along_and_names_a_damaged_index(  # fault 63
    shelf: Ragqa, quick: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
):
    for name in ("schema-4.bak", "damaged-20260101T000000Z"):
        (shelf.home / f"index.db.{name}").touch()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert "index.db.damaged-20260101T000000Z" in quick("forget", "notes/secret.md").err
    assert not (shelf.home / "index.db.schema-4.bak").exists()


def test_forget_leaves_no_byte_in_an_index_that_was_being_made_anew(  # fault 63
    shelf: Ragqa, quick: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
):
    for name in (place_beside(shelf.db).name, "index.db.repairing"):
        for beside in ("", "-wal", "-shm"):
            (shelf.home / f"{name}{beside}").write_text(SECRET)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert "`ragqa reindex` begins it anew" in quick("forget", "notes/secret.md").err
    assert SECRET.encode() not in stored_bytes(shelf)
    assert {path.name for path in shelf.home.glob("index.db*")} <= {"index.db", "index.db.lock"}


def test_forget_through_a_link_reaches_what_lies_beside_the_index(shelf: Ragqa, quick: Callable[..., Done]):  # fault 63
    (shelf.cwd / "link.db").symlink_to(shelf.db)
    copy = shelf.home / "index.db.schema-4.bak"
    copy.write_text(SECRET)
    assert quick("forget", "notes/secret.md", "--db", "link.db").code == 0
    assert not copy.exists()


def test_forget_clears_away_what_a_killed_process_was_copying(shelf: Ragqa):  # fault 63
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = shelf.home / f".making-{ended.pid}-copy"
    left.write_text(SECRET)
    running = shelf.home / f"{unfinished()}copy"
    running.touch()
    assert shelf("forget", "notes/secret.md").code == 0
    assert (left.exists(), running.exists()) == (False, True)


def test_forget_names_the_history_where_there_is_one(  # fault 63
    shelf: Ragqa, quick: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert "ragqa logs forget" not in quick("forget", "notes/light.md").err
    (shelf.home / "logs.db").touch()
    assert "`ragqa logs forget` removes questions from it" in quick("forget", "notes/secret.md").err
