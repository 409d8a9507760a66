"""Plain text: bytes → characters, and paragraphs parted by blank lines."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from ragqa.document import Block
from ragqa.errors import BadInput
from ragqa.read.encoding import controls, encoding_of, known, marked
from ragqa.read.reading import Reading

_GAP = re.compile(r"\n(?:[^\S\n]*\n)+")
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
BINARY_SHARE = 0.3  # of the characters
CONTROLS_SHARE = 0.02  # of the bytes, where they are no Unicode
UNKNOWN_SHARE = 0.1  # of the characters


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
    notes: tuple[str, ...] = ()
    if not encoding:
        encoding = encoding_of(rest, named)
        notes = _notes(encoding, named)
        if not encoding.startswith("utf-") and controls(rest) > CONTROLS_SHARE * len(rest):
            raise BadInput(f"{name}: binary, not text", "binary")
    text = rest.decode(encoding or "ascii", errors="replace")
    lost = max(text.count("\ufffd") - _own_replacements(rest, encoding), 0)
    if not encoding.startswith("utf-") and lost > UNKNOWN_SHARE * len(text):
        raise BadInput(f"{name}: unknown encoding", "unknown encoding")
    lost += text.count("\0")
    if lost + len(_CONTROLS.findall(text)) > BINARY_SHARE * len(text):
        raise BadInput(f"{name}: binary, not text", "binary")
    return Decoded(text.replace("\0", "\ufffd"), lost, notes)


def is_binary(text: str) -> bool:
    """Whether what was decoded holds so many signs that stand for no character that it is no text."""
    return text.count("\ufffd") + len(_CONTROLS.findall(text)) > BINARY_SHARE * len(text)


def _notes(encoding: str, named: str) -> tuple[str, ...]:
    if not encoding:
        return ("unknown encoding: read as ASCII",)
    return () if encoding in ("utf-8", named and known(named)) else (f"read as {encoding}",)


def _own_replacements(content: bytes, encoding: str) -> int:
    try:
        return content.count("\ufffd".encode(encoding)) if encoding else 0
    except UnicodeEncodeError:
        return 0


def read(content: bytes, name: str) -> Reading:
    """Text as it stands, by its paragraphs; raises BadInput where it is none."""
    text, repaired, notes = decode(name, content)
    return Reading(text, text_blocks(text), repaired=repaired, notes=notes)


def plain_line_ends(text: str) -> str:
    """The text with line feeds alone, and as many of them as before; a file that has none had carriage returns."""
    text = text.replace("\r\n", "\n")
    return text.replace("\r", " " if "\n" in text else "\n")


def text_blocks(text: str) -> tuple[Block, ...]:
    """Paragraphs with the blank lines after them; those before the first belong to the first."""
    first = len(text) - len(text.lstrip())
    cuts = [gap.end() for gap in _GAP.finditer(text, first) if gap.end() < len(text)]
    return tuple(Block("paragraph", start, end) for start, end in pairwise([0, *cuts, len(text)]))
