"""The pages of the documentation: what they show being run, and what a reader who types them would see."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from tests.conftest import ROOT, Ragqa

MANUAL = sorted((ROOT / "corpus" / "manual").iterdir())
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
GUIDES = [ROOT / "README.md", *sorted(set((ROOT / "docs").rglob("*.md")) - set(DECISIONS))]
PAGES = [*GUIDES, *MANUAL, *DECISIONS]
TUTORIAL = ROOT / "docs" / "tutorial.md"

# A remark in the line before a block says that it is not run and why, or with what exit code its last command ends.
FENCE = re.compile(
    r"^(?:<!-- (?:not run: (?P<reason>[^\n]+)|exit (?P<code>\d+)) -->\n)?"
    r"```(?P<language>\w*)\n(?P<text>.*?)^```",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Command:
    """One command of a page.

    Attributes:
        shown: What the page shows it to print; None where it shows nothing. `…` stands for what varies.
    """

    line: int
    text: str
    shown: str | None = None
    code: int = 0


@dataclass(frozen=True)
class Block:
    """One fenced block of a page; `reason` is why it is not run, empty where it is."""

    page: Path
    line: int
    language: str
    text: str
    reason: str = ""
    code: int = 0

    def commands(self) -> list[Command]:
        found = list(READ[self.language](self))
        if found and self.code:
            last = found[-1]
            found[-1] = Command(last.line, last.text, last.shown, self.code)
        return found

    def typed(self) -> list[str]:
        """The lines that a reader would type; all lines of a block that is no shell."""
        typed = [command.text for command in self.commands()] if self.language in READ else [self.text]
        return [line for text in typed for line in text.splitlines()]


@dataclass(frozen=True)
class Ran:
    """What a command of a page did."""

    command: Command
    code: int
    printed: str


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start("text")) + 1
        reason, code = found["reason"] or "", int(found["code"] or 0)
        yield Block(page, line, found["language"], found["text"], reason, code)


def blocks_to_run(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language in READ]


def complete(script: str) -> bool:
    """Whether bash would run this, and not wait for another line."""
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
    return not done.returncode and not done.stderr


def _lines(block: Block) -> Iterator[Command]:
    """The commands of a script; what they print is not shown."""
    pending: list[str] = []
    for number, line in enumerate(block.text.splitlines(), start=block.line):
        if not pending and (not line.strip() or line.startswith("#")):
            continue
        pending.append(line)
        if complete("\n".join(pending) + "\n"):
            yield Command(number - len(pending) + 1, "\n".join(pending))
            pending = []
    assert not pending, f"{block.page.name}:{block.line}: bash cannot read {pending}"


def _typed(block: Block) -> Iterator[Command]:
    """The commands after `$ `, their further lines after `> `, and what stands below each of them."""
    for part in re.split(r"^(?=\$ )", block.text, flags=re.MULTILINE):
        if not part.strip():
            continue
        lines = part.splitlines()
        assert lines[0].startswith("$ "), f"{block.page.name}:{block.line}: no command over {lines[0]!r}"
        further = list(takewhile(lambda line: line.startswith(">"), lines[1:]))
        typed = "\n".join(line[2:] for line in [lines[0], *further])
        shown = "\n".join(lines[1 + len(further) :]).strip("\n")
        before = block.text[: block.text.index(part)]
        yield Command(block.line + before.count("\n"), typed, shown or None)


def _program(block: Block) -> Iterator[Command]:
    yield Command(block.line, f"python - <<'END'\n{block.text}END")


READ = {"bash": _lines, "console": _typed, "python": _program}


def run(commands: list[Command], ragqa: Ragqa, folder: Path) -> list[Ran]:
    """Type the commands into one shell, in order, and see what each of them prints and how it ends."""
    folder.mkdir()
    script = ""
    for number, command in enumerate(commands):
        script += f"{{ {command.text}\n}} >{folder}/{number} 2>&1; echo $? >{folder}/{number}.code\n"
    (folder / "script").write_text(script)
    done = ragqa.run(["bash", str(folder / "script")])
    assert not done.err, done.err
    return [
        Ran(command, int((folder / f"{number}.code").read_text()), (folder / str(number)).read_text())
        for number, command in enumerate(commands)
    ]


def like(shown: str, printed: str) -> bool:
    """Whether this was printed: `…` stands for any rest of a line and, alone on one, for any lines."""
    lines = ["(?s:.*)" if line == "…" else re.escape(line).replace("…", ".*") for line in shown.splitlines()]
    return bool(re.fullmatch("\n".join(lines), printed.strip("\n")))
