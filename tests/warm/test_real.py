"""On the real models: what a warm process prints is what a process of its own prints, to the byte."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pexpect
import pytest

from ragqa.catalogue import DEFAULTS
from tests.conftest import LIGHTHOUSE, Done, Ragqa
from tests.warm.conftest import eventually, is_running

pytestmark = pytest.mark.model
COMMAND = [sys.executable, "-m", "ragqa"]
# Each process names its answers anew and takes its own time.
MASKED = re.compile(r'"(id)": ?"[0-9A-Z]{26}"|"timing_ms": ?\{[^}]*\}|^ms: .*$', re.MULTILINE)
QUESTION = "What does E5 want in front of a passage?"
ABSTAINED = "Who painted the Mona Lisa?"


def run(ragqa: Ragqa, *arguments: str, stdin: str = "", **env: str) -> Done:
    done = ragqa.run([*COMMAND, *arguments], stdin=stdin, env=env)
    assert "Traceback" not in done.err, done.err
    return done


def masked(done: Done) -> tuple[int, str, str]:
    return done.code, MASKED.sub("…", done.out), MASKED.sub("…", done.err)


def served(ragqa: Ragqa) -> int:
    return int(run(ragqa, "serve", "--status", "--json").json.get("served", -1))


@pytest.fixture(scope="module")
def runtime() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def warm(library: Ragqa, runtime: Path) -> Iterator[Ragqa]:
    """The sample library with a warm process."""
    ragqa = replace(library, env={"XDG_RUNTIME_DIR": str(runtime)})
    assert run(ragqa, "serve", "--background").code == 0
    yield ragqa
    run(ragqa, "serve", "--stop")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ask", QUESTION], 0),
        (["ask", "When was the first public release of SQLite?", "--explain"], 0),
        (["ask", QUESTION, "--json", "--explain"], 0),
        (["ask", "How does reciprocal rank fusion work?", "--quotes", "--plain"], 0),
        (["ask", "Why is bread kept in a wooden box?", "-t", "bullets", "-o", "passages=3"], None),
        ([QUESTION], 0),
        (["ask", ABSTAINED], 4),
        (["ask", "How many documents mention Okapi?"], 0),
        (["search", "prefix of a passage"], 0),
        (["search", "prefix of a passage", "--json", "-n", "3"], 0),
        (["similar", "corpus", "-c", "query: log files"], 0),
        (["ls"], 0),
        (["status", "--json"], 0),
        (["path", "db"], 0),
        (["ask"], 2),
        (["ask", "one", "two"], 2),
        (["search", "x", "-c", "nothing"], 2),
        (["ask", QUESTION, "--db", "none.db"], 10),
        (["ask", QUESTION, "--embed-model", "e6"], 12),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_warm_and_cold_print_the_same(warm: Ragqa, arguments: list[str], code: int | None):
    before = served(warm)
    found = [run(warm, *arguments), run(warm, *arguments)]
    cold = run(warm, *arguments, RAGQA_WARM="0")
    assert masked(found[0]) == masked(found[1]) == masked(cold)
    assert code in (None, cold.code)
    assert served(warm) == before + 2


def test_the_history_has_answers_of_the_warm_process_as_of_any_other(warm: Ragqa):
    for use in ("", "0"):
        run(warm, "ask", QUESTION, "--quotes", RAGQA_WARM=use)
    first, second = run(warm, "logs", "-n", "2", "--json").json
    assert first["question"] == second["question"] == QUESTION
    assert (first["answer"], first["sources"]) == (second["answer"], second["sources"])
    assert first["id"] < second["id"]


def test_a_batch_from_standard_input_is_answered_the_same(warm: Ragqa):
    lines = json.dumps({"id": 1, "question": QUESTION}) + f"\n{ABSTAINED}\n"
    found, cold = (run(warm, "ask", "--batch", "-", stdin=lines, RAGQA_WARM=use) for use in ("", "0"))
    assert masked(found) == masked(cold)
    assert len(cold.out.splitlines()) == 2


@pytest.mark.parametrize("form", [["--quotes"], ["--quotes", "--json"], []], ids=" ".join)
def test_a_document_from_standard_input_is_asked_the_same(warm: Ragqa, form: list[str]):
    before = served(warm)
    arguments = ["ask", "When was the lighthouse first lit?", "--with", "-", *form]
    found, cold = (run(warm, *arguments, stdin=LIGHTHOUSE, RAGQA_WARM=use) for use in ("", "0"))
    assert masked(found) == masked(cold)
    assert (cold.code, served(warm)) == (0, before + 1)


# fault 74
def test_a_process_killed_between_two_answers_costs_its_client_and_nobody_else(warm: Ragqa):
    server = run(warm, "serve", "--status", "--json").json["pid"]
    batch = [*COMMAND, "ask", "--quotes", "--batch", "-"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    client = subprocess.Popen(batch, env=warm.environment(), **pipes)  # type: ignore[call-overload]
    client.stdin.write(f"{QUESTION}\n".encode())
    client.stdin.flush()
    assert json.loads(client.stdout.readline())["question"] == QUESTION
    (process,) = [pid for pid in _forks(server) if _stdin(pid) == _stdin(client.pid)]
    os.kill(process, signal.SIGKILL)
    out, _err = client.communicate(timeout=60)
    assert (out, client.returncode) == (b"", -signal.SIGKILL)
    assert run(warm, "ask", QUESTION, "--quotes").code == 0
    assert run(warm, "serve", "--status", "--json").json["pid"] == server


# fault 74
def test_twenty_questions_that_start_one_together_start_one(notes: Ragqa, runtime: Path):
    ragqa = replace(notes, env={"XDG_RUNTIME_DIR": str(runtime), "RAGQA_WARM": "1"})
    command = [*COMMAND, "ask", "When was the lighthouse lit?", "--quotes"]
    streams = {"stdout": subprocess.PIPE, "env": ragqa.environment(), "cwd": ragqa.cwd}
    asked = [subprocess.Popen(command, **streams) for _ in range(20)]  # type: ignore[call-overload]
    assert {process.communicate(timeout=200)[0] for process in asked} == {asked_alone(ragqa).out.encode()}
    eventually(lambda: len(warm_processes(ragqa)) == 1 and run(ragqa, "serve", "--status").code == 0)
    assert warm_processes(ragqa) == [run(ragqa, "serve", "--status", "--json").json["pid"]]
    run(ragqa, "serve", "--stop")


def asked_alone(ragqa: Ragqa) -> Done:
    return run(ragqa, "ask", "When was the lighthouse lit?", "--quotes", RAGQA_WARM="0")


def warm_processes(ragqa: Ragqa) -> list[int]:
    """Those that run `serve` for this home and are no fork of another one."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words, environ = ((folder / name).read_bytes().split(b"\0") for name in ("cmdline", "environ"))
            if b"serve" in words and f"RAGQA_HOME={ragqa.home}".encode() in environ:
                found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            pass  # it has just ended
    return [pid for pid, parent in found.items() if parent not in found]


