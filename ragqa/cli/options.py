"""Options that commands share, and how they become settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ragqa.cli import complete
from ragqa.errors import UsageError
from ragqa.settings import Settings, load_settings

Db = Annotated[Path | None, typer.Option("--db", help="The index file, in place of the default.")]
Collections = Annotated[
    list[str] | None,
    typer.Option(
        "-c",
        "--collection",
        help="Only this collection; may be given again.",
        autocompletion=complete.collections,
    ),
]
Number = Annotated[int | None, typer.Option("-n", "--number", min=1, max=1000, help="How many passages.")]
Model = Annotated[
    str | None,
    typer.Option("-m", "--model", help="The Llama that writes.", autocompletion=complete.llamas),
]
EmbedModel = Annotated[
    str | None,
    typer.Option("--embed-model", help="The model that embeds.", autocompletion=complete.embedders),
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "-o",
        "--option",
        help="Any setting: `-o budget 800`; may be given again.",
        autocompletion=complete.settings,
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress and no notes.")]


def settle(
    *,
    db: Path | None = None,
    model: str | None = None,
    embed_model: str | None = None,
    passages: int | None = None,
    template: str | None = None,
    options: Sequence[str] | None = None,
) -> Settings:
    """Settings for a command that was given these flags."""
    flags: dict[str, Any] = {}
    for option in options or ():
        name, given, value = option.partition("=")
        if not given:
            raise UsageError(f"-o {option}: a setting and a value are wanted", "for example `-o budget 800`")
        flags[name] = value
    named = {"db": db, "model": model, "embed_model": embed_model, "passages": passages, "template": template}
    return load_settings(os.environ, here(), flags | {k: v for k, v in named.items() if v is not None})


def to_be_called(name: str | None) -> str | None:
    """The name that a collection is to have, if it is one; raises UsageError."""
    from ragqa.files import readable

    if name is not None and not name.strip():
        raise UsageError(f"{name!r}: not a name", "choose another name")
    if name is not None and readable(name) != name:
        raise UsageError(f"{readable(name)}: not UTF-8", "choose another name")
    return name


def here() -> Path:
    """The working folder, or the root where it is gone."""
    try:
        return Path.cwd()
    except FileNotFoundError:  # the working folder was removed; what is not relative to it still works
        return Path("/")


def joined_options(arguments: Sequence[str]) -> list[str]:
    """`-o name value` as one argument, `-o name=value`: the parser takes one value an option."""
    joined: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return [*joined, argument, *rest]
        if argument in ("-o", "--option") and len(rest) >= 2 and "=" not in rest[0]:
            name, value = rest.pop(0), rest.pop(0)
            joined += [argument, f"{name}={value}"]
        else:
            joined.append(argument)
    return joined


def speaker(quiet: bool) -> Callable[[str], None]:
    """Says what is being done, on stderr, to a person; to nobody else."""

    return lambda message: advise(f"{message} …", quiet)


def advise(message: str, quiet: bool) -> None:
    """A line on stderr, to a person; to nobody else."""
    if not quiet and sys.stderr.isatty():
        from ragqa.cli.render import shown

        sys.stderr.write(shown(message) + "\n")


def warn_if_exposed(db: Path, quiet: bool) -> None:
    """Tell a person whose index others can read: it holds the text of all documents."""
    from ragqa.files import exposure

    reason = exposure(db)
    if reason:
        advise(f"{db}: {reason}, and the text of your documents is in it; `chmod 600` keeps it to yourself", quiet)
