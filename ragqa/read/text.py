"""Plain text: bytes → characters, and paragraphs parted by blank lines."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from ragqa.document import Block
from ragqa.errors import BadInput
from ragqa.read.encoding import known, marked
from ragqa.read.reading import Reading

_GAP = re.compile(r"\n(?:[^\S\n]*\n)+")
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
BINARY_SHARE = 0.3


class Decoded(NamedTuple):
    """Text of a file.

    Attributes:
        repaired: How many characters had to be replaced by U+FFFD.
        notes: What a person should know of it, such as `read as cp1252`.
    """

    text: str
    repaired: int
    notes: tuple[str, ...] = ()


def decode(name: str, content: bytes, named: str = "") -> Decoded:
    """The characters that a file's bytes stand for.

    NULs are replaced too: SQLite's functions stop at them. A byte order mark is not part of the text.

    Args:
        named: The encoding that the file itself names, as a web page does.

    Raises:
        BadInput: So much of it is no text that it must be something else.
    """
    encoding, rest = marked(content)
    if not encoding:
        encoding = known(named) if named and not _fits(content, "utf-8") else "utf-8"
        encoding = encoding if encoding and _fits(content, encoding) else "utf-8"
    text = rest.decode(encoding, errors="replace")
    lost = text.count("\ufffd") - rest.count("\ufffd".encode()) + text.count("\0")
    if lost + len(_CONTROLS.findall(text)) > BINARY_SHARE * len(text):
        raise BadInput(f"{name}: binary, not text", "binary")
    return Decoded(text.replace("\0", "\ufffd"), max(lost, 0))


def _fits(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def read(content: bytes, name: str) -> Reading:
    """Text as it stands, by its paragraphs; raises BadInput where it is none."""
    text, repaired, notes = decode(name, content)
    return Reading(text, text_blocks(text), repaired=repaired, notes=notes)


def text_blocks(text: str) -> tuple[Block, ...]:
    """Paragraphs with the blank lines after them; those before the first belong to the first."""
    first = len(text) - len(text.lstrip())
    cuts = [gap.end() for gap in _GAP.finditer(text, first) if gap.end() < len(text)]
    return tuple(Block("paragraph", start, end) for start, end in pairwise([0, *cuts, len(text)]))
