"""Writes the pages of reference anew from what they describe; `--check` only says which are out of date.

docs/commands.md and docs/ragqa.1 come from the help of every command, docs/files.md (and the man page's last sections)
from corpus/manual/files-and-exit-codes.txt, docs/decisions/index.md from the titles of the decisions.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from man import man_page
from sources import ROOT, is_code, manual, rows, tree

from ragqa.cli.app import app

DOCS = ROOT / "docs"
WRITTEN = "Written by `scripts/document`"
COLUMNS = "100"  # of the help; how wide somebody's terminal is must not matter


def pages() -> dict[Path, str]:
    """Every page that is written here, and what stands in it."""
    return {
        DOCS / "commands.md": commands_page(),
        DOCS / "ragqa.1": man_page(),
        DOCS / "files.md": files_page(),
        DOCS / "decisions" / "index.md": decisions_page(),
    }


def commands_page() -> str:
    text = f"# Commands\n\n{WRITTEN} from the help of each command.\n"
    for words, _command in tree():
        text += f"\n## {' '.join(['ragqa', *words])}\n\n```text\n{help_of(words)}```\n"
    return text


def help_of(words: Sequence[str]) -> str:
    printed = io.StringIO()
    os.environ["COLUMNS"] = os.environ["TERMINAL_WIDTH"] = COLUMNS
    with contextlib.redirect_stdout(printed):
        typer.main.get_command(app)(args=[*words, "--help"], prog_name="ragqa", standalone_mode=False)
    return printed.getvalue()


def files_page() -> str:
    text = "# Files, environment and exit codes\n\n"
    text += f"{WRITTEN} from `corpus/manual/files-and-exit-codes.txt`, which ragqa can be asked about.\n"
    for title, paragraphs in manual().items():
        text += f"\n## {title.capitalize()}\n\n" + "\n\n".join(map(in_markdown, paragraphs)) + "\n"
    return text


def in_markdown(paragraph: str) -> str:
    if rows(paragraph):
        return "\n".join(["| | |", "|---|---|", *(f"| `{name}` | {what} |" for name, what in rows(paragraph))])
    if is_code(paragraph):
        return f"```text\n{re.sub('^    ', '', paragraph, flags=re.MULTILINE)}\n```"
    return " ".join(paragraph.split())


def decisions_page() -> str:
    text = f"# Decisions\n\nWhat was decided, why, and what was measured for it. {WRITTEN} from their titles.\n\n"
    for page in sorted((DOCS / "decisions").glob("0*.md")):
        number, title = page.read_text().splitlines()[0].removeprefix("# ").split(". ", 1)
        text += f"- {number}: [{title}]({page.name})\n"
    return text


def main(arguments: Sequence[str]) -> int:
    stale = {page: text for page, text in pages().items() if not page.exists() or page.read_text() != text}
    for page, text in stale.items():
        if "--check" in arguments:
            print(f"{page.relative_to(ROOT)} is out of date; run scripts/document", file=sys.stderr)
        else:
            page.write_text(text)
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
