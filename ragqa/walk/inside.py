"""Folders below a root by their descriptors, what is in them, and why one cannot be looked at."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ragqa.files import open_inside
from ragqa.walk.secrets import holds_key

LINK = "link not followed"

_SWAPPED = (errno.ELOOP, errno.ENOTDIR)
_KEY_SIZE = 2**16  # bytes


@contextmanager
def folder_at(root: Path, inside: tuple[str, ...]) -> Iterator[int]:
    """A folder's descriptor."""
    folder = open_inside(root, inside, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield folder
    finally:
        os.close(folder)


@contextmanager
def listing_of(root: Path, inside: tuple[str, ...]) -> Iterator[tuple[int, list[os.DirEntry[str]]]]:
    """A folder's descriptor, and what is in it by name."""
    with folder_at(root, inside) as folder, os.scandir(folder) as entries:
        yield folder, sorted(entries, key=lambda entry: entry.name)


def is_key(folder: int, name: str) -> bool:
    """Whether a file begins with a private key."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    with closing(os.fdopen(os.open(name, flags, dir_fd=folder), "rb")) as file:
        return holds_key([file.read(_KEY_SIZE)])


def reason_of(error: OSError) -> str:
    """Why something was not opened, in a few words."""
    return LINK if error.errno in _SWAPPED else (error.strerror or "cannot be opened").lower()
