"""Plain text: bytes → characters, and paragraphs parted by blank lines."""

from __future__ import annotations

import codecs
import re
from itertools import pairwise

from ragqa.document import Block
from ragqa.errors import BadInput
from ragqa.read.reading import Reading

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_GAP = re.compile(r"\n(?:[^\S\n]*\n)+")
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
BINARY_SHARE = 0.3


def decode(name: str, content: bytes) -> tuple[str, int]:
    """Text of a file, and how many characters had to be replaced by U+FFFD.

    NULs are replaced too: SQLite's functions stop at them. A byte order mark is not part of the text.

    Raises:
        BadInput: So much of it is no text that it must be something else.
    """
    encoding = _UTF16.get(content[:2], "utf-8")
    text = content.removeprefix(codecs.BOM_UTF8).decode(encoding, errors="replace").removeprefix("\ufeff")
    lost = text.count("\ufffd") - content.count("\ufffd".encode()) + text.count("\0")
    if lost + len(_CONTROLS.findall(text)) > BINARY_SHARE * len(text):
        raise BadInput(f"{name}: binary, not text", "binary")
    return text.replace("\0", "\ufffd"), max(lost, 0)


def read(content: bytes, name: str) -> Reading:
    """Text as it stands, by its paragraphs; raises BadInput where it is none."""
    text, repaired = decode(name, content)
    return Reading(text, text_blocks(text), repaired=repaired)


def text_blocks(text: str) -> tuple[Block, ...]:
    """Paragraphs with the blank lines after them; those before the first belong to the first."""
    first = len(text) - len(text.lstrip())
    cuts = [gap.end() for gap in _GAP.finditer(text, first) if gap.end() < len(text)]
    return tuple(Block("paragraph", start, end) for start, end in pairwise([0, *cuts, len(text)]))
