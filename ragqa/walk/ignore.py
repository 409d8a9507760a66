"""Which files a folder's own rules leave out: `.gitignore`, `.git/info/exclude` and `.ragqaignore`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ragqa.files import open_inside
from ragqa.walk.patterns import Patterns

IGNORE_FILES = (".gitignore", ".ragqaignore")  # what stands in the later one counts more
REPOSITORY = ".git"
EXCLUDE = (REPOSITORY, "info", "exclude")
_MAX_SIZE = 2**20  # bytes; a longer one is no list that somebody wrote

Rules = tuple[tuple[int, Patterns], ...]
"""The rules that hold in a folder, those of the innermost first, each with where the path below its folder begins."""


def rules_above(root: Path) -> Rules:
    """Those of the folders above a root, up to the top of the repository that it lies in; none where it is in none.

    A root that they themselves ignore was asked for all the same: then they do not count.
    """
    above = list(root.parents)
    tops = [n for n, folder in enumerate(above) if os.path.lexists(folder / REPOSITORY)]
    if not tops or os.path.lexists(root / REPOSITORY):
        return ()
    rules: Rules = ()
    for folder in reversed(above[: tops[0] + 1]):
        rules = rules_within(folder, (), (*IGNORE_FILES, REPOSITORY), rules)
    inside = [root, *above[: tops[0]]]
    return () if any(is_ignored(rules, os.fspath(folder), folder=True) for folder in inside) else rules


def rules_within(root: Path, inside: tuple[str, ...], names: Iterable[str], above: Rules) -> Rules:
    """Those that hold in the folder at `inside` below the root.

    Args:
        names: What lies in the folder.
        above: The rules of the folder above it.
    """
    there = set(names)
    exclude = [EXCLUDE] if REPOSITORY in there else []
    places = [*exclude, *((name,) for name in IGNORE_FILES if name in there)]
    contents = [content for place in places if (content := _content(root, (*inside, *place)))]
    if not contents:
        return above
    start = len(os.fsencode(root.joinpath(*inside)).rstrip(b"/")) + 1
    return ((start, Patterns(contents)), *above)


def is_ignored(rules: Rules, path: str, *, folder: bool) -> bool:
    """Whether an absolute path is left out; the rule that is nearest to it, and in one file the last one, decides."""
    place = os.fsencode(path)
    for start, patterns in rules:
        found = patterns.ignores(place[start:], folder=folder)
        if found is not None:
            return found
    return False


def _content(root: Path, inside: tuple[str, ...]) -> bytes:
    try:
        with os.fdopen(open_inside(root, inside, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            return file.read(_MAX_SIZE) or b""
    except OSError:  # a folder of that name, or one that may not be read
        return b""
