"""What begins with a slash in a conversation: a table of commands."""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ragqa.cli.render import in_line, print_table, shown
from ragqa.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from ragqa.cli.chat.talk import Talk
    from ragqa.turn import Source, Turn


class Leave(Exception):
    """The conversation is over."""


@dataclass(frozen=True, slots=True)
class Command:
    """A row: what it is called, what it takes, what it does.

    Attributes:
        argument: How its argument is written in the help; empty where it takes none.
        offers: What its argument, as far as it is typed, can be.
    """

    name: str
    argument: str
    does: str
    run: Callable[[Talk, str], None]
    offers: Callable[[Talk, str], Iterable[str]] = lambda talk, typed: ()


def run(talk: Talk, line: str) -> bool:
    """Run a line that begins with a slash; False where it is no command but a question, such as one about a path.

    Raises:
        UsageError: No such command, or not with such an argument.
        Leave: It was the one that ends the conversation.
    """
    word, _, argument = line.partition(" ")
    name, argument = word[1:], argument.strip()
    command = next((row for row in COMMANDS if row.name == name or (name == "exit" and row.name == "quit")), None)
    if command is None:
        if "/" in name or not name:
            return False
        near = difflib.get_close_matches(name, [row.name for row in COMMANDS], n=1)
        hint = f"did you mean /{near[0]}?" if near else "/help lists them"
        raise UsageError(f"no command /{name}", hint)
    if argument and not command.argument:
        raise UsageError(f"/{name} takes nothing after it")
    command.run(talk, argument)
    return True


def suggestions(talk: Talk, line: str) -> list[str]:
    """What a line that was begun could become: its first word, or all that follows it."""
    word, has_argument, typed = line.partition(" ")
    if not word.startswith("/"):
        return []
    if not has_argument:
        return [f"/{row.name}" for row in COMMANDS if row.name.startswith(word[1:])]
    offers = (row.offers(talk, typed) for row in COMMANDS if f"/{row.name}" == word)
    return [one for offered in offers for one in offered if one.startswith(typed)]


def _help(talk: Talk, _argument: str) -> None:
    rows = [(f"/{row.name} {row.argument}".rstrip(), row.does) for row in COMMANDS]
    rows += [
        ("!multi … !end", "a question of several lines"),
        ("!edit", "write the question in an editor"),
        ("Ctrl-C", "stop the answer; twice: leave"),
        ("Ctrl-D", "leave"),
    ]
    print_table(("", ""), rows)


def _sources(talk: Talk, _argument: str) -> None:
    for source in _last(talk).sources:
        print_source(talk, source)
    if not _last(talk).sources:
        talk.out.print("the last answer has no sources")


def print_source(talk: Talk, source: Source) -> None:
    """A quote with its number and place, and what it stands under."""
    from rich.text import Text

    from ragqa.cli.answers import source_place

    line = Text(f"[{source.n}] ").append(source_place(source))
    line.append(in_line("  " + " > ".join(source.heading)) if source.heading else "", style="dim")
    talk.out.print(line)
    print_indented(talk.out, source.quote)


def print_indented(out: Console, text: str) -> None:
    """A text behind a margin that lines which are too long for the terminal keep, too."""
    from rich.text import Text

    margin = " " * (MARGIN if out.width > NARROW else 0)
    width = 0 if out.soft_wrap else out.width - len(margin)
    for line in shown(text).splitlines():
        for part in Text(line).wrap(out, width) if width else [Text(line)]:
            out.print(Text(margin).append(part.plain.rstrip()))


def _why(talk: Talk, _argument: str) -> None:
    from ragqa.cli.answers import print_explanation

    _last(talk)
    if talk.answer is None:
        raise UsageError("how that answer came about is no longer known", "/retry asks again")
    print_explanation(talk.answer, talk.out)


def _open(talk: Talk, argument: str) -> None:
    from ragqa.cli.opening import open_source, require_terminal

    sources = {str(source.n): source for source in _last(talk).sources}
    source = sources.get(argument or "1")
    if source is None:
        known = f"there are {', '.join(sources)}" if sources else "the last answer has none"
        raise UsageError(f"no source {argument or '1'}", known)
    require_terminal("/open", "/sources shows the places")
    open_source(source.path, source.line_start, os.environ, source.place)


def _collection(talk: Talk, argument: str) -> None:
    if argument:
        talk.asking.choose(_named(argument, _names(talk)), talk.asking.where)
    chosen = ", ".join(talk.asking.collections) or "all collections"
    others = ", ".join(_names(talk))
    talk.remark(f"asking {chosen}" if argument else f"asking {chosen}; there are: {others}")


def _named(argument: str, names: Sequence[str]) -> list[str]:
    """The collections that are meant: all, one whose name needs no quotes, or several as a shell would read them.

    Returns:
        Nothing for all.

    Raises:
        UsageError: A quote is not closed.
    """
    if argument == ALL or (argument == "all" and argument not in names):
        return []
    if argument in names:
        return [argument]
    return _divided("collection", argument)


def _divided(command: str, argument: str) -> list[str]:
    """The words of an argument, as a shell would read them."""
    try:
        return shlex.split(argument)
    except ValueError as error:
        raise UsageError(f"/{command} {argument}: {error}") from error


