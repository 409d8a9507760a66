"""`ragqa doctor`: every fault is provoked and has to be found, with what mends it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest

from ragqa.catalogue import DEFAULTS, MODELS
from ragqa.doctor import Subject, kept
from ragqa.doctor.machine import confinement
from ragqa.errors import ModelError
from ragqa.files import sha256_of
from ragqa.models import ready
from ragqa.read.apart import Child
from ragqa.read.confine import NETWORK, WRITING
from ragqa.settings import settings_without_files
from tests.cli.test_care import index
from tests.conftest import BREAD, RAGQA, Done, Ragqa
from tests.fakes import WordEmbedder

E5 = DEFAULTS["embed"]
COLD = {"RAGQA_WARM": "0"}


def doctor(ragqa: Ragqa, *arguments: str, **env: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit code, and what was found by what it is about; of several of one kind the last."""
    done = ragqa("doctor", "--json", *arguments, env=COLD | env)
    assert done.err == ""
    assert done.json["ok"] == (done.code == 0)
    return done.code, {one["about"]: one for one in done.json["findings"]}


def assert_fault(found: tuple[int, dict[str, Any]], about: str, *words: str) -> None:
    code, findings = found
    assert (code, findings[about]["level"]) == (1, "fault"), findings[about]
    assert findings[about]["mend"]
    assert all(word in findings[about]["said"] for word in words), findings[about]


def made_model(ragqa: Ragqa, name: str) -> Path:
    """A model whose manifest is right and whose weights are a few bytes."""
    folder = ragqa.home / "models" / name
    folder.mkdir(parents=True)
    weights = folder / "weights.gguf"
    weights.write_bytes(b"GGUF and so on")
    status = weights.stat()
    file = {"path": weights.name, "sha256": sha256_of(weights), "size": 14, "mtime_ns": status.st_mtime_ns}
    known = {"name": name, "kind": "generate", "backend": "llama.cpp", "licence": "MIT", "source": "here"}
    (folder / "manifest.json").write_text(json.dumps(known | {"made_by": "ragqa", "files": [file]}))
    return weights


def test_a_machine_without_an_index_is_in_order(ragqa: Ragqa):
    code, findings = doctor(ragqa)
    assert code == 0
    assert (findings["index"]["level"], findings["index"]["mend"]) == ("note", "ragqa index FOLDER")
    assert findings[f"model {E5}"]["mend"] == "ragqa models prepare"
    assert {"ragqa", "processor", "memory", "disk", "llama_cpp", "onnxruntime", "terminal"} <= set(findings)


def test_each_line_begins_with_what_it_means(ragqa: Ragqa):
    done = ragqa("doctor", env=COLD)
    assert {line.split()[0] for line in done.out.splitlines()} == {"ok", "note", "mend:"}


def test_looking_changes_nothing(ragqa: Ragqa):
    index(ragqa, ragqa.write("bread.md", BREAD))
    before = ragqa.db.read_bytes()
    doctor(ragqa)
    assert ragqa.db.read_bytes() == before


def test_a_flipped_byte_of_weights_is_a_fault(ragqa: Ragqa):
    weights = made_model(ragqa, "mine")
    assert doctor(ragqa)[0] == 0
    times = weights.stat().st_mtime_ns
    weights.write_bytes(b"GGUF and so xn")
    os.utime(weights, ns=(times, times))
    found = doctor(ragqa)
    assert_fault(found, "model mine", "weights.gguf", "sha256 mismatch")
    assert ragqa("models", "verify").err.splitlines()[-1] == f"  hint: {found[1]['model mine']['mend']}"


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("mine", "ragqa models add FILE --name mine"),
        (DEFAULTS["generate"], "ragqa models prepare"),
        ("llama-3.2-3b-instruct", "ragqa models pull llama-3.2-3b-instruct"),
    ],
)
def test_a_question_advises_what_the_doctor_does(ragqa: Ragqa, name: str, way: str):
    made_model(ragqa, name).write_bytes(b"GGUF")
    path = ragqa.home / "models" / name / "manifest.json"
    row = MODELS.get(name)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"form": row.form if row else 1}))
    mend = doctor(ragqa)[1][f"model {name}"]["mend"]
    with pytest.raises(ModelError) as refused:
        ready(ragqa.home / "models", name, lambda line: None)
    assert refused.value.hint == mend
    assert mend.startswith(f"rm -r {ragqa.home}/models/{name} ")
    assert mend.endswith(f"&& {way}")


