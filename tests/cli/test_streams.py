"""What a script and a terminal may rely on: the streams, whatever they are joined to, and whose files are opened."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from ragqa.files import exposure, network_file_system
from ragqa.store.opening import create_index
from tests.cli.test_ask import ALLOWED, CUP, E5, LINK, LIT, QUICK, controls, on_a_terminal
from tests.conftest import LIGHTHOUSE, RAGQA, ROOT, Ragqa

model = pytest.mark.model
NOBODY = 65534


def words(text: str) -> str:
    """Everything in it that is no white space."""
    return "".join(ALLOWED.sub("", text).split())


@model
@pytest.mark.parametrize("form", [[], ["--plain"], ["--json"], ["--explain"]], ids=" ".join)
def test_nothing_but_the_answer_is_on_standard_output(library: Ragqa, form: list[str]):
    done = library("ask", E5, "--quotes", *form)
    assert done.out.startswith("{\n" if form == ["--json"] else "“E5 wants")
    assert bool(done.err) == (form == ["--explain"])


@model
def test_without_any_terminal_the_answer_is_the_same(notes: Ragqa):
    plain = notes("ask", LIT, "--quotes")
    assert notes.run(["setsid", str(RAGQA), "ask", LIT, "--quotes"]) == plain
    assert plain.code == 0


@model
def test_a_reader_that_takes_one_line_ends_generation(library: Ragqa):
    script = f"ragqa ask --batch <(yes '{E5}' | head -200) -n 1 -o max_answer=24 | head -1; echo ${{PIPESTATUS[0]}}"
    done = library.shell(script)
    answer, code = done.out.splitlines()
    assert answer.startswith('{"schema"')
    assert (code, done.err) == ("141", "")


@model
@pytest.mark.parametrize("command", ["ask", "search"])
@pytest.mark.parametrize(
    ("joined", "code"),
    [(">/dev/full", 14), (">&-", 14), ("2>&-", 0), ("2>/dev/full", 0), ("<&-", 0)],
)
def test_streams_that_fail_are_said_and_those_that_are_not_wanted_are_not_missed(
    notes: Ragqa, command: str, joined: str, code: int
):
    quotes = "--quotes" if command == "ask" else ""
    done = notes.shell(f"ragqa {command} '{LIT}' {quotes} {joined}")
    assert done.code == code
    assert "Traceback" not in done.err
    assert len(done.err.splitlines()) == (1 if code else 0)


@model
@pytest.mark.parametrize("columns", [1, 20])
@pytest.mark.parametrize("command", [["ask", E5, "--quotes"], ["ask", CUP, "--quotes"]], ids=" ".join)
def test_however_narrow_the_terminal_no_word_is_lost(library: Ragqa, command: list[str], columns: int):
    piped = library(*command)
    assert words(on_a_terminal(library, *command, "-q", columns=columns)) == words(piped.out)


@model
@pytest.mark.parametrize("command", [["search", "write-ahead log", "-n", "3"], ["ls"]], ids=" ".join)
def test_lists_lose_no_word_on_a_narrow_terminal(library: Ragqa, command: list[str]):
    shown = words(on_a_terminal(library, *command, columns=20))
    if command[0] == "ls":  # folded in its columns
        assert all(letter in shown for letter in "indexed")
    else:
        assert words(library(*command).out) in shown


@model
def test_on_a_terminal_without_a_size_no_word_is_lost(library: Ragqa):
    environment = {k: v for k, v in library.environment(TERM="xterm-256color").items() if k not in ("COLUMNS", "LINES")}
    command = ["ask", E5, "--quotes", "-q"]
    child = pexpect.spawn(str(RAGQA), command, env=environment, cwd=str(library.cwd), encoding="utf-8", timeout=120)
    fcntl.ioctl(child.child_fd, termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
    shown = child.read()
    child.close()
    assert child.exitstatus == 0
    assert words(shown) == words(library("ask", E5, "--quotes").out)


@model
def test_resized_while_it_writes_no_word_is_lost(library: Ragqa):
    """What pyte's screen holds in the end, its history included, as far as the answer goes."""
    question = "In which version did the trigram tokenizer join FTS5?"
    piped = library("ask", question)
    environment = {k: v for k, v in library.environment(TERM="xterm-256color").items() if k not in ("COLUMNS", "LINES")}
    child = pexpect.spawn(
        *(str(RAGQA), ["ask", question]),
        env=environment,
        cwd=str(library.cwd),
        encoding="utf-8",
        timeout=120,
        dimensions=(40, 120),
    )
    text = ""
    for stage, columns in (("searching", 30), ("marking", 50), ("writing", 70)):
        child.expect_exact(stage)
        text += child.before + stage
        child.setwinsize(40, columns)  # the kernel sends SIGWINCH
    text += child.read()
    child.close()
    assert (child.exitstatus, controls(text)) == (0, set())
    assert words(text.rpartition("\x1b[2K")[2]).endswith(words(piped.out))