@pytest.mark.parametrize(
    "script",
    [
        "$RAGQA ask 'What is BM25?' --quotes | true; echo ${PIPESTATUS[0]}",
        "$RAGQA ls >&-; echo $?",
        "$RAGQA ls 2>&-; echo $?",
        "$RAGQA ask --quotes - <&-; echo $?",
        "$RAGQA search x >/dev/full; echo $?",
        "$RAGQA ls | head -1",
        "yes 'What is BM25?' | head -300 | $RAGQA ask --quotes --batch - | head -1 >/dev/null; echo ${PIPESTATUS[2]}",
    ],
)
def test_streams_end_the_same(warm: Ragqa, script: str):
    script = script.replace("$RAGQA", " ".join(COMMAND))
    found, cold = (warm.shell(script, RAGQA_WARM=use) for use in ("", "0"))
    assert found == cold


def test_a_terminal_shows_the_same(warm: Ragqa):
    def shown(use: str) -> str:
        env = warm.environment(RAGQA_WARM=use, TERM="xterm-256color")
        child = pexpect.spawn(COMMAND[0], [*COMMAND[1:], "ask", QUESTION, "-q"], env=env, dimensions=(30, 60))
        child.expect(pexpect.EOF, timeout=120)
        return child.before.decode()

    assert shown("") == shown("0")
    assert "\x1b[" in shown("")