def _where(talk: Talk, argument: str) -> None:
    if argument:
        talk.asking.choose(talk.asking.collections, [] if argument == ALL else _divided("where", argument))
    terms = " ".join(map(shlex.quote, talk.asking.where)) or "all documents"
    count = talk.asking.count_documents()
    talk.remark(f"asking {terms}: {count} document{'s' * (count != 1)}")


def _model(talk: Talk, argument: str) -> None:
    from ragqa.catalogue import DEFAULTS

    if argument:
        talk.asking.use(replace(talk.asking.settings, model=argument))
    used = talk.asking.settings.model or DEFAULTS["generate"]
    talk.remark(f"{used} writes" if argument else f"{used} writes; there are: {', '.join(_models(talk))}")


def _template(talk: Talk, argument: str) -> None:
    if argument:
        talk.asking.use(replace(talk.asking.settings, template=argument))
    used = talk.asking.settings.template
    talk.remark(f"asking with {used}" if argument else f"asking with {used}; there are: {', '.join(_templates(talk))}")


def _save(talk: Talk, argument: str) -> None:
    from ragqa.cli.chat.saving import save
    from ragqa.cli.chat.talk import how_many

    _last(talk)
    if not argument:
        raise UsageError("/save wants a file", "for example /save bridge.md")
    path = save(talk.turns, argument)
    talk.remark(f"{how_many(len(talk.turns))} written to {path}")


def _retry(talk: Talk, _argument: str) -> None:
    if not talk.retry():
        raise UsageError("nothing was asked yet")


def _reset(talk: Talk, _argument: str) -> None:
    talk.reset()
    talk.remark("a new conversation")


def _history(talk: Talk, _argument: str) -> None:
    from rich.text import Text

    _last(talk)
    for n, turn in enumerate(talk.turns):
        talk.out.print(Text(("\n" if n else "") + shown(f"> {turn.question}"), style="dim"))
        talk.out.print(Text(shown(turn.answer)))


def _quit(_talk: Talk, _argument: str) -> None:
    raise Leave


def _last(talk: Talk) -> Turn:
    if not talk.turns:
        raise UsageError("nothing was asked yet")
    return talk.turns[-1]


def _names(talk: Talk) -> list[str]:
    return sorted({record.collection for record in talk.asking.store.known().values()})


def _collections(talk: Talk, typed: str = "") -> list[str]:
    """All, each one, and behind names that were typed already, each as one more."""
    before, names = typed[: typed.rfind(" ") + 1], _names(talk)
    return [ALL, *names, *(before + shlex.quote(name) for name in names if before)]


def _terms(talk: Talk, typed: str = "") -> list[str]:
    """What a last term could become, behind those that were typed already."""
    from ragqa.cli.complete import all_terms

    before = typed[: typed.rfind(" ") + 1]
    return [*([] if before else [ALL]), *(before + shlex.quote(term) for term in all_terms(talk.asking.store.known()))]


def _models(talk: Talk, typed: str = "") -> list[str]:
    from ragqa.models import installed

    return [manifest.name for manifest in installed(talk.asking.settings.models) if manifest.kind == "generate"]


def _templates(talk: Talk, typed: str = "") -> list[str]:
    from ragqa.prompt import templates

    return sorted(templates(talk.asking.settings.prompts))


def _files(talk: Talk, typed: str) -> list[str]:
    """What a path could become; a folder ends in a slash."""
    folder = typed[: typed.rfind("/") + 1]
    hidden = typed[len(folder) :].startswith(".")
    try:
        with os.scandir(Path(folder or ".").expanduser()) as found:
            names = sorted(one.name + "/" * one.is_dir() for one in found if hidden or not one.name.startswith("."))
    except (OSError, RuntimeError):  # no such folder, or nobody of that name has a home
        return []
    return [folder + name for name in names]


def _numbers(talk: Talk, typed: str = "") -> list[str]:
    return [str(source.n) for source in talk.turns[-1].sources] if talk.turns else []


ALL = "*"
MARGIN, NARROW = 4, 16  # columns
COMMANDS = (
    Command("help", "", "this list", _help),
    Command("sources", "", "the quotes of the last answer, with their places", _sources),
    Command("why", "", "how the last answer came about: scores, tokens, prompt", _why),
    Command("open", "N", "open source N of the last answer where it stands", _open, _numbers),
    Command("collection", "NAME", "ask this collection only; `*` asks all", _collection, _collections),
    Command(
        "where",
        "PATTERN…",
        "ask documents of this path, tag:X, type:pdf, after:DATE only; `*` asks all",
        _where,
        _terms,
    ),
    Command("model", "NAME", "let another Llama write", _model, _models),
    Command("template", "NAME", "ask for another shape of answer", _template, _templates),
    Command("save", "FILE", "write the conversation into a new file, as Markdown", _save, _files),
    Command("retry", "", "ask the last question again, wider", _retry),
    Command("reset", "", "begin a new conversation", _reset),
    Command("history", "", "what was said so far", _history),
    Command("quit", "", "leave", _quit),
)