@model
def test_a_dumb_terminal_is_sent_text_alone(library: Ragqa):
    environment = library.environment(TERM="dumb")
    command = [str(RAGQA), ["ask", E5, "--quotes", "-q"]]
    child = pexpect.spawn(*command, env=environment, cwd=str(library.cwd), encoding="utf-8", timeout=120)
    shown = child.read()
    child.close()
    assert "\x1b" not in shown
    assert words(shown) == words(library("ask", E5, "--quotes").out)


@model
def test_without_colour_there_is_none(library: Ragqa):
    shown = pexpect.run(
        f"{RAGQA} ask '{E5}' --quotes -q",
        env=library.environment(TERM="xterm-256color", NO_COLOR="1"),
        cwd=str(library.cwd),
        encoding="utf-8",
        timeout=120,
    )
    assert not re.findall(r"\x1b\[(?:3|4|9)\d", shown)


@model
def test_what_stands_on_the_screen_is_what_a_pipe_says(library: Ragqa):
    screen = pyte.Screen(100, 60)
    pyte.Stream(screen).feed(on_a_terminal(library, "ask", E5, "--quotes", columns=100, lines=60))
    shown = "\n".join(line.rstrip() for line in screen.display).strip()
    assert shown == library("ask", E5, "--quotes").out.strip()


MARKDOWN = (
    "The savings bank has its page at [the bank](http://evil.example/?q=secret) since 1901, and "
    "![a picture](http://evil.example/x.png) <http://evil.example/auto> shows the house.\n"
)


@model
def test_the_address_of_a_link_is_shown_and_never_hidden_behind_a_name(prepared: Ragqa):
    prepared.write("bank.md", MARKDOWN)
    assert prepared("index", "bank.md").code == 0
    for form in (["--quotes"], ["--quotes", "--plain"], QUICK):
        shown = on_a_terminal(prepared, "ask", "Since when has the savings bank its page?", *form, columns=200)
        assert "http://evil.example/?q=secret" in shown
        assert controls(shown) == set()
        assert not [address for address in LINK.findall(shown) if "evil" in address]


HOSTILE_NAME = "m\x1b[2J\x1b]52;c;aGk=\x07\x9b31m\u202e[bold]x[/bold]"


def test_no_name_of_a_model_or_setting_or_file_is_obeyed_on_a_terminal(ragqa: Ragqa):
    for command in (
        ["ask", "What?", "-m", HOSTILE_NAME],
        ["index", HOSTILE_NAME],
        ["index", ".", "--embed-model", HOSTILE_NAME],
        ["path", "db", "-o", f"{HOSTILE_NAME}=1"],
        [HOSTILE_NAME.replace("[", ""), "--bogus" + HOSTILE_NAME],
        ["ask", "What?", "--db", HOSTILE_NAME],
        ["ask", "What?", "--with", HOSTILE_NAME],
        ["models", "verify", HOSTILE_NAME],
    ):
        shown = on_a_terminal(ragqa, *command)
        assert controls(shown) == set(), command
        assert shown.startswith("ragqa: "), command


@model
def test_no_name_of_a_model_is_obeyed_in_the_list(prepared: Ragqa, models: Path):
    """A manifest that came with somebody else's model."""
    folder = prepared.home / "models"
    folder.unlink()
    shutil.copytree(models, folder, copy_function=os.link)
    manifest = folder / "smollm2-135m-instruct-q4_1" / "manifest.json"
    text = manifest.read_text()
    manifest.unlink()  # it is a second name of the shared file
    licensed = re.sub(r'"licence": "[^"]*"', r'"licence": "\\u001b[2J\\u009b31m[red]mine[/red]"', text)
    manifest.write_text(re.sub(r'"made_by": "[^"]*"', r'"made_by": "\\u001b[2J"', licensed))
    for command in (["models", "list"], ["models", "list", "--json"], ["ask", "What?", "--with", "bread.txt"]):
        prepared.write("bread.txt", "Bread keeps.\n")
        assert controls(on_a_terminal(prepared, *command)) == set(), command


