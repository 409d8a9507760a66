"""`ragqa chat` on the real models, as a person sees it: through a terminal whose every byte is looked at."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import signal
import stat
import struct
import termios
from pathlib import Path

import pexpect
import pyte
import pytest

from tests.cli.test_ask import ALLOWED, CONTROL
from tests.conftest import CORPUS, RAGQA, ROOT, Ragqa, home_with

pytestmark = pytest.mark.model

FTS5, SINCE = "Which FTS5 tokenizer can find parts of words?", "since when?"
TRIGRAM = "In which version did the trigram tokenizer join FTS5?"
READY, DONE = "\x1b[?2004h", "\x1b[?2004l"  # bracketed paste goes on where a line is read, and off behind it
FIRST = r"> |\x1b\[\?2004h"  # the first prompt, drawn or not
SHOWN, HIDDEN = "\x1b[?25h", "\x1b[?25l"
# What prompt_toolkit sends to draw a line, beside what answers are drawn with.
DRAWN = re.compile(r"\x1b\[(?:\?(?:2004|7|12|1)[hl]|\d*[A-DJK])|\x08")


class Terminal:
    """A conversation and the screen that it is on. Each method waits until the next line can be typed."""

    def __init__(self, ragqa: Ragqa, *arguments: str, columns: int = 100, lines: int = 60, **env: str) -> None:
        environment = ragqa.environment(**{"TERM": "xterm-256color"} | env)
        self.child = pexpect.spawn(
            str(RAGQA),
            ["chat", *arguments],
            cwd=str(ragqa.cwd),
            env={k: v for k, v in environment.items() if k not in ("COLUMNS", "LINES")},
            dimensions=(lines, columns),
            encoding="utf-8",
            codec_errors="surrogateescape",
            timeout=60,
        )
        self.screen = pyte.Screen(columns, lines)
        self.text = ""
        self.ready()

    def ready(self) -> str:
        """What was sent until the next line can be typed."""
        return self.until(READY)

    def until(self, mark: str) -> str:
        self.child.expect_exact(mark)
        return self._take(self.child.before + mark)

    def say(self, line: str) -> str:
        self.child.send(f"{line}\r")
        return self.ready()

    def stop(self, question: str, stage: str) -> str:
        """Ctrl-C while that stage of an answer is shown."""
        self.child.send(f"{question}\r")
        self.until(stage)
        self.child.sendintr()
        return self.ready()

    def end(self, key: str = "\x04") -> int:
        """Type what ends the conversation; returns its exit code."""
        self.child.send(key)
        return self.ended()

    def ended(self) -> int:
        self._take(self.child.read())
        self.child.close()
        assert self.child.signalstatus is None
        return self.child.exitstatus

    def shown(self) -> str:
        """What stands on the screen."""
        pyte.Stream(self.screen).feed(self.text)
        return "\n".join(line.rstrip() for line in self.screen.display)

    def _take(self, text: str) -> str:
        self.text += text
        return text


@pytest.fixture
def home(library: Ragqa, tmp_path: Path) -> Ragqa:
    """The sample library with a history of its own."""
    folder = home_with((library.home / "models").resolve(), tmp_path / "home")
    shutil.copy(library.db, folder / "index.db")
    return Ragqa(folder, ROOT)


def recorded(ragqa: Ragqa) -> list[dict[str, object]]:
    return [json.loads(line) for line in ragqa("logs", "-n", "0", "--nl").out.splitlines()]


def answers(ragqa: Ragqa) -> list[tuple[object, object]]:
    return [(one["question"], one["answer"]) for one in recorded(ragqa)]


def in_order(terminal: Terminal) -> bool:
    """Whether the terminal is left as it was found: the cursor to be seen, nothing but lines being read."""
    text = terminal.text
    return text.rfind(SHOWN) >= text.rfind(HIDDEN) and text.rfind(DONE) >= text.rfind(READY)


def controls(text: str) -> set[str]:
    return set(CONTROL.findall(ALLOWED.sub("", DRAWN.sub("", text))))


def test_a_follow_up_is_answered_from_what_was_said(home: Ragqa):
    terminal = Terminal(home)
    assert "parts of words" in terminal.say(FTS5)
    told = terminal.say(SINCE)
    assert re.search(r"searched: since when\? \(.*tokenizer", told)
    assert "3.34.0" in told
    assert "fts5.md" in terminal.say("/sources")
    assert terminal.end() == 0
    (first, second) = recorded(home)
    assert first["conversation"] == second["conversation"]
    assert (second["question"], second["query"] != SINCE) == (SINCE, True)


def test_a_source_is_opened_in_the_editor_on_its_line(home: Ragqa, tmp_path: Path):
    program, told = tmp_path / "nano", tmp_path / "told"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{told}\n')
    program.chmod(0o755)
    terminal = Terminal(home, "--quotes", RAGQA_EDITOR=str(program))
    terminal.say(FTS5)
    terminal.say("/open 1")
    assert terminal.end() == 0
    line, path = told.read_text().splitlines()
    assert (line[0], path) == ("+", str(CORPUS / "sqlite" / "fts5.md"))
    assert "trigram" in Path(path).read_text().split("\n")[int(line[1:]) - 1]


# fault 53
@pytest.mark.parametrize("stage", ["marking", "writing"])
def test_an_answer_can_be_stopped_and_the_next_one_is_as_if_it_had_not_been_asked(home: Ragqa, stage: str):
    alone = home("ask", FTS5, "--json", "--no-log").json["answer"]
    terminal = Terminal(home)
    assert "(stopped; Ctrl-C again or Ctrl-D leaves)" in terminal.stop(TRIGRAM, stage)
    assert "parts of words" in terminal.say(FTS5)
    assert terminal.end() == 0
    assert answers(home) == [(FTS5, alone)]
    assert controls(terminal.text.replace("^C", "")) == set()
    shown = [line for line in terminal.shown().splitlines() if line]
    assert shown[1:4] == [f"> {TRIGRAM}", "(stopped; Ctrl-C again or Ctrl-D leaves)", f"> {FTS5}"]


def test_ctrl_c_twice_leaves(home: Ragqa):
    terminal = Terminal(home, "--quotes")
    terminal.child.sendintr()
    assert "(Ctrl-C again or Ctrl-D leaves)" in terminal.ready()
    assert terminal.end("\x03") == 130
    assert in_order(terminal)


def test_ctrl_c_takes_back_what_was_typed_and_does_not_count(home: Ragqa):
    terminal = Terminal(home, "--quotes")
    terminal.child.sendintr()
    terminal.ready()
    terminal.child.send("who was\x03")
    assert "7 documents" not in terminal.say("/help")  # still there
    assert terminal.end() == 0
    assert answers(home) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("moment", ["prompt", "answer"])
def test_a_signal_leaves_the_terminal_in_order(home: Ragqa, number: int, code: int, moment: str):
    terminal = Terminal(home)
    if moment == "answer":
        terminal.child.send(f"{TRIGRAM}\r")
        terminal.until("marking")
    before = termios.tcgetattr(terminal.child.child_fd)[3] if moment == "answer" else None
    terminal.child.kill(number)
    assert terminal.ended() == code
    assert in_order(terminal)
    assert before is None or before & termios.ECHO
    assert answers(home) == []


def test_what_was_answered_before_a_kill_is_gone_on_with(home: Ragqa):
    terminal = Terminal(home)
    terminal.say(FTS5)
    terminal.child.send(f"{TRIGRAM}\r")
    terminal.until("marking")
    terminal.child.kill(signal.SIGKILL)
    terminal.child.close()
    again = Terminal(home, "--continue")
    assert f"going on after 1 turn; the last question was: {FTS5}" in again.text
    assert "3.34.0" in again.say(SINCE)
    assert again.end() == 0
    assert [question for question, _ in answers(home)] == [FTS5, SINCE]
    assert len({one["conversation"] for one in recorded(home)}) == 1


def test_resized_at_the_prompt_and_while_it_answers_no_word_is_lost(home: Ragqa):
    terminal = Terminal(home)
    terminal.child.send(TRIGRAM)
    for columns in (30, 12, 80):
        terminal.child.setwinsize(40, columns)
    terminal.child.send("\r")
    for stage, columns in (("searching", 30), ("marking", 50), ("writing", 70)):
        terminal.until(stage)
        terminal.child.setwinsize(40, columns)
    said = terminal.ready()
    assert terminal.end() == 0
    (one,) = answers(home)
    assert squeezed(str(one[1])) in squeezed(said)


def squeezed(text: str) -> str:
    return "".join(ALLOWED.sub("", DRAWN.sub("", text)).split())


@pytest.mark.parametrize(("columns", "lines"), [(1, 40), (20, 4), (0, 0)])
def test_however_small_the_terminal_every_word_of_the_answer_is_shown(home: Ragqa, columns: int, lines: int):
    child = pexpect.spawn(
        *(str(RAGQA), ["chat", "--quotes", "-q"]),
        env={k: v for k, v in home.environment(TERM="xterm-256color").items() if k not in ("COLUMNS", "LINES")},
        cwd=str(home.cwd),
        dimensions=(lines or 24, columns or 80),
        encoding="utf-8",
        timeout=60,
    )
    if not columns:
        fcntl.ioctl(child.child_fd, termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
    child.expect(FIRST)
    child.send(f"{FTS5}\r\x04")
    said = child.read()
    child.close()
    assert child.exitstatus == 0
    assert squeezed(home("ask", FTS5, "--quotes").out) in squeezed(said)


def test_a_dumb_terminal_is_sent_text_alone(home: Ragqa):
    child = pexpect.spawn(
        *(str(RAGQA), ["chat", "--quotes"]),
        env=home.environment(TERM="dumb"),
        cwd=str(home.cwd),
        encoding="utf-8",
        timeout=60,
    )
    child.expect(FIRST)
    child.send(f"{FTS5}\n")
    child.expect_exact("\n> ")
    said = child.before
    child.sendintr()
    child.expect_exact("(Ctrl-C again or Ctrl-D leaves)")
    child.send("\x04")
    rest = child.read()
    child.close()
    assert child.exitstatus == 0
    assert "\x1b" not in said + rest
    assert squeezed(home("ask", FTS5, "--quotes").out) in squeezed(said)


def test_without_colour_there_is_none(home: Ragqa):
    terminal = Terminal(home, "--quotes", NO_COLOR="1")
    terminal.say(FTS5)
    terminal.say(SINCE)
    terminal.child.send("/so\t")
    assert terminal.end("\r/quit\r") == 0
    assert not re.findall(r"\x1b\[(?:[0-9]+;)*(?:3|4|9|10)[0-9](?:;[0-9;]*)?m", terminal.text)


def test_the_arrow_brings_back_a_line_of_an_earlier_conversation(home: Ragqa):
    first = Terminal(home, "--quotes")
    first.say(FTS5)
    first.end()
    kept = home.home / "chat-lines"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    again = Terminal(home, "--quotes")
    assert "parts of words" in again.say("\x1b[A")
    assert again.end() == 0
    assert [question for question, _ in answers(home)] == [FTS5, FTS5]
    home("logs", "forget", "--all")
    assert not kept.exists()


@pytest.mark.parametrize("option", [["--no-log"], ["-o", "log", "off"]], ids=" ".join)
def test_lines_are_not_kept_where_the_history_is_not(home: Ragqa, option: list[str]):
    terminal = Terminal(home, "--quotes", *option)
    terminal.say(FTS5)
    assert terminal.end() == 0
    assert not (home.home / "chat-lines").exists()
    assert not (home.home / "logs.db").exists()


def test_the_tab_key_completes(home: Ragqa):
    terminal = Terminal(home, "--quotes")
    terminal.say(FTS5)
    terminal.child.send("/sou\t")
    assert "fts5.md" in terminal.say("")
    assert terminal.end() == 0


JAPANESE = "灯台は一八九四年に初めて点灯され、菜種油を燃やしていました。"
HEBREW = "המגדלור הודלק לראשונה בשנת 1894 על ידי ראש העיר."
HOSTILE = "The beacon \x1b[2J\x1b]52;c;aGk=\x07\x9b31m of Ostmar \u202eburned\u202c peat [bold]until[/bold] 1901."


@pytest.fixture
def scripts(prepared: Ragqa) -> Ragqa:
    """Documents in other scripts, and one that would like to be obeyed."""
    for name, text in (("lamp.txt", JAPANESE), ("tower.txt", HEBREW), ("beacon.txt", HOSTILE)):
        prepared.write(f"{name}", text + "\n")
    assert prepared("index", ".").code == 0
    return prepared


@pytest.mark.parametrize(
    ("question", "text"), [("灯台はいつ初めて点灯されましたか？", JAPANESE), ("מתי הודלק המגדלור לראשונה?", HEBREW)]
)
def test_other_scripts_are_shown_whole_on_a_narrow_terminal(scripts: Ragqa, question: str, text: str):
    terminal = Terminal(scripts, "--quotes", "-o", "min_support=0", columns=30)
    said = terminal.say(question)
    assert squeezed(text) in squeezed(said)
    assert squeezed(text) in squeezed(terminal.say("/sources"))
    assert squeezed(question) in squeezed(terminal.say("/history"))
    assert terminal.end() == 0


# faults 17, 31 and 32
def test_no_document_is_obeyed(scripts: Ragqa):
    terminal = Terminal(scripts, "-o", "min_support=0")
    said = terminal.say("Until when did the beacon of Ostmar burn peat?")
    assert "\\x1b[2J" in said
    assert "<U+202E>" in said
    for line in ("/sources", "/why", "/history"):
        assert "\\x1b[2J" in terminal.say(line)
    assert terminal.end() == 0
    assert controls(terminal.text) == set()
