"""What is typed → questions and commands: line by line from a terminal or a pipe, or several lines as one."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ragqa.cli.stopping import ENDING, stoppable

if TYPE_CHECKING:
    from prompt_toolkit.application import Application
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.document import Document
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

Read = Callable[[str], str]
"""Shows a prompt and gives a line back; EOFError when there are no more, KeyboardInterrupt on Ctrl-C."""

Suggest = Callable[[str], Iterable[str]]
"""What the word that a line begins with, or all that follows it, could become."""

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


def from_pipe(prompt: str) -> str:
    """The next line of standard input; no prompt is shown."""
    line = sys.stdin.buffer.readline()
    if not line:
        raise EOFError
    return line.decode("utf-8", "replace").rstrip("\r\n")


def plainly(prompt: str) -> str:
    """A line of a terminal that can only show one line after the other."""
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        return input(prompt)
    except (EOFError, KeyboardInterrupt):
        sys.stdout.write("\n")
        raise


def from_terminal(suggest: Suggest, kept: Path | None) -> Read:
    """Lines with arrows, search and completion; plainly while the terminal is too narrow to draw anything.

    Args:
        kept: Where lines are kept from one conversation to the next; None: nowhere.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.output import ColorDepth
    from prompt_toolkit.output.vt100 import Vt100_Output

    from ragqa.cli.chat.lines import lines

    output = Vt100_Output.from_pty(sys.stdout, term=os.environ.get("TERM"))
    output.enable_cpr = False  # some terminals do not say where their cursor is, and an answer can come too late
    session: PromptSession[str] = PromptSession(
        history=lines(kept),
        completer=_completer(suggest),
        complete_while_typing=Condition(lambda: session.default_buffer.text.startswith("/")),
        auto_suggest=AutoSuggestFromHistory(),
        key_bindings=_keys(suggest),
        output=output,
        color_depth=ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None,
    )

    def read(prompt: str) -> str:
        if shutil.get_terminal_size().columns < NARROW:
            return plainly(prompt)
        with stoppable(ENDING, partial(_leave, session.app)):
            return session.prompt(prompt)

    return read


def _leave(app: Application[str], stop: BaseException) -> None:
    """End the reading of a line with an exception; one that is raised inside the loop of events could be lost."""

    def leave() -> None:
        if app.future and not app.future.done():
            app.exit(exception=stop)

    if not app.loop:
        raise stop
    app.loop.call_soon_threadsafe(leave)


def _completer(suggest: Suggest) -> Completer:
    from prompt_toolkit.completion import Completer, Completion

    class Completing(Completer):
        def get_completions(self, document: Document, complete_event: object) -> Iterable[Completion]:
            line = document.text_before_cursor
            for one in suggest(line):
                yield Completion(one, start_position=-len(_begun(line)))

    return Completing()


def _begun(line: str) -> str:
    """What of a line would be completed: its first word, or all that follows it."""
    command, has_argument, argument = line.partition(" ")
    return argument if has_argument else command


def _keys(suggest: Suggest) -> KeyBindings:
    """Tab completes at once what is plain, however fast the next key comes, and offers the rest.

    Ctrl-C takes back what was typed; on an empty line it is for the conversation.
    """
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("tab")
    def _complete(event: KeyPressEvent) -> None:
        buffer, line = event.current_buffer, event.current_buffer.document.text_before_cursor
        shared = os.path.commonprefix(list(suggest(line)))  # noqa: RUF071 (letters are wanted)
        if not buffer.complete_state and len(shared) > len(_begun(line)):
            buffer.insert_text(shared[len(_begun(line)) :])
        elif buffer.complete_state:
            buffer.complete_next()
        else:
            buffer.start_completion()

    @keys.add("c-c")
    def _interrupt(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt())

    return keys
