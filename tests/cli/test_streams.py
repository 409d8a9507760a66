"""What a script and a terminal may rely on: the streams, whatever they are joined to, and what is never obeyed."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import struct
import subprocess
import termios
from collections import Counter
from pathlib import Path

import pexpect
import pyte
import pytest

from tests.cli.test_ask import ALLOWED, CUP, E5, LINK, LIT, QUICK, controls, on_a_terminal
from tests.conftest import LIGHTHOUSE, RAGQA, Ragqa

model = pytest.mark.model


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


# fault 34
@model
def test_a_reader_that_takes_one_line_ends_generation(library: Ragqa):
    script = f"ragqa ask --batch <(yes '{E5}' | head -200) -n 1 -o max_answer=24 | head -1; echo ${{PIPESTATUS[0]}}"
    done = library.shell(script)
    answer, code = done.out.splitlines()
    assert answer.startswith('{"schema"')
    assert (code, done.err) == ("141", "")


# fault 35
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


# fault 37
@model
@pytest.mark.parametrize("columns", [1, 20])
@pytest.mark.parametrize("command", [["ask", E5, "--quotes"], ["ask", CUP, "--quotes"]], ids=" ".join)
def test_however_narrow_the_terminal_no_word_is_lost(library: Ragqa, command: list[str], columns: int):
    piped = library(*command)
    assert words(on_a_terminal(library, *command, "-q", columns=columns)) == words(piped.out)


@model
@pytest.mark.parametrize("command", [["search", "write-ahead log", "-n", "3"], ["ls"]], ids=" ".join)
def test_lists_lose_no_word_on_a_narrow_terminal(library: Ragqa, command: list[str]):
    shown, piped = words(on_a_terminal(library, *command, columns=20)), words(library(*command).out)
    assert Counter(piped) <= Counter(shown)  # a table is folded column by column
    assert piped in shown or command == ["ls"]


# fault 37
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


# fault 37
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


# fault 36
@model
def test_a_dumb_terminal_is_sent_text_alone(library: Ragqa):
    environment = library.environment(TERM="dumb")
    command = [str(RAGQA), ["ask", E5, "--quotes", "-q"]]
    child = pexpect.spawn(*command, env=environment, cwd=str(library.cwd), encoding="utf-8", timeout=120)
    shown = child.read()
    child.close()
    assert "\x1b" not in shown
    assert words(shown) == words(library("ask", E5, "--quotes").out)


# fault 36
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


# fault 33
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


# fault 31
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


# fault 7
@model
def test_no_name_of_a_file_is_obeyed_while_it_is_indexed(prepared: Ragqa):
    for n in range(3):
        prepared.write(f"notes/{n}{HOSTILE_NAME}.md".replace("[/bold]", ""), f"Note {n}: {LIGHTHOUSE}")
    prepared.write(f"notes/bad{HOSTILE_NAME}.md".replace("[/bold]", ""), bytes(range(256)) * 20)
    shown = on_a_terminal(prepared, "index", "notes")
    assert controls(shown) == set()
    assert "skipped" in shown


@model
def test_a_reader_that_goes_away_between_two_answers_ends_a_batch(library: Ragqa):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [RAGQA, "ask", "--batch", "-", "--quotes"]
    process = subprocess.Popen(command, env=library.environment(), cwd=library.cwd, **pipes)
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{E5}\n".encode())
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()
    process.stdin.write(f"{E5}\n{E5}\n".encode())
    process.stdin.close()
    assert process.wait(120) == 141