@model
def test_no_name_of_a_file_is_obeyed_while_it_is_indexed(prepared: Ragqa):
    for n in range(3):
        prepared.write(f"notes/{n}{HOSTILE_NAME}.md".replace("[/bold]", ""), f"Note {n}: {LIGHTHOUSE}")
    prepared.write(f"notes/bad{HOSTILE_NAME}.md".replace("[/bold]", ""), bytes(range(256)) * 20)
    shown = on_a_terminal(prepared, "index", "notes")
    assert controls(shown) == set()
    assert "skipped" in shown


# Files of others, and modes.


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """One that every user can reach."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def as_nobody(own_folder: Path, models: Path) -> Ragqa:
    """The command as a user who is not root, with an index of its own."""
    if os.geteuid():
        pytest.skip("only root can become another user")
    (own_folder / "work").mkdir()
    name = "multilingual-e5-small-q4"
    shutil.copytree(models / name, own_folder / "home" / "models" / name)
    command = Ragqa(own_folder / "home", own_folder / "work", {"HOME": str(own_folder)})
    command.write("light.md", LIGHTHOUSE)
    assert command("index", "light.md").code == 0
    for path in (own_folder, *own_folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    probe = command.run(["setpriv", "--reuid", str(NOBODY), "--clear-groups", str(RAGQA), "ls"])
    if probe.code:
        pytest.skip(f"another user cannot run it here: {probe.err}")
    return command


def nobody(command: Ragqa, *arguments: str) -> tuple[int, str]:
    done = command.run(["setpriv", "--reuid", str(NOBODY), "--clear-groups", str(RAGQA), *arguments])
    assert "Traceback" not in done.err
    return done.code, done.err


@model
def test_an_index_that_may_not_be_written_is_said_and_still_answers(as_nobody: Ragqa):
    as_nobody.write("more.md", "Bread keeps longest in a wooden box.\n").chmod(0o644)
    as_nobody.db.chmod(0o400)
    assert nobody(as_nobody, "search", "lighthouse", "--nl")[0] == 0
    code, err = nobody(as_nobody, "index", "more.md")
    assert code == 14
    assert err.startswith(f"ragqa: {as_nobody.db}: ")


@model
def test_a_folder_that_may_not_be_written_is_said(as_nobody: Ragqa):
    as_nobody.home.chmod(0o555)
    code, err = nobody(as_nobody, "index", "light.md", "--db", str(as_nobody.home / "other.db"))
    assert code == 14
    assert err.startswith(f"ragqa: {as_nobody.home / 'other.db'}: ")


@model
def test_an_index_that_others_can_open_is_told_to_a_person(notes: Ragqa):
    assert "others can open it" not in on_a_terminal(notes, "search", "light")
    notes.db.chmod(0o666)
    for command in (["search", "light"], ["ask", LIT, "--quotes"], ["index", "notes"]):
        assert "others can open it (mode 0666)" in " ".join(on_a_terminal(notes, *command).split()), command
    assert notes("search", "light").err == ""
    assert "others can open it" not in on_a_terminal(notes, "search", "light", "-q")


def test_an_index_of_somebody_else_is_told(tmp_path: Path):
    path = tmp_path / "index.db"
    assert exposure(path) == ""
    path.touch(0o600)
    assert exposure(path) == ""
    if os.geteuid() == 0:
        os.chown(path, NOBODY, -1)
        assert exposure(path) == f"belongs to user {NOBODY}"


def test_a_network_file_system_is_known_by_the_nearest_mount(tmp_path: Path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "disk / ext4 rw 0 0\nserver:/x /mnt/far\\040away nfs4 rw 0 0\ndisk2 /mnt/far\\040away/near xfs rw 0 0\n"
    )
    places = ["/home/a/index.db", "/mnt/far away/index.db", "/mnt/far away/near/index.db"]
    assert [network_file_system(Path(place), mounts) for place in places] == ["", "nfs4", ""]
    assert network_file_system(Path("/home"), tmp_path / "none") == ""


def test_on_a_network_file_system_nothing_rests_on_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ragqa.store.schema.network_file_system", lambda path: "nfs4")
    create_index(tmp_path / "far.db", fingerprint="f", model="m", dim=8).close()
    monkeypatch.undo()
    create_index(tmp_path / "near.db", fingerprint="f", model="m", dim=8).close()
    # Bytes 18 and 19 of an SQLite file: 1 is the rollback journal, 2 is WAL.
    assert [(tmp_path / name).read_bytes()[18:20] for name in ("far.db", "near.db")] == [b"\1\1", b"\2\2"]


# The network.


@model
def test_a_whole_question_in_a_namespace_without_network_is_answered_the_same(library: Ragqa):
    if library.run(["unshare", "-rn", "true"]).code:
        pytest.skip("unshare -rn is not permitted here")
    for arguments in (["ask", E5], ["ask", E5, "--with", "corpus/embeddings/e5-prefixes.md", "--quotes"]):
        here, alone = library(*arguments), library.run(["unshare", "-rn", str(RAGQA), *arguments])
        assert (alone.code, alone.out, alone.err) == (here.code, here.out, here.err)


MODULE = """
import ragqa.retrieve
def retrieve(*_given, **_more):
    {attempt}
