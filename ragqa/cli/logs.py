"""`ragqa logs`: the history of questions and answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ragqa.cli import complete
from ragqa.cli.answers import source_place
from ragqa.cli.as_json import recorded_json
from ragqa.cli.options import advise, settle
from ragqa.cli.render import console, in_line, path_from_here, print_json, print_lines, print_table, shown
from ragqa.config_file import write_setting
from ragqa.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from ragqa.history import History, Recorded
    from ragqa.types import JSON

NOTHING_FOUND = 4
DEFAULT_NUMBER = 3

Conversation = Annotated[
    str,
    typer.Option(
        "--cid",
        "--conversation",
        help="This conversation, by the start of its id.",
        autocompletion=complete.conversations,
    ),
]


def register(app: typer.Typer) -> None:
    family = typer.Typer(
        name="logs",
        help="The history: questions and their answers, the newest last.",
        epilog="Example: ragqa logs -q bridge -n 10",
        callback=logs,
        invoke_without_command=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    family.command("on", epilog="Example: ragqa logs on")(turn_on)
    family.command("off", epilog="Example: ragqa logs off")(turn_off)
    family.command("status", epilog="Example: ragqa logs status")(status)
    family.command("path", epilog='Example: datasette "$(ragqa logs path)"')(path)
    family.command("forget", epilog="Example: ragqa logs forget --before 2026-01-01")(forget)
    app.add_typer(family)


def logs(
    context: typer.Context,
    text: Annotated[str, typer.Option("-q", "--query", help="Only where question or answer has these words.")] = "",
    number: Annotated[
        int | None, typer.Option("-n", "--number", min=0, help="How many, 3 without it; 0 is all.")
    ] = None,
    current: Annotated[bool, typer.Option("-c", "--current", help="The latest conversation, all of it.")] = False,
    cid: Conversation = "",
    response: Annotated[bool, typer.Option("-r", "--response", help="Only the latest answer.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    nl: Annotated[bool, typer.Option("--nl", help="One JSON line a question.")] = False,
) -> int:
    """The history: questions and their answers, the newest last."""
    if context.invoked_subcommand is not None:
        return 0
    if sum((as_json, nl, response)) > 1 or (current and cid):
        raise UsageError("--json, --nl and --response exclude each other, and so do --current and --cid")
    whole = 0 if current or cid else DEFAULT_NUMBER
    found = _found(text, 1 if response and number is None else whole if number is None else number, cid, current)
    if as_json:
        print_json([recorded_json(one) for one in found])
    elif nl:
        print_lines(map(recorded_json, found))
    elif response:
        for one in found:
            print(shown(one.turn.answer))
    else:
        _print(found)
    return 0 if found else NOTHING_FOUND


def _found(text: str, number: int, cid: str, current: bool) -> list[Recorded]:
    history = _open_to_read()
    if not history:
        advise("nothing has been recorded yet", quiet=False)
        return []
    conversation = history.conversation(cid) if cid else (history.latest_conversation() or "") if current else ""
    if text:
        return history.search(text, number, conversation=conversation)
    return history.latest(number, conversation=conversation)


def _open_to_read() -> History | None:
    """The history, or None where nothing has been recorded."""
    from ragqa.history import open_history

    place = settle().logs
    return open_history(place, writable=False) if place.exists() else None


def _print(found: Sequence[Recorded]) -> None:
    out = console()
    for n, one in enumerate(found):
        if n:
            out.print()
        _print_one(out, one)


def _print_one(out: Console, recorded: Recorded) -> None:
    """Time and id, the question, the answer, and where its quotes stood."""
    from rich.text import Text

    turn = recorded.turn
    moment = datetime.fromisoformat(recorded.asked_at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    out.print(Text(f"{moment}  {in_line(turn.id)}", style="dim"))
    out.print(Text(in_line(turn.question), style="bold"))
    if turn.query != turn.question:
        out.print(Text(in_line(f"searched: {turn.query}"), style="dim"))
    out.print(Text(shown(turn.answer)))
    for source in turn.sources:
        out.print(Text(f"[{source.n}] ").append(source_place(source)))


def turn_on() -> None:
    """Keep questions and answers from now on."""
    _turn(on=True)


def turn_off() -> None:
    """Keep none from now on; what is there stays."""
    _turn(on=False)


def _turn(*, on: bool) -> None:
    settings = settle()
    write_setting(settings.config, "log", on)
    print(f"log = {str(on).lower()} in {in_line(path_from_here(settings.config))}")
    if settle().log != on:
        advise("RAGQA_LOG or a project's .ragqa.toml says otherwise; `ragqa config show` says which", quiet=False)


def status(as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False) -> None:
    """Say whether questions are kept, where, and how many there are."""
    settings = settle()
    history = _open_to_read()
    values: JSON = {
        "log": settings.log,
        "path": str(settings.logs),
        "bytes": settings.logs.stat().st_size if history else 0,
        "conversations": len(history.conversations()) if history else 0,
        "questions": len(history.ids()) if history else 0,
    }
    if as_json:
        print_json(values)
    else:
        print_table(("", ""), list((values | {"log": "on" if settings.log else "off"}).items()))


def path() -> None:
    """Print where the history lies."""
    sys.stdout.buffer.write(os.fsencode(settle().logs) + b"\n")


def forget(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Questions, by the start of their ids.", metavar="[ID]...")
    ] = None,
    cid: Conversation = "",
    before: Annotated[str, typer.Option("--before", help="All from before this date, such as 2026-01-31.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="The whole history.")] = False,
) -> None:
    """Remove questions with their answers and quotes, leaving no byte of them.

    What the arrows bring back in `ragqa chat` goes with them.
    """
    from ragqa.history import open_history

    if not (ids or cid or before or everything) or (everything and (ids or cid or before)):
        raise UsageError("an ID, --cid, --before or --all is wanted", "`ragqa logs -n 0` lists all")
    moment = _moment(before) if before else None
    settings = settle()
    place, gone = settings.logs, 0
    if place.exists():
        history = open_history(place)
        unwanted = [history.turn(id) for id in ids or ()]
        if cid or moment or everything:
            unwanted += history.ids(conversation=history.conversation(cid) if cid else "", before=moment)
        gone = history.forget(dict.fromkeys(unwanted))
        history.close()
    if gone or everything:  # what was typed holds the questions, too, and does not say which
        settings.typed.unlink(missing_ok=True)
    print(f"forgot {gone} question{'s' * (gone != 1)}")


def _moment(date: str) -> datetime:
    try:
        return datetime.fromisoformat(date)
    except ValueError:
        raise UsageError(f"--before {date}: not a date", "such as 2026-01-31, or 2026-01-31T18:00") from None