def test_a_model_that_is_set_and_missing_is_a_fault(ragqa: Ragqa):
    found = doctor(ragqa, RAGQA_MODEL="llama-3.2-3b-instruct")
    assert_fault(found, "model llama-3.2-3b-instruct", "not on this machine")
    assert found[1]["model llama-3.2-3b-instruct"]["mend"] == "ragqa models pull llama-3.2-3b-instruct"
    assert_fault(doctor(ragqa, RAGQA_MODEL="nonesuch"), "model nonesuch", "not known")


def test_a_damaged_manifest_is_a_fault(ragqa: Ragqa):
    made_model(ragqa, "mine")
    (ragqa.home / "models" / "mine" / "manifest.json").write_text("{")
    assert_fault(doctor(ragqa), "model mine", "cannot be read")


def test_a_damaged_index_is_a_fault(ragqa: Ragqa):
    index(ragqa, ragqa.write("bread.md", BREAD))
    whole = ragqa.db.read_bytes()
    ragqa.db.write_bytes(whole.replace(b"wooden box", b"wooden bin"))
    assert_fault(doctor(ragqa), "index", "its text is damaged")
    ragqa.db.write_bytes(whole[: len(whole) // 2])
    assert_fault(doctor(ragqa), "index", "damaged")
    ragqa.db.write_bytes(b"no database at all" * 999)
    assert_fault(doctor(ragqa), "index", "not an index of ragqa")


def test_an_index_that_another_process_holds_is_said(ragqa: Ragqa):
    index(ragqa, ragqa.write("bread.md", BREAD))
    holder = sqlite3.connect(ragqa.db, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        assert "another process" in doctor(ragqa)[1]["index"]["said"]
        done = ragqa()
        assert (done.code, "another process" in done.out) == (0, True)
    finally:
        holder.close()


def test_an_index_of_another_model_is_a_fault(ragqa: Ragqa):
    index(ragqa, ragqa.write("bread.md", BREAD))
    assert_fault(doctor(ragqa), "index model", "made with words, which is not ready")
    assert_fault(doctor(ragqa, RAGQA_EMBED_MODEL=E5), "index model", f"made with words, but {E5} is set")


def test_an_index_is_compared_with_the_model_it_names_not_with_the_default(
    ragqa: Ragqa, monkeypatch: pytest.MonkeyPatch
):
    index(ragqa, ragqa.write("bread.md", BREAD))
    made_model(ragqa, "words")
    opened = {"words": WordEmbedder()}
    monkeypatch.setattr("ragqa.cli.open.open_embedder", lambda settings, say: opened[settings.embed_model])
    *_, last = kept.index(Subject(settings_without_files({"RAGQA_HOME": str(ragqa.home)}), {}))
    assert (last.level, last.said) == ("ok", "made with words, which is here")


def test_a_damaged_history_is_a_fault(ragqa: Ragqa):
    ragqa.home.mkdir()
    (ragqa.home / "logs.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    assert_fault(doctor(ragqa), "history", "logs.db")


def test_loose_modes_are_noted_with_the_command(ragqa: Ragqa):
    index(ragqa, ragqa.write("bread.md", BREAD))
    assert doctor(ragqa)[1]["privacy"]["level"] == "ok"
    ragqa.db.chmod(0o644)
    findings = doctor(ragqa)[1]
    assert findings["privacy"]["level"] == "note"
    assert findings["privacy"]["mend"] == f"chmod 600 {ragqa.db}"
    ragqa.db.chmod(0o600)
    ragqa.home.chmod(0o755)
    assert doctor(ragqa)[1]["privacy"]["mend"] == f"chmod 700 {ragqa.home}"


def test_an_unknown_setting_is_a_fault_and_the_rest_is_still_looked_at(ragqa: Ragqa):
    ragqa.home.mkdir()
    (ragqa.home / "config.toml").write_text("pasages = 3\n")
    found = doctor(ragqa)
    assert_fault(found, "settings", "unknown setting 'pasages'")
    assert "did you mean 'passages'?" in found[1]["settings"]["said"]
    assert found[1]["settings"]["mend"] == "ragqa config unset pasages"
    assert "index" in found[1]


def test_a_full_disk_is_a_fault(ragqa: Ragqa):
    ragqa.home.mkdir()
    script = f"mount -t tmpfs -o size=3m none {ragqa.home} && exec {RAGQA} doctor --json"
    done = ragqa.run(["unshare", "-rm", "sh", "-c", script], env=COLD)
    if "unshare" in done.err or "mount" in done.err:
        pytest.skip("no file system can be mounted here")
    found = done.code, {one["about"]: one for one in done.json["findings"]}
    assert_fault(found, "disk", "3 MB free")


def test_too_little_memory_is_a_fault(ragqa: Ragqa):
    done = ragqa.run(["prlimit", "--as=400000000", str(RAGQA), "doctor", "--json"], env=COLD)
    assert_fault((done.code, {one["about"]: one for one in done.json["findings"]}), "memory", "RLIMIT_AS")


@pytest.mark.parametrize(
    ("held", "level", "words"),
    [
        ({NETWORK, WRITING}, "ok", "while read: no network (own namespace), nothing written (Landlock)"),
        ({WRITING}, "note", "while read: the network within reach (no namespace here), nothing written (Landlock)"),
        ({NETWORK}, "note", "while read: no network (own namespace), files may be written (no Landlock here)"),
    ],
)
def test_what_a_strangers_file_is_kept_from_is_said(
    held: set[str], level: str, words: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Child, "held", lambda child: frozenset(held))
    (finding,) = confinement(Subject(settings_without_files({}), {}))
    assert (finding.level, finding.said, bool(finding.mend)) == (level, words, level != "ok")


def test_a_process_for_strangers_files_that_does_not_start_is_a_fault(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ragqa.doctor.machine.Child", partial(Child, program="ragqa.read.none"))
    (finding,) = confinement(Subject(settings_without_files({}), {}))
    assert (finding.level, finding.said) == ("fault", "the process that reads them does not start: its parser died")


def test_a_library_that_cannot_be_loaded_is_a_fault(ragqa: Ragqa):
    ragqa.write("broken/llama_cpp.py", "import os; os.kill(os.getpid(), 4)")
    ragqa.write("broken/onnxruntime.py", "raise ImportError('libgomp.so.1: cannot open shared object file')")
    found = doctor(ragqa, PYTHONPATH=os.pathsep.join([str(ragqa.cwd / "broken"), os.environ.get("PYTHONPATH", "")]))
    assert_fault(found, "llama_cpp", "killed by signal 4")
    assert_fault(found, "onnxruntime", "libgomp.so.1")


def test_a_terminal_that_cannot_show_everything_is_noted(ragqa: Ragqa):
    env = COLD | {"PYTHONIOENCODING": "ascii"}
    lines = ragqa("doctor", env=env).out.splitlines()
    assert any(line.startswith("note  terminal: standard output is ascii") for line in lines)


# Whether anything opens a socket. The question is a stand-in here: the real one is asked below.


def watched(tmp_path: Path, code: str, *before: str) -> list[str]:
    program = f"""
import sys
from pathlib import Path
from ragqa.doctor import rehearsal
def ask(folder):
    {code}
    return 0
rehearsal._ask = ask
rehearsal.main(Path({str(tmp_path)!r}), Path({str(tmp_path / "witness")!r}), alone={bool(before)})
"""
    subprocess.run([*before, sys.executable, "-c", program], check=True)
    attempts: list[str] = json.loads((tmp_path / "witness").read_text())
    return attempts


def test_a_question_without_sockets_leaves_no_trace(tmp_path: Path):
    assert watched(tmp_path, "import socket; socket.socket(socket.AF_UNIX).close()") == []


def test_a_module_that_opens_a_socket_is_named(tmp_path: Path):
    (tmp_path / "caller.py").write_text("import socket\ndef home(): socket.socket().close()\n")
    (found,) = watched(tmp_path, f"sys.path.append({str(tmp_path)!r}); import caller; caller.home()")
    assert found == "caller opened a socket (AF_INET)"


@pytest.mark.parametrize(
    "way",
    [
        "getaddrinfo('example.invalid', 80)",
        "gethostbyname('example.invalid')",
        "gethostbyaddr('example.invalid')",
        "getnameinfo(('example.invalid', 80), 0)",
    ],
)
def test_a_name_that_is_looked_up_is_named(tmp_path: Path, way: str):
    looks_up = f"with suppress(OSError): socket.{way}"
    (tmp_path / "caller.py").write_text(f"import socket\nfrom contextlib import suppress\n{looks_up}\n")
    (found,) = watched(tmp_path, f"sys.path.append({str(tmp_path)!r}); import caller")
    assert found.startswith(f"caller: socket.{way.split('(')[0]} ")
    assert "'example.invalid'" in found


def test_code_in_c_that_wants_out_is_counted_where_there_is_no_way_out(tmp_path: Path):
    alone = ["unshare", "--map-root-user", "--net"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("no network namespace can be made here")
    address = r"b'\2\0\0\x50\x08\x08\x08\x08' + bytes(8)"
    connect = f"import ctypes; c = ctypes.CDLL(None); c.connect(c.socket(2, 1, 0), {address}, 16)"
    assert watched(tmp_path, connect, *alone) == ["code in C tried 1 times to reach a network"]
    assert watched(tmp_path, "pass", *alone) == []


@pytest.mark.model
def test_an_index_of_other_weights_is_a_fault(notes: Ragqa):
    with sqlite3.connect(notes.db) as db:
        db.execute("UPDATE meta SET value = 'other' WHERE key = 'fingerprint'")
    db.close()
    assert_fault(doctor(notes), "index model", "cannot be compared")


@pytest.mark.model
def test_a_whole_question_opens_no_socket(notes: Ragqa):
    code, findings = doctor(notes, "--offline")
    assert (code, findings["offline, watched"]["level"]) == (0, "ok")
    assert findings["offline, cut off"]["level"] in ("ok", "note")


@pytest.mark.model
def test_the_watched_question_is_not_kept_among_the_user_s(notes: Ragqa):
    assert doctor(notes, "--offline")[0] == 0
    assert not (notes.home / "logs.db").exists()


CALLS_HOME = """
import importlib.abc, sys
class Calls(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "ragqa.retrieve":
            sys.meta_path.remove(self)
            {code}
sys.meta_path.insert(0, Calls())
"""


def with_a_module_that(ragqa: Ragqa, code: str) -> Done:
    ragqa.write("caller/sitecustomize.py", CALLS_HOME.format(code=code))
    path = os.pathsep.join([str(ragqa.cwd / "caller"), os.environ.get("PYTHONPATH", "")])
    return ragqa("doctor", "--offline", "--json", env=COLD | {"PYTHONPATH": path})


@pytest.mark.model
def test_a_module_that_calls_home_in_the_midst_of_a_question_is_found(notes: Ragqa):
    done = with_a_module_that(notes, "import socket; socket.socket().close()")
    findings = {one["about"]: one for one in done.json["findings"]}
    assert_fault((done.code, findings), "offline, watched", "sitecustomize opened a socket (AF_INET)")


# `ragqa` alone


def test_alone_it_says_how_to_begin(ragqa: Ragqa):
    done = ragqa()
    assert (done.code, done.err) == (0, "")
    assert "ragqa index ~/notes" in done.out
    (sample,) = [line.split()[2] for line in done.out.splitlines() if "sample library" in line]
    assert (Path(sample) / "questions.jsonl").is_file()
    assert "ragqa models prepare" in done.out
    assert len(done.out.splitlines()) < 10


def test_alone_it_says_how_much_there_is_to_ask(ragqa: Ragqa):
    index(ragqa, ragqa.write("bread.md", BREAD))
    for name in DEFAULTS.values():
        made_model(ragqa, name)
    done = ragqa()
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[1].startswith("1 document, last indexed 20")
    assert "ragqa search" in done.out
    assert "ragqa models" not in done.out


def test_alone_it_says_what_a_chosen_model_wants(ragqa: Ragqa):
    assert "ragqa models pull llama-3.2-3b-instruct" in ragqa(env={"RAGQA_MODEL": "llama-3.2-3b-instruct"}).out
    assert "ragqa models add FILE --name mine" in ragqa(env={"RAGQA_MODEL": "mine"}).out


def test_alone_it_says_that_an_index_is_damaged(ragqa: Ragqa):
    ragqa.home.mkdir()
    ragqa.db.write_bytes(b"no database at all" * 999)
    done = ragqa()
    assert (done.code, done.err) == (0, "")
    assert "not an index of ragqa" in done.out
    assert "ragqa doctor" in done.out


def test_alone_it_loads_nothing_heavy(ragqa: Ragqa):
    program = (
        "import sys; sys.argv = ['ragqa']; from ragqa.cli.app import run_command; run_command();"
        " print([m for m in ('torch', 'onnxruntime', 'llama_cpp', 'tokenizers', 'tiktoken') if m in sys.modules])"
    )
    assert ragqa.run([sys.executable, "-c", program]).out.splitlines()[-1] == "[]"


def test_on_a_terminal_every_line_stands_by_itself(ragqa: Ragqa):
    made_model(ragqa, "mine")
    index(ragqa, ragqa.write("bread.md", BREAD))
    child = pexpect.spawn(str(RAGQA), ["doctor"], env=ragqa.environment(**COLD, TERM="xterm"), dimensions=(60, 200))
    child.expect(pexpect.EOF, timeout=60)
    screen = pyte.Screen(200, 60)
    pyte.ByteStream(screen).feed(child.before)
    lines = [line.rstrip() for line in screen.display if line.strip()]
    assert {line.split()[0] for line in lines[:-1]} == {"ok", "note", "fault", "mend:"}
    assert lines[-1] == "1 fault"
