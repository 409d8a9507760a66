"""What the pages of reference are written from: the tree of commands, and the manual's text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from ragqa.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
MANUAL = ROOT / "corpus" / "manual" / "files-and-exit-codes.txt"


def tree() -> Iterator[tuple[list[str], Any]]:
    """Every command with the words that call it, `ragqa` left out; a family comes before its own commands."""
    top = typer.main.get_command(app)
    yield [], top
    for name, command in top.commands.items():
        yield [name], command
        yield from (([name, sub], one) for sub, one in getattr(command, "commands", {}).items())


def manual() -> dict[str, list[str]]:
    """The sections of the manual's text: titles are lines in capitals, paragraphs are parted by blank lines."""
    sections: dict[str, list[str]] = {}
    for paragraph in MANUAL.read_text().strip().split("\n\n")[1:]:
        if paragraph.isupper() and "\n" not in paragraph:
            sections[paragraph] = []
        else:
            sections[list(sections)[-1]].append(paragraph)
    return sections


def rows(paragraph: str) -> list[tuple[str, str]]:
    """`NAME  what it is`, line by line, longer ones going on further in; nothing where it is no such list."""
    lines = re.sub(r"\n {4,}(?=\S)", " ", paragraph).splitlines()
    found = [re.fullmatch(r" {0,3}(\S+) {2,}(\S.*)", line) for line in lines]
    return [(one[1], one[2]) for one in found if one] if all(found) else []


def is_code(paragraph: str) -> bool:
    return paragraph.startswith("    ")
