"""Files → documents: one module a format, one row in FORMATS."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ragqa.document import Document
from ragqa.errors import BadInput
from ragqa.files import open_inside
from ragqa.read.apart import Child
from ragqa.read.formats import BY_NAME, READERS_VERSION, Format, format_named, read_bytes
from ragqa.read.reading import Reading
from ragqa.read.text import decode

SETTLED_NS = 2 * 10**9  # as coarse as a file system's clock gets

STDIN = Path("-")
"""In place of a path for what was read from standard input; every other document's path is absolute."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file's bytes with what the file system said of them.

    Attributes:
        inode: 0 where the file was written so recently that its time and size are no proof that it is the same.
    """

    path: Path
    content: bytes
    sha256: str
    mtime_ns: int
    inode: int = 0


def read_source(path: Path, max_size: int, within: Path | None = None) -> Source:
    """Read a regular file whole, without following links, blocking, or mixing two versions of it.

    Args:
        within: A folder above it; no folder between the two may be a link either. None: its own.

    Raises:
        BadInput: Not a regular file, too large, unreadable, or changed while it was read.
    """
    try:
        descriptor = _open(path, within)
    except OSError as error:
        reason = (error.strerror or "cannot be opened").lower()
        raise BadInput(f"{path}: {reason}", reason) from error
    now = time.time_ns()
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        os.close(descriptor)
        raise BadInput(f"{path}: not a regular file", "not a regular file")
    with os.fdopen(descriptor, "rb") as file:  # raises for a folder
        if before.st_size > max_size:
            raise BadInput(f"{path}: {over(max_size)}", over(max_size))
        try:
            content = file.read(max_size + 1)  # it may have grown, or tell no size before it is read
        except OSError as error:
            raise BadInput(f"{path}: {error.strerror}", "cannot be read") from error
        after = os.fstat(descriptor)
    if len(content) > max_size:
        raise BadInput(f"{path}: {over(max_size)}", over(max_size))
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, len(content)):
        raise BadInput(f"{path}: changed while it was read", "changed while read")
    # What is written in the same moment may bear the same time: such a file is to be hashed the next time.
    inode = after.st_ino if after.st_mtime_ns < now - SETTLED_NS else 0
    return Source(path, content, hashlib.sha256(content).hexdigest(), after.st_mtime_ns, inode)


def _open(path: Path, within: Path | None) -> int:
    flags = os.O_RDONLY | os.O_NONBLOCK
    if within is None:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
    return open_inside(within, path.relative_to(within).parts, flags)


def read_stream(stream: BinaryIO, max_size: int) -> Source:
    """Read standard input to its end.

    Raises:
        BadInput: It is too large, or breaks off.
    """
    try:
        content = stream.read(max_size + 1)
    except OSError as error:
        raise BadInput(f"standard input: {error.strerror}", "cannot be read") from error
    if len(content) > max_size:
        raise BadInput(f"standard input: {over(max_size)}", over(max_size))
    return Source(STDIN, content, hashlib.sha256(content).hexdigest(), time.time_ns())


def over(max_size: int) -> str:
    """Why something is too large."""
    return f"over {max_size // 2**20} MiB" if max_size >= 2**20 else f"over {max_size} bytes"


def named(path: Path) -> str:
    """A document as messages call it."""
    return "standard input" if path == STDIN else str(path)


def format_of(source: Source) -> Format:
    """The format its name says; what was named or matched by a glob, or comes by standard input, counts as text."""
    found = format_named(source.path)
    if found:
        return found
    from ragqa.read.diff import is_diff  # a question about known files needs no parser
    from ragqa.read.markdown import looks_marked_up

    text = decode(named(source.path), source.content).text
    if is_diff(text):
        return BY_NAME["diff"]
    return BY_NAME["markdown" if source.path == STDIN and looks_marked_up(text) else "text"]


def read_as(format: Format, source: Source, child: Child) -> Reading:
    """What a reader makes of a source; raises BadInput as `read_document` does."""
    name = named(source.path)
    if format.is_apart(len(source.content)):
        return child.read(format, source.content, name)
    try:
        return read_bytes(format, source.content, name)
    except (BadInput, MemoryError):
        raise
    except Exception as error:  # a file that a reader of ours fails at costs itself alone, too
        raise BadInput(f"{name}: cannot be read as {format.name}", f"cannot be read as {format.name}") from error


def read_document(source: Source, document_id: str, collection: str, child: Child) -> Document:
    """Read a source by its format.

    Args:
        child: Reads formats that are not to be trusted; it is started when the first one comes.

    Raises:
        BadInput: It holds no text, or is binary, or took too much.
    """
    format = format_of(source)
    reading = read_as(format, source, child)
    return Document(
        id=document_id,
        path=source.path,
        text=reading.text,
        sha256=source.sha256,
        size=len(source.content),
        mtime_ns=source.mtime_ns,
        inode=source.inode,
        blocks=reading.blocks,
        collection=collection,
        repaired=reading.repaired,
        places=reading.places,
        type=format.name,
        title=reading.title,
        tags=reading.tags,
        date=reading.date,
        notes=reading.notes,
        readers=READERS_VERSION,
    )
