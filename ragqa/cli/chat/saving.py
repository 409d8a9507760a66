"""A conversation → a document of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ragqa.cli.render import in_line, shown
from ragqa.errors import NotWritable, UsageError
from ragqa.turn import Turn


def save(turns: Sequence[Turn], name: str) -> Path:
    """Write a conversation into a new file that is its owner's alone; all of it, or no file.

    Args:
        name: May begin with `~`.

    Raises:
        UsageError: There is such a file already, or nobody of that name has a home.
        NotWritable: Nothing can be written there, or no longer.
    """
    try:
        path = Path(name).expanduser()
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise UsageError(f"{path}: is there already", "choose another name; nothing was overwritten") from None
    except RuntimeError as error:  # ~nobody
        raise UsageError(f"{name}: {error}") from error
    except OSError as error:
        raise NotWritable(f"{path}: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(as_markdown(turns))
    except BaseException as error:
        path.unlink(missing_ok=True)  # an empty file would stand in the way of the next try
        if isinstance(error, OSError):
            raise NotWritable(f"{path}: {error.strerror}") from error
        raise
    return path


def as_markdown(turns: Sequence[Turn]) -> str:
    """A conversation as a document: each question a heading, its answer, its sources with their places."""
    parts = []
    for turn in turns:
        sources = [f"{s.n}. {in_line(f'{s.path}{s.locator}')}" for s in turn.sources]
        title = f"## {' '.join(shown(turn.question).split())}"
        parts.append("\n\n".join([title, shown(turn.answer), *(["\n".join(sources)] if sources else [])]))
    return "\n\n".join(parts) + "\n"
