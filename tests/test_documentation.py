"""What the documentation says of the command line is so, what is generated is up to date, and links lead somewhere."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from ragqa.cli.app import app
from tests.conftest import ROOT
from tests.pages import PAGES, blocks

SPAN = re.compile(r"(?<!`)`((?:\w+=\S+ )*ragqa [^`\n]+)`")
# A use begins a line or follows a prompt, a pipe, a substitution or an assignment; it ends where the shell ends it.
USE = re.compile(r"""(?:^|[$|;&(]|\$\()\s*(?:\w+=\S+\s+)*(?:\S*/)?(ragqa|scripts/ask)\s+(.*)$""")


def commands() -> dict[str, Any]:
    top = typer.main.get_command(app).commands
    nested = {f"{name} {sub}": c for name, group in top.items() for sub, c in getattr(group, "commands", {}).items()}
    alone = {name: c for name, c in top.items() if getattr(c, "invoke_without_command", True)}
    return alone | nested


COMMANDS = commands()
EVERYWHERE = {"-h", "--help", "--version", "--install-completion", "--show-completion"}


def options(command: str) -> set[str]:
    return {name for parameter in COMMANDS[command].params for name in parameter.opts} | EVERYWHERE


def uses(page: Path) -> Iterator[str]:
    """What stands after `ragqa` wherever the page shows it being run."""
    text = page.read_text()
    shown = [line for block in blocks(page) for line in block.typed()]
    shown += [line for line in text.splitlines() if line.startswith("    ")] + SPAN.findall(text)
    for line in shown:
        found = USE.search(line)
        if found:
            yield ("ask " if found.group(1) == "scripts/ask" else "") + found.group(2)


def words(use: str) -> list[str]:
    """The words of one command, without what comes after it on the line."""
    lexer = shlex.shlex(use, posix=True, punctuation_chars="|;&()<>")
    lexer.whitespace_split = True
    found = []
    try:
        for word in lexer:
            if set(word) <= set("|;&()<>"):
                break
            found.append(word)
    except ValueError:  # a placeholder with an apostrophe, or a quotation that goes on in the next line
        pass
    return found


def command_of(arguments: list[str]) -> str:
    for name in (" ".join(arguments[:2]), arguments[0] if arguments else ""):
        if name in COMMANDS:
            return name
    return "ask"


SHOWN = sorted({(page.relative_to(ROOT), use) for page in PAGES for use in uses(page)})


def test_the_pages_show_the_command_being_run():
    assert len(SHOWN) > 20


@pytest.mark.parametrize(("page", "use"), SHOWN, ids=str)
def test_every_option_that_is_shown_exists(page: Path, use: str):
    arguments = words(use)
    command = command_of(arguments)
    used = {word.split("=")[0] for word in arguments if re.match(r"--?[a-z]", word)}
    assert used <= options(command)


@pytest.mark.parametrize(("page", "use"), SHOWN, ids=str)
def test_every_command_that_is_shown_exists(page: Path, use: str):
    arguments = words(use)
    first = arguments[0] if arguments else "-"
    a_question = " " in first or first.startswith(("-", "$", "…")) or first == "question"
    assert a_question or command_of(arguments).split()[0] == first or first in {name.split()[0] for name in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_manual(command: str):
    assert f"`ragqa {command}" in (ROOT / "corpus" / "manual" / "command-reference.md").read_text()


def test_every_option_of_ask_in_the_manual_exists():
    text = (ROOT / "corpus" / "manual" / "command-reference.md").read_text()
    table = re.findall(r"^\| `(--?[a-z-]+)", text, re.MULTILINE)
    assert set(table) <= options("ask")


def test_every_exit_code_is_in_the_manual():
    from ragqa import errors

    text = (ROOT / "corpus" / "manual" / "files-and-exit-codes.txt").read_text()
    listed = {int(code) for code in re.findall(r"^ {0,3}(\d+)  ", text, re.MULTILINE)}
    raised = {e.exit_code for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.RagqaError)}
    assert raised | {0, 4, 5, 130, 141} <= listed


def test_every_setting_from_the_environment_is_in_the_manual():
    from ragqa.settings import ENVIRONMENT

    text = (ROOT / "corpus" / "manual" / "files-and-exit-codes.txt").read_text()
    assert not [name for name in [*ENVIRONMENT, "RAGQA_HOME", "RAGQA_DEBUG", "NO_COLOR"] if name not in text]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


def test_what_is_generated_is_up_to_date():
    done = subprocess.run([sys.executable, ROOT / "scripts" / "document.py", "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


MAN_PAGE = ROOT / "docs" / "ragqa.1"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_man_page_has_every_option_of_every_command(command: str):
    text = MAN_PAGE.read_text().replace("\\-", "-")
    section = text.split(f"\n.SS ragqa {command} ", 1)[1].split("\n.S", 1)[0]
    assert not [one for one in options(command) - EVERYWHERE if one.startswith("-") and one not in section]


def test_the_man_page_is_installed():
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
    assert built["wheel"]["shared-data"] == {"docs/ragqa.1": "share/man/man1/ragqa.1"}
    assert "docs/ragqa.1" in built["sdist"]["include"]


@pytest.mark.parametrize("reader", ["groff -ww -man -Tutf8 {}", "mandoc -T lint {}"])
def test_programs_that_read_man_pages_have_nothing_to_say(reader: str):
    program, *arguments = reader.format(MAN_PAGE).split()
    if not shutil.which(program):
        pytest.skip(f"{program} is not here")
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    said = (done.stderr if program == "groff" else done.stdout + done.stderr).splitlines()
    assert not [line for line in said if "missing date" not in line]  # a date would change the page every day
