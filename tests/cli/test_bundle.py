"""`ragqa bundle` and `unbundle`: what is packed here works there, and what was tampered with changes nothing."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ragqa.bundle.pack import pack
from ragqa.bundle.unpack import Places, unpack
from ragqa.database import log_of
from ragqa.errors import IndexLocked, RagqaError
from ragqa.history import open_history
from ragqa.manifest import Manifest, read_manifest, weights_file, write_manifest
from ragqa.models import ready
from tests.cli.test_care import index, kept
from tests.conftest import BREAD, LIGHTHOUSE, RAGQA, Ragqa
from tests.stores.test_sqlite import left_open, made

Change = Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None]


def model(ragqa: Ragqa, name: str, kind: str, weights: bytes, *, elsewhere: Path | None = None) -> Path:
    """A model whose manifest is right, and whose weights are no weights."""
    folder = ragqa.home / "models" / name
    folder.mkdir(parents=True)
    path = (elsewhere or folder) / "weights.gguf"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(weights)
    file = weights_file(path)
    file = file if elsewhere else replace(file, path=path.name)
    write_manifest(Manifest(name, kind, "llama.cpp", "MIT", "here", (file,), "ragqa", folder))  # type: ignore[arg-type]
    return path


def machine_with_bundle(ragqa: Ragqa) -> Ragqa:
    """Have a home with an index of one document and both models, and a bundle of it."""
    full = replace(ragqa, env={"RAGQA_MODEL": "mine"})
    index(full, full.write("light.md", LIGHTHOUSE))
    model(full, "words", "embed", b"GGUF of words")
    model(full, "mine", "generate", b"GGUF of mine", elsewhere=full.cwd / "downloads")
    done = full("bundle", "b.ragqa")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("b.ragqa: mine, words, the index; ")
    return full


@pytest.fixture
def packed(ragqa: Ragqa) -> Ragqa:
    return machine_with_bundle(ragqa)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle, and nothing left of the machine that it was made on."""
    folder = tmp_path_factory.mktemp("packed")
    (folder / "work").mkdir()
    full = machine_with_bundle(Ragqa(folder / "home", folder / "work"))
    shutil.move(full.cwd / "b.ragqa", folder / "b.ragqa")
    shutil.rmtree(full.home)
    shutil.rmtree(full.cwd)
    return folder / "b.ragqa"


@pytest.fixture
def there(bundle: Path, tmp_path: Path) -> Ragqa:
    """Another machine, with the bundle and nothing else."""
    (tmp_path / "there").mkdir()
    shutil.copy(bundle, tmp_path / "there")
    return Ragqa(tmp_path / "new", tmp_path / "there", {"RAGQA_MODEL": "mine"})


def rewritten(path: Path, change: Change) -> None:
    """The bundle again, with each member changed, or left out where None is returned."""
    with tarfile.open(path) as tar:
        members = [(header, tar.extractfile(header).read()) for header in tar]  # type: ignore[union-attr]
    with tarfile.open(path, "w") as tar:
        for header, content in members:
            if changed := change(header, content):
                header, content = changed
                header.size = len(content) if header.isreg() else 0
                tar.addfile(header, io.BytesIO(content) if header.isreg() else None)


