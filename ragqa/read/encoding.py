"""Which encoding a file's bytes are in: what its first bytes say, what it names itself, or what fits."""

from __future__ import annotations

import codecs
import re
import unicodedata

from ragqa.read.guess import guess

CONTROLS = bytes([*range(9), *range(14, 27), *range(28, 32), 127])  # that no text has
LEAST_IN_PLACE = 0.8  # of the NULs; those of a few characters, such as Korean 가, stand in the other place
MANY_NULS = 0.2  # of the bytes, as many as writing with mostly ASCII has
MANY_CONTROLS = 0.2  # of the bytes, as many as small alphabets in UTF-16 have
MOST_STRANGE = 0.02  # of the characters, those that Unicode does not know
FEW_BROKEN = 2  # places where UTF-8 is broken, beside whatever is whole: bytes are hardly ever so by chance
SAMPLE = 2**16  # bytes that are looked at one by one

_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What browsers read in place of what files name.
_MEANT = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
}
_OF_TEXT = re.compile(
    r"cp\d+|iso8859-\d+|iso2022_jp\w*|koi8-\w|mac-\w+|euc_\w+|gb\w+|hz|big5\w*|shift_jis\w*|utf-(?:7|8|(?:16|32)(?:-[bl]e)?)|tis-620"
)


def controls(content: bytes) -> int:
    """How many bytes are none that text has."""
    return len(content) - len(content.translate(None, CONTROLS))


def marked(content: bytes) -> tuple[str, bytes]:
    """The encoding that a byte order mark tells, empty where there is none, and what comes after the mark."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding, content[len(mark) :]
    return "", content


def wide(content: bytes) -> tuple[str, bytes]:
    """UTF-16 or UTF-32, by a byte order mark or by NULs, and what comes after the mark; empty where it is neither."""
    encoding, rest = marked(content)
    encoding = encoding or _wide(content)
    return (encoding, rest) if encoding not in ("", "utf-8") else ("", content)


def meant(name: str) -> str:
    """The encoding of text that is meant by a name; empty where there is none."""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    found = _MEANT.get(found, found)
    return found if _OF_TEXT.fullmatch(found) else ""


def known(name: str) -> str:
    """The encoding that a file means by a name inside of it: where that can be read, it is not UTF-16."""
    found = meant(name)
    return "utf-8" if found.startswith("utf-") else found


def encoding_of(content: bytes, named: str = "") -> str:
    """The encoding of bytes without a byte order mark; empty where it remains unknown.

    Args:
        named: What the file calls it itself; it counts where the bytes are not UTF-8 and can be read so.
    """
    if content.isascii() and b"\x1b$" in content and _fits(content, "iso2022_jp"):
        return "iso2022_jp"
    if wide := _wide(content):
        return wide
    if _is_utf8(content):
        return "utf-8"
    own = known(named) if named else ""
    return own if own and _fits(content, own) else guess(content)


def _wide(content: bytes) -> str:
    """UTF-16 without a mark: NULs in every second place, and text without controls if it is read so."""
    nuls = content.count(0)
    if not nuls:
        return ""
    even = content[::2].count(0)
    for encoding, here in (("utf-16-le", nuls - even), ("utf-16-be", even)):
        if here <= LEAST_IN_PLACE * nuls or (nuls < MANY_NULS * len(content) and _is_plain(content)):
            continue
        if _fits(content[: len(content) // 2 * 2], encoding) and _is_text(content[:SAMPLE].decode(encoding, "ignore")):
            return encoding
    return ""


def _is_plain(content: bytes) -> bool:
    """Whether it is UTF-8 with a few stray controls rather than another writing's two bytes a character."""
    return _fits(content, "utf-8") and controls(content) < MANY_CONTROLS * len(content)


def _is_text(text: str) -> bool:
    strange = sum(unicodedata.category(sign) in ("Cn", "Co") for sign in text)
    return not controls(text.encode()) and strange <= MOST_STRANGE * len(text)


def _is_utf8(content: bytes) -> bool:
    """Whether it is UTF-8, or is so for the most part."""
    if _fits(content, "utf-8"):
        return True
    text = content.decode("utf-8", errors="replace")
    broken = text.count("\ufffd") - content.count("\ufffd".encode())
    read = len(text) - len(text.encode("ascii", "ignore")) - broken
    return read >= broken or (read > 0 and broken <= FEW_BROKEN)


def _fits(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
