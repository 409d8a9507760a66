"""Whether ragqa can do its work on this machine: what was looked at, what was found, and what mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ragqa.settings import Settings

Level = Literal["ok", "note", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing.

    Attributes:
        level: note: it works, but not as well or as privately as it could; fault: something will not work.
        about: The thing, in a word or two.
        said: What is so, with values.
        mend: The command, or the deed, that mends it.
    """

    level: Level
    about: str
    said: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at.

    Attributes:
        width: Columns of the terminal; 0 where there is none.
        encoding: Of standard output.
        progress: Called with what is being done, and how far it is, from 0 to 1.
    """

    settings: Settings
    environ: Mapping[str, str]
    width: int = 0
    encoding: str = "utf-8"
    progress: Callable[[str, float], None] = lambda what, share: None


Check = Callable[[Subject], Iterator[Finding]]