def test_ctrl_c_ends_question_and_process(warm: Ragqa):
    server = run(warm, "serve", "--status", "--json").json["pid"]
    batch = [*COMMAND, "ask", "--quotes", "--batch", "-"]
    client = subprocess.Popen(batch, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=warm.environment())
    assert client.stdin
    assert client.stdout
    client.stdin.write(f"{QUESTION}\n".encode())
    client.stdin.flush()
    assert json.loads(client.stdout.readline())["question"] == QUESTION
    (process,) = [pid for pid in _forks(server) if _stdin(pid) == _stdin(client.pid)]
    client.send_signal(signal.SIGINT)
    assert client.wait(60) == 130
    eventually(lambda: not is_running(process))


def _stdin(pid: int) -> Path:
    return Path(f"/proc/{pid}/fd/0").readlink()


def _forks(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_warm_process_has_one_thread_after_all_that(warm: Ragqa):
    pid = run(warm, "serve", "--status", "--json").json["pid"]
    assert len(os.listdir(f"/proc/{pid}/task")) == 1


def test_a_second_start_leaves_the_first_alone(warm: Ragqa):
    first = run(warm, "serve", "--status", "--json").json["pid"]
    assert run(warm, "serve", "--background").code == 0
    assert run(warm, "serve", "--status", "--json").json["pid"] == first


def test_stop_and_status_say_what_there_is(notes: Ragqa, runtime: Path):
    ragqa = replace(notes, env={"XDG_RUNTIME_DIR": str(runtime)})
    assert run(ragqa, "serve", "--status") == Done(4, "no warm process is running\n", "")
    assert run(ragqa, "serve", "--stop").code == 0
    started = run(ragqa, "serve", "--background", "--quotes")
    assert (started.code, started.out) == (0, "")
    assert "multilingual-e5-small-q4" in started.err
    status = run(ragqa, "serve", "--status", "--json").json
    assert (status["running"], status["served"], status["idle_minutes"]) == (True, 0, 15)
    assert status["memory_bytes"] > 1_000_000
    assert run(ragqa, "serve", "--stop").code == 0
    eventually(lambda: not is_running(status["pid"]))


def test_a_question_starts_one_where_that_is_wished(notes: Ragqa, runtime: Path):
    ragqa = replace(notes, env={"XDG_RUNTIME_DIR": str(runtime), "RAGQA_WARM": "1"})
    assert run(ragqa, "ls").code == 0
    assert run(ragqa, "serve", "--status").code == 4
    assert run(ragqa, "ask", "When was the lighthouse lit?", "--quotes").code == 0
    eventually(lambda: run(ragqa, "serve", "--status").code == 0)
    assert run(ragqa, "ask", "When was the lighthouse lit?", "--quotes").code == 0
    assert served(ragqa) == 1
    run(ragqa, "serve", "--stop")


def test_one_that_is_out_of_date_ends_and_the_question_is_answered(notes: Ragqa, models: Path, runtime: Path):
    own = notes.home / "models"
    own.unlink()
    shutil.copytree(models, own, copy_function=os.link)
    ragqa = replace(notes, env={"XDG_RUNTIME_DIR": str(runtime)})
    run(ragqa, "serve", "--background", "--quotes")
    pid = run(ragqa, "serve", "--status", "--json").json["pid"]
    manifest = own / "multilingual-e5-small-q4" / "manifest.json"
    text = manifest.read_text()
    manifest.unlink()
    manifest.write_text(text)
    assert run(ragqa, "ask", "When was the lighthouse lit?", "--quotes").code == 0
    eventually(lambda: not is_running(pid))


@pytest.mark.parametrize("missing", list(DEFAULTS.values()))
def test_a_model_that_is_not_yet_prepared_is_prepared_first(notes: Ragqa, models: Path, runtime: Path, missing: str):
    own = notes.home / "models"
    own.unlink()
    shutil.copytree(models, own, copy_function=os.link)
    shutil.rmtree(own / missing)
    ragqa = replace(notes, env={"XDG_RUNTIME_DIR": str(runtime)})
    started = run(ragqa, "serve", "--background")
    assert (started.code, (own / missing / "manifest.json").is_file()) == (0, True), started.err
    assert run(ragqa, "ask", "When was the lighthouse lit?").code == 0
    assert served(ragqa) == 1
    run(ragqa, "serve", "--stop")
