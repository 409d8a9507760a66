"""Files → documents: one module a format, one row in READERS."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ragqa.errors import BadInput
from ragqa.read.diff import diff_blocks, is_diff
from ragqa.read.markdown import looks_marked_up, markdown_blocks
from ragqa.read.text import decode, text_blocks
from ragqa.types import Block, Document

READERS: dict[str, Callable[[str], tuple[Block, ...]]] = {
    ".md": markdown_blocks,
    ".markdown": markdown_blocks,
    ".txt": text_blocks,
    ".text": text_blocks,
}


STDIN = Path("-")
"""In place of a path for what was read from standard input; every other document's path is absolute."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file's bytes with what the file system said of them."""

    path: Path
    content: bytes
    sha256: str
    mtime_ns: int


def read_source(path: Path, max_size: int) -> Source:
    """Read a regular file whole, without following links, blocking, or mixing two versions of it.

    Raises:
        BadInput: Not a regular file, too large, unreadable, or changed while it was read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        reason = (error.strerror or "cannot be opened").lower()
        raise BadInput(f"{path}: {reason}", reason) from error
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        os.close(descriptor)
        raise BadInput(f"{path}: not a regular file", "not a regular file")
    with os.fdopen(descriptor, "rb") as file:  # raises for a folder
        if before.st_size > max_size:
            raise BadInput(f"{path}: {over(max_size)}", over(max_size))
        try:
            content = file.read()
        except OSError as error:
            raise BadInput(f"{path}: {error.strerror}", "cannot be read") from error
        after = os.fstat(descriptor)
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, len(content)):
        raise BadInput(f"{path}: changed while it was read", "changed while read")
    return Source(path, content, hashlib.sha256(content).hexdigest(), after.st_mtime_ns)


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


def _reader_of(text: str, *, nameless: bool) -> Callable[[str], tuple[Block, ...]]:
    """What was named or matched by a glob, or comes by standard input, counts as text, whatever its suffix."""
    if is_diff(text):
        return diff_blocks
    return markdown_blocks if nameless and looks_marked_up(text) else text_blocks


def named(path: Path) -> str:
    """A document as messages call it."""
    return "standard input" if path == STDIN else str(path)


def read_document(source: Source, document_id: str, collection: str) -> Document:
    """Decode a source and find its blocks.

    Raises:
        BadInput: It holds no text, or is binary.
    """
    text, repaired = decode(named(source.path), source.content)
    if not text.strip():
        raise BadInput(f"{named(source.path)}: empty", "empty")
    reader = READERS.get(source.path.suffix.lower()) or _reader_of(text, nameless=source.path == STDIN)
    return Document(
        id=document_id,
        path=source.path,
        text=text,
        sha256=source.sha256,
        size=len(source.content),
        mtime_ns=source.mtime_ns,
        blocks=reader(text),
        collection=collection,
        repaired=repaired,
    )
