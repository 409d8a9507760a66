"""Documents by what a person calls them: an id, or the path of a file."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ragqa.cli.render import in_line
from ragqa.files import composed, readable

if TYPE_CHECKING:
    from ragqa.document import DocumentRecord


def named(
    name: str, records: Collection[DocumentRecord], files: Collection[Path] = (), *, inside: bool
) -> tuple[set[str], set[Path]]:
    """The ids of the documents that are called so, and those of the files that are.

    Where none is, those whose names look the same: a Mac may have written letters and their accents apart, and `ls`
    spells out a line break.

    Args:
        inside: Also what lies in a folder that is called so.
    """
    found = set[str](), set[Path]()
    for spelled in (str, composed, _printed):
        if not any(found):
            found = _named(name, records, files, inside, spelled)
    return found


def _printed(name: Path | str) -> str:
    return in_line(composed(name))


def _named(
    name: str,
    records: Collection[DocumentRecord],
    files: Collection[Path],
    inside: bool,
    spelled: Callable[[Path | str], str],
) -> tuple[set[str], set[Path]]:
    id, places = spelled(readable(name)), {spelled(place) for place in _places(name)}
    folders = tuple(f"{place.rstrip('/')}/" for place in places) if inside else ()

    def is_meant(path: Path) -> bool:
        text = spelled(path)
        return text in places or text.startswith(folders)

    documents = {record.id for record in records if spelled(record.id) == id or is_meant(record.path)}
    return documents, {path for path in files if is_meant(path)}


def _places(name: str) -> set[Path]:
    """Where it may lie, with links and without; of a record, what is cited in place of a path."""
    path = Path(name)
    found = {path} if path.parts[:1] == ("-",) and len(path.parts) > 1 else set()
    if not name:  # an unset variable in a script; as a path it would be the working folder
        return found
    try:
        return found | {path.expanduser().absolute(), path.expanduser().resolve()}
    except (OSError, RuntimeError, ValueError):  # nobody of that name has a home; a circle of links; a NUL
        return found
