"""ragqa(1), in the macros that every man knows: from the help of every command and the manual's text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import typer
from sources import is_code, manual, rows, tree

import ragqa

# Sections of the manual, and what a man page calls them; one without a name goes on with what is before it.
SECTIONS = {
    "WHERE THINGS ARE": "FILES",
    "PRIVACY OF THE FILES": "",
    "ENVIRONMENT VARIABLES": "ENVIRONMENT",
    "EXIT CODES": "EXIT STATUS",
}
WIDTH = 68  # characters of a line, before what roff wants escaped
ESCAPED = str.maketrans(
    {"\\": "\\e", "-": "\\-", "`": "\\(ga", "'": "\\(aq", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"},
)


def man_page() -> str:
    """The whole page. It has no date, which would change it on every day."""
    (_none, top), *commands = tree()
    page = "\n".join([*_head(top), *_commands(top, commands), *_sections(), *_examples(commands)]) + "\n"
    return re.sub(r"^(\.S[HS].*\n)\.PP\n", r"\1", page, flags=re.MULTILINE)  # a heading begins a paragraph by itself


def _head(top: Any) -> Iterator[str]:
    name, _, rest = (top.help or "").partition("\n\n")
    yield f'.TH RAGQA 1 "" "ragqa {ragqa.__version__}" "User Commands"'
    yield f".SH NAME\nragqa \\- {_roff(name[0].lower() + name[1:].rstrip('.'))}"
    yield ".SH SYNOPSIS\n.B ragqa\n[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n.br"
    yield ".B ragqa\n\\(aq\\fIquestion\\fR\\(aq"
    yield from (".SH DESCRIPTION", *_paragraphs(rest))
    yield from (".SH OPTIONS", *_parameters(top, _context(top)))


def _commands(top: Any, commands: list[tuple[list[str], Any]]) -> Iterator[str]:
    yield ".SH COMMANDS"
    for words, command in commands:
        context = typer.Context(command, info_name=" ".join(words), parent=_context(top))
        yield f".SS {_roff(' '.join(['ragqa', *words, *command.collect_usage_pieces(context)]))}"
        yield from _paragraphs(command.help or "")
        yield from _parameters(command, context)


def _context(top: Any) -> Any:
    return typer.Context(top, info_name="ragqa", **top.context_settings)


def _parameters(command: Any, context: Any) -> Iterator[str]:
    """Arguments and options as the help has them; `--help` stands with the options of ragqa alone."""
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and (context.parent is None or "--help" not in record[0]):
            yield f".TP\n.B {_roff(record[0])}\n{_filled(record[1])}"


def _sections() -> Iterator[str]:
    """Files, environment and exit status, from the manual's text."""
    sections = manual()
    for title, name in SECTIONS.items():
        if name:
            yield f".SH {name}"
        for paragraph in sections[title]:
            if rows(paragraph):
                yield from (f".TP\n.B {_roff(one)}\n{_filled(what)}" for one, what in rows(paragraph))
            else:
                yield from _code(paragraph) if is_code(paragraph) else _paragraphs(paragraph)


def _examples(commands: list[tuple[list[str], Any]]) -> Iterator[str]:
    epilogs = [command.epilog for _words, command in commands if command.epilog]
    yield from (".SH EXAMPLES", *_code("\n".join(epilog.removeprefix("Example: ") for epilog in epilogs)))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in filter(None, text.split("\n\n")):
        yield f".PP\n{_filled(paragraph)}"


def _code(text: str) -> Iterator[str]:
    lines = (_roff(line.removeprefix("    ")) for line in text.splitlines())
    yield ".PP\n.nf\n.RS 4\n" + "\n".join(lines) + "\n.RE\n.fi"


def _filled(text: str) -> str:
    """Text in lines that are short enough for a source of roff."""
    return "\n".join(_roff(line) for line in textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False))


def _roff(text: str) -> str:
    """Text as roff takes it: no line begins a request, hyphens stay hyphens that can be copied."""
    text = text.translate(ESCAPED)
    text = "".join(character if character.isascii() else f"\\[u{ord(character):04X}]" for character in text)
    return f"\\&{text}" if text.startswith(".") else text