ragqa.retrieve.retrieve = retrieve
"""


@model
@pytest.mark.parametrize(
    ("attempt", "event"),
    [
        ("import socket; socket.getaddrinfo('example.invalid', 80)", "getaddrinfo"),
        ("import socket; socket.socket().connect(('127.0.0.1', 9))", "connect"),
    ],
)
def test_a_module_that_wants_the_network_is_named_and_refused(notes: Ragqa, attempt: str, event: str):
    notes.run(["true"])
    planted = notes.home / "planted"
    planted.mkdir()
    (planted / "calls_home.py").write_text(MODULE.format(attempt=attempt))
    program = "import calls_home, sys; sys.argv[1:] = ['search', 'x']; from ragqa.cli.app import main; main()"
    path = os.pathsep.join([str(planted), str(ROOT)])
    done = notes.run([str(RAGQA.with_name("python")), "-c", program], env={"PYTHONPATH": path})
    assert (done.code, done.out) == (16, "")
    assert re.match(rf"ragqa: blocked network attempt by calls_home: socket\.{event}", done.err)


@model
def test_what_c_code_does_past_python_is_the_namespace_s_matter(notes: Ragqa):
    """The documented limit: an audit hook does not see it. That ours does no such thing the other tests show."""
    program = (
        "import ctypes; from ragqa.cli.guard import block_network; block_network(['ask']);"
        "print(ctypes.CDLL(None).socket(2, 1, 0) >= 0)"
    )
    done = notes.run([str(RAGQA.with_name("python")), "-c", program], env={"PYTHONPATH": str(ROOT)})
    assert done.out == "True\n"


# Context.


@model
@pytest.mark.parametrize("budget", [250, 160, 120])
def test_what_does_not_fit_is_left_out_and_the_question_is_whole(library: Ragqa, budget: int):
    question = "What does E5 want in front of a passage, and why should a question have something else in front of it?"
    limits = ["-o", f"budget={budget}", "-o", "max_answer=24", "-o", "max_sentences=20"]
    document = library("ask", question, *limits, "--json", "--explain").json
    ledger, prompt = document["explain"]["ledger"], document["explain"]["prompt"]
    assert document["tokens"]["prompt"] <= budget
    assert ledger["prompt"] == document["tokens"]["prompt"]
    assert len(ledger["kept"]) == (0 if document["tokens"]["dropped"] else 1)
    assert question in prompt


@model
def test_a_passage_longer_than_the_prompt_may_be_costs_no_answer(prepared: Ragqa):
    prepared.write("long.md", f"{LIGHTHOUSE} " + "The keeper wrote down the wind of each hour in his book. " * 20)
    prepared("index", "long.md")
    done = prepared("ask", LIT, "--json", "-o", "budget=180", "-o", "max_answer=24")
    assert (done.code, done.err) == (0, "")
    assert done.json["tokens"]["prompt"] <= 180
    assert "1894" in done.json["answer"]


@model
def test_a_question_is_never_cut_to_fit(notes: Ragqa):
    done = notes("ask", LIT, "-o", "budget=20", "-o", "max_answer=24")
    assert (done.code, done.out) == (2, "")
    assert re.search(r"budget|fit", done.err)


@model
def test_sigpipe_from_a_reader_on_a_terminal_s_other_end_leaves_no_process(library: Ragqa):
    process = subprocess.Popen(
        [RAGQA, "ask", "--batch", "-", "--quotes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=library.environment(),
        cwd=library.cwd,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{E5}\n".encode())
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()
    process.stdin.write(f"{E5}\n{E5}\n".encode())
    process.stdin.close()
    assert process.wait(120) == 141
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
