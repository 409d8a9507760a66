"""A page of a PDF → its words, each with its box, upright whichever way the page was turned."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from ctypes import byref, c_int, create_string_buffer
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragqa.read.layout import Line

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

# PDFium has one of the last two for a hyphen at the end of a line, and nothing between that line and the next.
# A NUL is a character that its font gives no name.
_WORD = re.compile(r"[^\s\0\x02\ufffe]+[\x02\ufffe]?")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})


_FIXED_PITCH = 1  # of the flags of fonts
_LONGEST_NAME = 128  # bytes
_TYPEWRITER = re.compile(rb"Courier|Mono(?!t)|CMTT|Typewriter|Consol|Menlo", re.I)


@dataclass(frozen=True, slots=True)
class Page:
    """What is written on a page.

    Attributes:
        height: As it is read, in points.
        words: In the order in which they were drawn, y from the top.
        aside: What runs up or down at right angles to the rest; what runs aslant is a mark behind the text.
    """

    height: float
    words: tuple[Line, ...]
    aside: str = ""


def page_of(page: PdfPage) -> Page:
    """The words of a page; most of them are taken for upright. What lies outside it is not seen, and left out."""
    left, bottom, right, top = page.get_bbox()
    found = [(turn, word) for turn, word in _words(page) if _shown(word, left, bottom, right, top)]
    turns = Counter[int]()
    for turn, word in found:
        turns[turn] += len(word.text)
    upright = next((turn for turn, _letters in turns.most_common() if turn >= 0), 0)
    return Page(
        right - left if upright % 2 else top - bottom,
        tuple(_turned(word, upright, left, bottom, right, top) for turn, word in found if turn == upright),
        " ".join(word.text for turn, word in found if turn not in (upright, -1)),
    )


def _shown(word: Line, left: float, bottom: float, right: float, top: float) -> bool:
    """Whether a word of the page's own coordinates lies on it, if only in part."""
    return word.left <= right and word.right >= left and word.top <= top and word.bottom >= bottom


def _words(page: PdfPage) -> Iterator[tuple[int, Line]]:
    """Words in the page's own coordinates, and how many quarters they are turned clockwise; -1 for what is aslant."""
    from pypdfium2 import raw

    textpage = page.get_textpage()
    try:
        measure = _Measure(raw, textpage.raw)
        for word in _WORD.finditer(_characters(raw, textpage)):
            yield measure.word(word[0], word.start(), word.end() - 1)
    finally:
        textpage.close()


def _characters(raw: Any, textpage: Any) -> str:
    """The text of a page, in which each character stands at its own number."""
    count: int = textpage.count_chars()
    text: str = textpage.get_text_range()
    if len(text) != count:  # it leaves out what it cannot say, and counts some characters twice
        text = "".join(chr(raw.FPDFText_GetUnicode(textpage.raw, n)) for n in range(count))
    return text


class _Measure:
    """Asks PDFium about the characters of a page; what it answers in is made once."""

    def __init__(self, raw: Any, textpage: Any) -> None:
        self._raw = raw
        self._page = textpage
        self._box, self._name, self._flags = raw.FS_RECTF(), create_string_buffer(_LONGEST_NAME), c_int()
        self._typewriters: dict[bytes, bool] = {}

    def word(self, text: str, first: int, last: int) -> tuple[int, Line]:
        """A word by the boxes of its first and last character, which have the height of a line in their font."""
        x, y = self._sides(first)
        if last > first:
            more = self._sides(last)
            x, y = x + more[0], y + more[1]
        quarters = self._raw.FPDFText_GetCharAngle(self._page, first) / (math.pi / 2)
        turn = round(quarters) % 4 if abs(quarters - round(quarters)) < 0.1 else -1
        if not text.isascii():
            text = text.translate(_LIGATURES).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return turn, Line(text, min(x), min(y), max(x), max(y), self._fixed(first))

    def _sides(self, at: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        box = self._box
        self._raw.FPDFText_GetLooseCharBox(self._page, at, byref(box))
        return (box.left, box.right), (box.bottom, box.top)

    def _fixed(self, at: int) -> bool:
        """Whether it is set in type of one width, as code is; not every font says so, but then its name does."""
        self._raw.FPDFText_GetFontInfo(self._page, at, self._name, _LONGEST_NAME, byref(self._flags))
        name = self._name.value
        if name not in self._typewriters:
            self._typewriters[name] = bool(_TYPEWRITER.search(name))
        return bool(self._flags.value & _FIXED_PITCH) or self._typewriters[name]


def _turned(word: Line, turn: int, left: float, bottom: float, right: float, top: float) -> Line:
    """A word of the page's own coordinates, whose y grows upwards, as it is read."""
    x, y = (word.left, word.right), (word.top, word.bottom)
    if turn == 0:
        box = x[0] - left, top - y[1], x[1] - left, top - y[0]
    elif turn == 1:
        box = top - y[1], right - x[1], top - y[0], right - x[0]
    elif turn == 2:
        box = right - x[1], y[0] - bottom, right - x[0], y[1] - bottom
    else:
        box = y[0] - bottom, x[0] - left, y[1] - bottom, x[1] - left
    return Line(word.text, *box, word.fixed)
