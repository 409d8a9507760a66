"""What is typed → questions and commands: line by line from a terminal or a pipe, or several lines as one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ragqa.errors import UsageError

if TYPE_CHECKING:
    from prompt_toolkit.document import Document
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

Read = Callable[[str], str]
"""Shows a prompt and gives a line back; EOFError when there are no more, KeyboardInterrupt on Ctrl-C."""

Suggest = Callable[[str], Iterable[str]]
"""What a line that was begun could become."""

PROMPT, MORE = "> ", ". "
NARROW = 16  # columns; where there are fewer, nothing is drawn around the line
DUMB = ("", "dumb", "unknown")


def typed(read: Read, edit: Callable[[str], str]) -> str:
    """One question or command: a line, the lines from `!multi` to `!end`, or what `!edit` brings back.

    Args:
        edit: Opens a text in an editor and gives back what it was made.
    """
    line = read(PROMPT).strip()
    word, _, mark = line.partition(" ")
    if word == "!edit":
        return edit(mark).strip()
    if word != "!multi":
        return line
    lines: list[str] = []
    while True:
        try:
            line = read(MORE)
        except EOFError:
            break
        if line.split() == ["!end", *mark.split()]:
            break
        lines.append(line)
    return "\n".join(lines).strip()


def edited(text: str, environ: Mapping[str, str]) -> str:
    """What a text was made in the user's editor; the text itself if the editor was left without saving."""
    import click

    editor = next((environ[name] for name in ("RAGQA_EDITOR", "VISUAL", "EDITOR") if environ.get(name)), None)
    try:
        changed = click.edit(text, editor=editor, extension=".md")
    except click.ClickException as error:
        raise UsageError(error.message, "set $EDITOR to an editor that is installed") from error
    return text if changed is None else changed


def from_pipe(prompt: str) -> str:
    """The next line of standard input; no prompt is shown."""
    line = sys.stdin.buffer.readline()
    if not line:
        raise EOFError
    return line.decode("utf-8", "replace").rstrip("\r\n")


def is_plain(environ: Mapping[str, str], columns: int) -> bool:
    """Whether a terminal can only show one line after the other."""
    return environ.get("TERM", "") in DUMB or columns < NARROW


def from_terminal(suggest: Suggest, kept: Path | None) -> Read:
    """Lines with arrows, search and completion.

    Args:
        kept: Where lines are kept from one conversation to the next; None: nowhere.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
    from prompt_toolkit.completion import Completer, Completion
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.output.vt100 import Vt100_Output

    class Completing(Completer):
        def get_completions(self, document: Document, complete_event: object) -> Iterable[Completion]:
            line = document.text_before_cursor
            word = line.rpartition(" ")[2]
            for one in suggest(line):
                yield Completion(one, start_position=-len(word))

    output = Vt100_Output.from_pty(sys.stdout, term=os.environ.get("TERM"))
    output.enable_cpr = False  # some terminals do not say where their cursor is, and an answer can come too late
    session: PromptSession[str] = PromptSession(
        history=_lines(kept),
        completer=Completing(),
        complete_while_typing=Condition(lambda: session.default_buffer.text.startswith("/")),
        auto_suggest=AutoSuggestFromHistory(),
        key_bindings=_keys(),
        output=output,
    )
    return lambda prompt: session.prompt(prompt)


def _lines(kept: Path | None) -> History:
    """The lines of earlier conversations, in a file that nobody else can read."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    if not kept:
        return InMemoryHistory()
    try:
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(kept, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600))
    except OSError:  # the arrows still know this conversation
        return InMemoryHistory()
    return FileHistory(str(kept))


def _keys() -> KeyBindings:
    """Ctrl-C takes back what was typed; on an empty line it is for the conversation."""
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("c-c")
    def _interrupt(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt())

    return keys
