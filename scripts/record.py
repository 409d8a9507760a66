"""Runs commands in a terminal of its own, on the sample library, and draws what that shows at the end as an SVG.

The picture loads nothing: rich's own frame names fonts of another host, so they are taken out of it.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from html import unescape
from itertools import groupby
from pathlib import Path

import pexpect
import pyte
from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.style import Style
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "session.svg"
COLUMNS, LINES = 92, 60
COMMANDS = (
    "ragqa 'What does E5 want in front of a passage?'",
    "ragqa 'In which version did the trigram tokenizer join FTS5?'",
    "ragqa 'How many documents mention Okapi?'",
    "ragqa 'Who painted the Mona Lisa?'",
    "ragqa chat\nWho developed BM25?\nWhy are its scores negative in SQLite?",
)
READY, CTRL_D = rb"\x1b\[\?2004h", b"\x04"  # a line can be typed; there are no more
NOT_TAKEN_ALONG = ("RAGQA_", "LC_", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")  # what would change the picture
FRAME = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
_COLOURS = {"default": None, "brown": "yellow"}  # what pyte calls otherwise than rich


def record(commands: Sequence[str], home: Path) -> Text:
    """What a terminal shows after these commands, one after the other."""
    lines: list[Text] = []
    for command in commands:
        name = command.partition("\n")[0]
        lines += [Text.assemble(("$ ", "bold green"), name), *shown(type_in(command, home)), Text()]
    return Text("\n").join(lines[:-1])


def type_in(command: str, home: Path) -> bytes:
    """Every byte that a command sends to its terminal.

    Args:
        command: What is typed into it stands on lines of its own; Ctrl-D follows on the last one.
    """
    command, *lines = command.split("\n")
    typed = iter([*(f"{line}\r".encode() for line in lines), CTRL_D])
    own = {
        "RAGQA_HOME": str(home),
        "RAGQA_WARM": "0",
        "RAGQA_LOG": "0",
        "RAGQA_HYPERLINKS": "0",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(NOT_TAKEN_ALONG)} | own | {"PATH": path}
    return pexpect.run(
        f"bash -c {in_double_quotes(command)}",
        cwd=str(ROOT),
        env=environment,
        timeout=120,
        dimensions=(LINES, COLUMNS),
        events=[(READY, lambda state: next(typed))],
    )


def in_double_quotes(command: str) -> str:
    """As one word of a line that pexpect takes apart, which knows double quotes and backslashes."""
    return '"' + re.sub(r'(["\\])', r"\\\1", command) + '"'


def shown(sent: bytes) -> list[Text]:
    """The lines that are left on the screen, in their colours."""
    screen = pyte.Screen(COLUMNS, LINES)
    pyte.ByteStream(screen).feed(sent)
    lines = [_line(screen.buffer[y]) for y in range(LINES)]
    while lines and not lines[-1].plain:
        lines.pop()
    return lines


def _line(cells: dict[int, pyte.screens.Char]) -> Text:
    line = Text()
    for style, run in groupby((cells[x] for x in range(COLUMNS)), key=_style):
        line.append("".join(cell.data for cell in run), style)
    line.rstrip()
    return line


def _style(cell: pyte.screens.Char) -> Style:
    colour = f"#{cell.fg}" if re.fullmatch("[0-9a-f]{6}", cell.fg) else _COLOURS.get(cell.fg, cell.fg)
    return Style(color=colour, bold=cell.bold, italic=cell.italics)


def drawn(session: Text) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(session, overflow="fold", highlight=False)
    return console.export_svg(title="ragqa", code_format=FRAME, unique_id="ragqa")


def text_of(picture: str) -> list[str]:
    """The lines of a picture, without the title of its window."""
    rows: dict[str, str] = {}
    for y, text in re.findall(r'<text class="ragqa-r\d+" x="[^"]*" y="([^"]*)"[^>]*>(.*?)</text>', picture):
        rows[y] = rows.get(y, "") + unescape(text).replace("\xa0", " ")
    return [row.rstrip() for row in rows.values()]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare the text of the picture")
    parser.add_argument("--home", type=Path, help="a folder in which the sample library is indexed already")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        home = asked.home or Path(scratch)
        if not asked.home:
            type_in("ragqa index corpus -c corpus", home)
        picture = drawn(record(COMMANDS, home))
    if not asked.check:
        PICTURE.write_text(picture)
        return 0
    now, then = text_of(picture), text_of(PICTURE.read_text())
    for line in sorted(set(now) ^ set(then)):
        print(line, file=sys.stderr)
    return int(now != then)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
