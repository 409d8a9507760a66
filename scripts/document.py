"""Writes the pages of reference anew from what they describe: the commands, the manual's text, the decisions' titles.

docs/commands.md and docs/ragqa.1 come from the help of every command, docs/files.md (and the man page's last sections)
from corpus/manual/files-and-exit-codes.txt, docs/decisions/index.md from the titles of the decisions.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

import ragqa
from ragqa.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
MANUAL = ROOT / "corpus" / "manual" / "files-and-exit-codes.txt"
WRITTEN = "Written by `scripts/document`"
WIDTH = "100"  # columns; what the width of somebody's terminal was must not matter

Path_ = tuple[str, ...]


def pages() -> dict[Path, str]:
    """Every page that is written here, and what stands in it."""
    os.environ["COLUMNS"] = os.environ["TERMINAL_WIDTH"] = WIDTH
    docs = ROOT / "docs"
    return {
        docs / "commands.md": commands_page(),
        docs / "ragqa.1": man_page(),
        docs / "files.md": files_page(),
        docs / "decisions" / "index.md": decisions_page(),
    }


def tree() -> Iterator[tuple[Path_, Any]]:
    """Every command with the words that call it; a family comes before its own commands."""
    top = typer.main.get_command(app)
    yield (), top
    for name, command in top.commands.items():
        yield (name,), command
        yield from (((name, sub), one) for sub, one in getattr(command, "commands", {}).items())


def commands_page() -> str:
    text = f"# Commands\n\n{WRITTEN} from the help of each command.\n"
    for path, _command in tree():
        text += f"\n## {' '.join(['ragqa', *path])}\n\n```text\n{help_of(path)}```\n"
    return text


def help_of(path: Path_) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        typer.main.get_command(app)(args=[*path, "--help"], prog_name="ragqa", standalone_mode=False)
    return printed.getvalue()


def files_page() -> str:
    text = "# Files, environment and exit codes\n\n"
    text += f"{WRITTEN} from `corpus/manual/files-and-exit-codes.txt`, which ragqa can be asked about.\n"
    for title, paragraphs in manual().items():
        text += f"\n## {title.capitalize()}\n\n" + "\n\n".join(map(_in_markdown, paragraphs)) + "\n"
    return text


def decisions_page() -> str:
    text = f"# Decisions\n\nWhat was decided, why, and what was measured for it. {WRITTEN} from their titles.\n\n"
    for page in sorted((ROOT / "docs" / "decisions").glob("0*.md")):
        number, title = page.read_text().splitlines()[0].removeprefix("# ").split(". ", 1)
        text += f"- {number}: [{title}]({page.name})\n"
    return text


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
    """`NAME  what it is`, line by line; nothing where the paragraph is no such list."""
    found = [re.fullmatch(r" {0,3}(\S+) {2,}(\S.*)", line) for line in paragraph.splitlines()]
    return [(one[1], one[2]) for one in found if one] if all(found) else []


def _in_markdown(paragraph: str) -> str:
    if rows(paragraph):
        return "\n".join(["| | |", "|---|---|", *(f"| `{name}` | {what} |" for name, what in rows(paragraph))])
    if paragraph.startswith("    "):
        return f"```text\n{re.sub('^    ', '', paragraph, flags=re.MULTILINE)}\n```"
    return " ".join(paragraph.split())


def man_page() -> str:
    """ragqa(1) in the man macros that every man knows."""
    top = typer.main.get_command(app)
    context = typer.Context(top, info_name="ragqa", **top.context_settings)
    name, _, rest = (top.help or "").partition("\n\n")
    lines = [
        f'.TH RAGQA 1 "" "ragqa {ragqa.__version__}" "User Commands"',
        ".SH NAME",
        f"ragqa \\- {_roff(name[0].lower() + name[1:].rstrip('.'))}",
        ".SH SYNOPSIS",
        ".B ragqa\n[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n.br",
        ".B ragqa\n\\(aq\\fIquestion\\fR\\(aq",
        ".SH DESCRIPTION",
        *_paragraphs(rest),
        ".SH OPTIONS",
        *_parameters(top, context),
        ".SH COMMANDS",
    ]
    examples = []
    for path, command in list(tree())[1:]:
        below = typer.Context(command, info_name=" ".join(path), parent=context)
        usage = " ".join(command.collect_usage_pieces(below))
        lines += [f".SS {_roff(' '.join(['ragqa', *path, usage]))}", *_paragraphs(command.help or "")]
        lines += _parameters(command, below)
        examples += [(command.epilog or "").removeprefix("Example: ")]
    examples_section = [".SH EXAMPLES", *_code("\n".join(filter(None, examples)))]
    page = "\n".join([*lines, *_last_sections(), *examples_section]) + "\n"
    return re.sub(r"^(\.S[HS].*\n)\.PP\n", r"\1", page, flags=re.MULTILINE)  # a heading begins a paragraph by itself


def _last_sections() -> Iterator[str]:
    """Files, environment and exit status, from the manual's text."""
    named = {"WHERE THINGS ARE": "FILES", "PRIVACY OF THE FILES": "", "ENVIRONMENT VARIABLES": "ENVIRONMENT"}
    named["EXIT CODES"] = "EXIT STATUS"
    for title, paragraphs in manual().items():
        if named.get(title):
            yield f".SH {named[title]}"
        for paragraph in paragraphs if title in named else ():
            if rows(paragraph):
                yield from (f".TP\n.B {_roff(name)}\n{_filled(what)}" for name, what in rows(paragraph))
            else:
                yield from _code(paragraph) if paragraph.startswith("    ") else _paragraphs(paragraph)


def _parameters(command: Any, context: Any) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and (context.parent is None or "--help" not in record[0]):
            yield f".TP\n.B {_roff(record[0])}\n{_filled(record[1])}"


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in filter(None, text.split("\n\n")):
        yield f".PP\n{_filled(paragraph)}"


def _code(text: str) -> Iterator[str]:
    yield ".PP\n.nf\n.RS 4\n" + "\n".join(_roff(line.removeprefix("    ")) for line in text.splitlines()) + "\n.RE\n.fi"


_ROFF = str.maketrans({"\\": "\\e", "-": "\\-", "`": "\\(ga", "'": "\\(aq", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"})


def _roff(text: str) -> str:
    """Text as roff takes it: no line begins a request, hyphens stay hyphens that can be copied."""
    text = text.translate(_ROFF)
    text = "".join(character if character.isascii() else f"\\[u{ord(character):04X}]" for character in text)
    return f"\\&{text}" if text.startswith(".") else text


def _filled(text: str) -> str:
    """Text in lines that are short enough for a source of roff."""
    return "\n".join(_roff(line) for line in textwrap.wrap(text, 68, break_long_words=False, break_on_hyphens=False))


def main(arguments: list[str]) -> int:
    stale = [page for page, text in pages().items() if not page.exists() or page.read_text() != text]
    if "--check" in arguments:
        for page in stale:
            print(f"{page.relative_to(ROOT)} is out of date; run scripts/document", file=sys.stderr)
        return int(bool(stale))
    for page, text in pages().items():
        page.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