def listed(change: Callable[[dict[str, Any]], None]) -> Change:
    """A change of the list at the beginning."""

    def changed(header: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if header.name != "bundle.json":
            return header, content
        values = json.loads(content)
        change(values)
        return header, json.dumps(values).encode()

    return changed


def assert_refused(there: Ragqa, code: int, *words: str) -> None:
    done = there("unbundle", "b.ragqa")
    assert (done.code, done.out, done.err.count("\n") <= 2) == (code, "", True), done.err
    assert all(word in done.err for word in words), done.err
    assert not there.home.exists() or list(there.home.iterdir()) == []


def test_what_was_packed_is_set_up_elsewhere(there: Ragqa):
    done = there("unbundle", "b.ragqa")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [str(there.home / part) for part in ("models/mine", "models/words", "index.db")]
    assert kept(there) == ["work/light.md"]
    assert there("check").code == 0
    assert there("models", "verify").code == 0
    assert sorted(path.name for path in there.home.iterdir()) == ["index.db", "models"]


def test_a_home_can_be_named(there: Ragqa, tmp_path: Path):
    assert there("unbundle", "b.ragqa", "--home", tmp_path / "named").code == 0
    assert (tmp_path / "named" / "index.db").is_file()
    assert not there.home.exists()


def test_weights_that_lay_elsewhere_lie_in_the_models_own_folder(there: Ragqa):
    there("unbundle", "b.ragqa")
    manifest = read_manifest(there.home / "models" / "mine")
    assert manifest.weights == there.home / "models" / "mine" / "weights" / "weights.gguf"
    assert manifest.weights.read_bytes() == b"GGUF of mine"


def test_a_model_that_was_set_up_need_not_be_hashed_again(there: Ragqa, monkeypatch: pytest.MonkeyPatch):
    there("unbundle", "b.ragqa")
    monkeypatch.setattr("ragqa.manifest.sha256_of", lambda path: pytest.fail("hashed"))
    assert ready(there.home / "models", "mine", lambda line: None).name == "mine"


def test_bundle_and_what_is_set_up_are_for_their_owner_alone(there: Ragqa):
    old = os.umask(0)
    try:
        there("unbundle", "b.ragqa")
    finally:
        os.umask(old)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in there.home.rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert stat.S_IMODE((there.cwd / "b.ragqa").stat().st_mode) == 0o600


def test_what_is_still_in_the_log_of_the_index_is_packed(packed: Ragqa):
    held = (
        f"import sqlite3; c = sqlite3.connect({str(packed.db)!r}, isolation_level=None); c.execute('BEGIN');"
        " c.execute('SELECT count(*) FROM documents').fetchall(); print(flush=True); input()"
    )
    reader = subprocess.Popen([sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reader.stdout and reader.stdout.readline()  # noqa: PT018
    index(packed, packed.write("bread.md", BREAD))
    assert (packed.home / "index.db-wal").stat().st_size > 0
    assert packed("bundle", "two.ragqa").code == 0
    reader.communicate(b"\n")
    home = packed.cwd / "two"
    assert packed("unbundle", packed.cwd / "two.ragqa", "--home", home).code == 0
    assert len(packed("ls", "--db", home / "index.db").out.splitlines()) == 2


def test_history_settings_and_wheels_come_along_if_wished(packed: Ragqa):
    open_history(packed.home / "logs.db").close()
    (packed.home / "config.toml").write_text("passages = 7\n")
    packed.write("wheels/one-1.0-py3-none-any.whl", b"PK")
    (packed.home / "prompts").mkdir()
    (packed.home / "prompts" / "mine.txt").write_text("Say it.\n---\n$passages $question\n")
    options = ("--with-history", "--with-config", "--wheels", "wheels")
    assert "history, config.toml, 1 wheels" in packed("bundle", "all.ragqa", *options).out
    assert packed("unbundle", "all.ragqa", "--home", "all").code == 0
    found = {str(path.relative_to(packed.cwd / "all")) for path in (packed.cwd / "all").rglob("*") if path.is_file()}
    assert {"logs.db", "config.toml", "prompts/mine.txt", "wheels/one-1.0-py3-none-any.whl", "index.db"} <= found


def test_history_and_settings_stay_unless_wished(packed: Ragqa):
    (packed.home / "config.toml").write_text("passages = 7\n")
    (packed.home / "logs.db").write_bytes(b"")
    packed("bundle", "plain.ragqa")
    names = [line.split("\t")[0] for line in packed("bundle", "plain.ragqa", "--list").out.splitlines()]
    assert not {"config.toml", "logs.db"} & set(names)


def test_a_list_names_every_member_and_all_packages(packed: Ragqa):
    contents = packed("bundle", "b.ragqa", "--list", "--json").json
    assert {member["path"] for member in contents["members"]} == {
        "index.db",
        "models/mine/manifest.json",
        "models/mine/weights/weights.gguf",
        "models/words/manifest.json",
        "models/words/weights.gguf",
    }
    assert contents["packages"]["llama-cpp-python"]
    assert all(len(member["sha256"]) == 64 for member in contents["members"])


def test_a_file_that_is_there_is_not_replaced_unless_forced(packed: Ragqa):
    before = (packed.cwd / "b.ragqa").read_bytes()
    assert packed("bundle", "b.ragqa").code == 2
    assert (packed.cwd / "b.ragqa").read_bytes() == before
    assert packed("bundle", "b.ragqa", "--force").code == 0


# A pipe stands for every device: were one of the machine's own named here, a fault in the code would replace it.
@pytest.mark.parametrize("place", ["downloads", "pipe"])
def test_what_is_no_regular_file_is_never_replaced(packed: Ragqa, place: str):
    os.mkfifo(packed.cwd / "pipe")
    before = (packed.cwd / place).stat()
    done = packed("bundle", place, "--force")
    assert (done.code, done.out, "no regular file" in done.err, "--force" in done.err) == (2, "", True, False)
    assert (packed.cwd / place).stat().st_ino == before.st_ino


def test_a_full_disk_is_said_of_the_bundle_and_leaves_nothing(packed: Ragqa):
    with (packed.home / "models" / "words" / "large").open("wb") as file:
        file.truncate(2_000_000)
    manifest = read_manifest(packed.home / "models" / "words")
    write_manifest(replace(manifest, files=(*manifest.files, weights_file(manifest.folder / "large"))))
    (packed.cwd / "small").mkdir()
    bundling = f"{RAGQA} bundle small/x.ragqa; echo $?; ls -A small"
    done = packed.run(["unshare", "-rm", "sh", "-c", f"mount -t tmpfs -o size=1m none small && {{ {bundling}; }}"])
    if "unshare" in done.err or "mount" in done.err:
        pytest.skip("no file system can be mounted here")
    assert done.out == "14\n"
    place = packed.cwd / "small" / "x.ragqa"
    assert done.err.startswith(f"ragqa: {place}: cannot be written: No space left on device\n")


def test_a_history_that_cannot_be_read_is_named(packed: Ragqa):
    (packed.home / "logs.db").write_bytes(b"no history" * 500)
    done = packed("bundle", "new.ragqa", "--with-history")
    assert (done.code, f"{packed.home / 'logs.db'}: " in done.err) == (13, True)
    assert not (packed.cwd / "new.ragqa").exists()


def test_a_model_that_is_damaged_is_not_packed(packed: Ragqa):
    weights = packed.home / "models" / "words" / "weights.gguf"
    times = weights.stat().st_mtime_ns
    weights.write_bytes(b"GGUF of worms")
    os.utime(weights, ns=(times, times))
    done = packed("bundle", "new.ragqa")
    assert (done.code, "weights.gguf" in done.err) == (12, True)
    assert sorted(path.name for path in packed.cwd.iterdir()) == ["b.ragqa", "downloads", "light.md"]


def test_ctrl_c_leaves_nothing(packed: Ragqa, tmp_path: Path):
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(tmp_path / "x.ragqa", {"config.toml": packed.cwd / "light.md"}, {}, interrupt)
    assert not list(tmp_path.glob("*x.ragqa*"))
    assert not list(tmp_path.glob(".*"))


# What is refused


@pytest.mark.parametrize(("name", "code"), [("models/mine/weights/weights.gguf", 12), ("index.db", 13)])
def test_a_flipped_byte_changes_nothing(there: Ragqa, name: str, code: int):
    def flip(header: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        return header, bytes([content[0] ^ 1]) + content[1:] if header.name == name else content

    rewritten(there.cwd / "b.ragqa", flip)
    assert_refused(there, code, name, "sha256 mismatch")


@pytest.mark.parametrize("name", ["models/mine/manifest.json", "index.db"])
def test_a_member_that_is_missing_changes_nothing(there: Ragqa, name: str):
    rewritten(there.cwd / "b.ragqa", lambda header, content: None if header.name == name else (header, content))
    assert_refused(there, 12 if "manifest" in name else 13, name)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.9])
def test_a_bundle_that_is_cut_short_changes_nothing(there: Ragqa, share: float):
    path = there.cwd / "b.ragqa"
    os.truncate(path, int(path.stat().st_size * share))
    done = there("unbundle", "b.ragqa")
    assert done.code in (12, 13)
    assert not there.home.exists() or list(there.home.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no bundle", b"\x1f\x8b\x08" + bytes(100), bytes(10240)])
def test_what_is_no_bundle_is_refused(there: Ragqa, content: bytes):
    (there.cwd / "b.ragqa").write_bytes(content)
    assert_refused(there, 13, "b.ragqa")


@pytest.mark.parametrize(
    "path",
    ["/etc/cron.d/x", "../x", "models/../../x", "models/mine/../../x", ".bashrc", "models/x", "other/x", "prompts//x"],
)
def test_a_list_that_leads_elsewhere_is_refused(there: Ragqa, path: str):
    rewritten(there.cwd / "b.ragqa", listed(lambda values: values["members"][0].update(path=path)))
    assert_refused(there, 13, "no bundle may hold")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_a_member_that_is_no_plain_file_is_refused(there: Ragqa, kind: bytes):
    def link(header: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if header.name == "index.db":
            header.type, header.linkname = kind, "/etc/passwd"
        return header, content

    rewritten(there.cwd / "b.ragqa", link)
    assert_refused(there, 13, "index.db")


@pytest.mark.parametrize("name", ["../x", "/tmp/ragqa-x", "more", "index.db"])
def test_a_member_that_is_not_in_the_list_is_refused(there: Ragqa, name: str):
    with tarfile.open(there.cwd / "b.ragqa", "a") as tar:
        tar.addfile(tarfile.TarInfo(name))
    assert_refused(there, 13, name)


def test_a_member_that_claims_another_size_is_refused(there: Ragqa):
    rewritten(there.cwd / "b.ragqa", listed(lambda values: values["members"][-1].update(size=10**15)))
    assert_refused(there, 14, "MB are needed")


def test_a_bundle_of_a_newer_version_is_refused(there: Ragqa):
    rewritten(there.cwd / "b.ragqa", listed(lambda values: values.update(schema=99, ragqa="9.0")))
    assert_refused(there, 13, "made by ragqa 9.0", "upgrade ragqa")


def test_a_manifest_that_leads_out_of_its_folder_is_refused(there: Ragqa):
    name = "models/words/manifest.json"
    hostile = there.write("hostile.gguf", b"GGUF of words")
    with tarfile.open(there.cwd / "b.ragqa") as tar:
        manifest = json.loads(tar.extractfile(name).read())  # type: ignore[union-attr]
    manifest["files"][0]["path"] = str(hostile)
    content = json.dumps(manifest).encode()
    own = {"path": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def relist(values: dict[str, Any]) -> None:
        values["members"] = [own if member["path"] == name else member for member in values["members"]]

    rewritten(there.cwd / "b.ragqa", listed(relist))
    rewritten(there.cwd / "b.ragqa", lambda header, old: (header, content if header.name == name else old))
    assert_refused(there, 12, "not in the bundle")


# What is there already


def test_nothing_that_is_there_is_replaced_unless_forced(there: Ragqa):
    index(there, there.write("bread.md", BREAD))
    before = there.db.read_bytes()
    done = there("unbundle", "b.ragqa")
    assert (done.code, "is there already" in done.err) == (2, True)
    assert there.db.read_bytes() == before
    assert not (there.home / "models").exists()
    assert there("unbundle", "b.ragqa", "--force").code == 0
    assert [name.rpartition("/")[2] for name in kept(there)] == ["light.md"]


def test_the_log_of_a_replaced_index_goes_with_it(there: Ragqa):
    index(there, there.write("bread.md", BREAD))
    (there.home / "index.db-wal").write_bytes(b"of the old one")
    assert there("unbundle", "b.ragqa", "--force").code == 0
    assert not (there.home / "index.db-wal").exists()
    assert there("check").code == 0


@pytest.mark.parametrize("name", ["index.db", "library"])
def test_an_index_that_another_process_has_open_is_not_replaced(
    there: Ragqa, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setattr("ragqa.database.BUSY_MS", 1)
    home, db = there.home, there.cwd / name
    places = Places(home / "models", db, home / "l", home / "c", home / "prompts", home / "wheels")

    def unpacked() -> None:
        unpack(there.cwd / "b.ragqa", places, force=True, progress=lambda done, total: None)

    made(db).close()
    with left_open(db) as reader:
        with pytest.raises(IndexLocked, match="another process has it open"):
            unpacked()
        reader.communicate()
    with left_open(db, "dies") as died:
        died.wait()
    unpacked()
    assert not log_of(db).exists()


def test_a_model_that_is_there_and_the_same_stays(there: Ragqa):
    there("unbundle", "b.ragqa")
    weights = there.home / "models" / "mine" / "weights" / "weights.gguf"
    before = weights.stat().st_ino
    there.db.unlink()
    done = there("unbundle", "b.ragqa")
    assert (done.code, done.out) == (0, f"{there.db}\n")
    assert weights.stat().st_ino == before


def test_what_a_killed_process_left_behind_is_cleared_away(there: Ragqa):
    (there.home / ".unbundling-99999999-x").mkdir(parents=True)
    assert there("unbundle", "b.ragqa").code == 0
    assert sorted(path.name for path in there.home.iterdir()) == ["index.db", "models"]


def test_a_rename_that_fails_puts_everything_back(there: Ragqa):
    (there.home / "models" / "mine").mkdir(parents=True)
    (there.home / "models" / "mine" / "own").write_text("old")
    there.write("a-file", b"")
    home = there.home
    places = Places(
        home / "models", there.cwd / "a-file" / "x.db", home / "l", home / "c", home / "prompts", home / "wheels"
    )
    with pytest.raises((OSError, RagqaError)):
        unpack(there.cwd / "b.ragqa", places, force=True, progress=lambda done, total: None)
    assert (home / "models" / "mine" / "own").read_text() == "old"
    assert [path.name for path in (home / "models").iterdir()] == ["mine"]
    assert [path.name for path in home.iterdir()] == ["models"]


@pytest.mark.model
def test_a_question_is_answered_in_a_new_home_without_a_network(notes: Ragqa, tmp_path: Path):
    assert notes("bundle", tmp_path / "b.ragqa").code == 0
    new = Ragqa(tmp_path / "new", tmp_path)
    alone = ["unshare", "-rn"] if notes.shell("unshare -rn true").code == 0 else []
    done = new.run([*alone, str(RAGQA), "unbundle", "b.ragqa"])
    assert (done.code, done.err) == (0, "")
    done = new.run([*alone, str(RAGQA), "ask", "When was the lighthouse first lit?", "--json"], env={"RAGQA_WARM": "0"})
    assert (done.code, done.err) == (0, "")
    assert "1894" in done.json["answer"]
    assert new("models", "verify").code == 0
