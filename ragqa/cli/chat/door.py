"""`ragqa chat`: the command, and the loop from one question to the next."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ragqa.cli import complete
from ragqa.cli.asking import Asking
from ragqa.cli.chat.commands import Leave, run, suggestions
from ragqa.cli.chat.reading import DUMB, Read, from_pipe, from_terminal, plainly, typed
from ragqa.cli.chat.talk import Talk, how_many
from ragqa.cli.opening import edited, require_terminal
from ragqa.cli.options import Collections, Db, EmbedModel, Model, Number, Options, Quiet, settle
from ragqa.cli.recording import Recording
from ragqa.cli.render import error_lines
from ragqa.cli.stopping import ENDING, insistent, stoppable
from ragqa.cli.where import Where
from ragqa.errors import RagqaError, UsageError
from ragqa.settings import Settings
from ragqa.turn import Turn

INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ragqa chat -c notes --continue")(chat)


def chat(
    go_on: Annotated[bool, typer.Option("--continue", help="Go on with the last conversation.")] = False,
    cid: Annotated[str, typer.Option(help="Go on with this conversation.", autocompletion=complete.conversations)] = "",
    number: Number = None,
    collection: Collections = None,
    where: Where = None,
    model: Model = None,
    system: Annotated[str | None, typer.Option("-s", "--system", help="A system prompt of your own.")] = None,
    template: Annotated[
        str | None,
        typer.Option("-t", "--template", help="A prompt, as `ask` takes it.", autocompletion=complete.templates),
    ] = None,
    quotes: Annotated[bool, typer.Option("--quotes", help="Only quotations: no Llama is loaded.")] = False,
    no_log: Annotated[bool, typer.Option("--no-log", help="Keep this out of the history.")] = False,
    db: Db = None,
    embed_model: EmbedModel = None,
    option: Options = None,
    quiet: Quiet = False,
) -> int:
    """Talk with your documents: questions may follow on each other. /help lists what can be done.

    From a pipe, each line is a question, and the answers are printed as `ask` prints them.
    """
    if go_on and cid:
        raise UsageError("--continue and --cid exclude each other")
    settings = settle(db=db, model=model, embed_model=embed_model, passages=number, template=template, options=option)
    turns, conversation = _earlier(settings, cid, latest=go_on)
    asking = Asking(
        settings, collections=collection or [], where=where or [], quotes=quotes, system=system, quiet=quiet, many=True
    )
    logged = settings.log and not no_log
    recording = Recording(settings.logs if logged else None, quiet)
    person = sys.stdin.isatty() and sys.stdout.isatty()
    talk = Talk(asking, recording, turns=turns, conversation=conversation, decorated=person and not quiet)
    asking.load()
    if turns:
        talk.remark(_going_on(turns))
    elif person:
        talk.remark(f"{asking.count_documents()} documents; /help lists commands, Ctrl-D leaves")
    try:
        with stoppable(ENDING):
            return converse(talk, _read(talk, settings.typed if logged else None, person), person=person)
    finally:
        recording.close()


def converse(talk: Talk, read: Read, *, person: bool) -> int:
    """Answer until there are no more questions; returns the exit code.

    A question that is refused or stopped costs itself alone. A person's second Ctrl-C in a row leaves.

    Raises:
        Stopped: Somebody pressed Ctrl-C twice before the answer was stopped.
    """
    stopped, refused = False, 0
    while True:
        line = ""
        try:
            line = typed(read, _edited)
            if line:
                stopped = False
                with insistent():
                    if not (line.startswith("/") and run(talk, line)):
                        talk.ask(line)
                    talk.out.print()
        except (EOFError, Leave):
            return refused
        except KeyboardInterrupt:
            if stopped or not person:
                return INTERRUPTED
            stopped = True
            talk.remark(f"({'stopped; ' if line else ''}Ctrl-C again or Ctrl-D leaves)")
            talk.out.print()
        except RagqaError as error:
            sys.stderr.write(error_lines(error) + "\n" * person)
            sys.stderr.flush()
            refused = refused or (0 if person else error.exit_code)


def _edited(text: str) -> str:
    require_terminal("!edit", "`!multi` … `!end` make one question of several lines")
    return edited(text, os.environ)


def _earlier(settings: Settings, cid: str, *, latest: bool) -> tuple[list[Turn], str]:
    """The turns of the conversation to go on with, and its id; none where a new one begins."""
    if not (cid or latest):
        return [], ""
    from ragqa.history import open_history

    hint = "`ragqa logs` lists what was asked; without it, a new conversation begins"
    if not settings.logs.is_file():
        raise UsageError("there is no conversation to go on with", hint)
    history = open_history(settings.logs, writable=False)
    try:
        conversation = history.conversation(cid) if cid else history.latest_conversation()
        if not conversation:
            raise UsageError("there is no conversation to go on with", hint)
        return history.turns(conversation), conversation
    finally:
        history.close()


def _going_on(turns: Sequence[Turn]) -> str:
    return f"going on after {how_many(len(turns))}; the last question was: {turns[-1].question}"


def _read(talk: Talk, kept: Path | None, person: bool) -> Read:
    """How lines come in: from a pipe, from a terminal that can move its cursor, or from one that cannot."""
    if not person:
        return from_pipe
    if os.environ.get("TERM", "") in DUMB:
        return plainly
    return from_terminal(partial(suggestions, talk), kept)
