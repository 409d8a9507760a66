"""Which encoding a file's bytes are in: what its first bytes say, what it names itself, or what fits."""

from __future__ import annotations

import codecs
import re

_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What browsers read in place of what files name; where the name itself can be read, it is not UTF-16.
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
    **dict.fromkeys(("utf-16", "utf-16-le", "utf-16-be", "utf-32"), "utf-8"),
}
_OF_TEXT = re.compile(
    r"cp\d+|iso8859-\d+|iso2022_jp\w*|koi8-\w|mac-\w+|euc_\w+|gb\w+|hz|big5\w*|shift_jis\w*|utf-8|tis-620"
)


def marked(content: bytes) -> tuple[str, bytes]:
    """The encoding that a byte order mark tells, empty where there is none, and what comes after the mark."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding, content[len(mark) :]
    return "", content


def known(name: str) -> str:
    """The encoding of text that a file means by a name; empty where there is none."""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    found = _MEANT.get(found, found)
    return found if _OF_TEXT.fullmatch(found) else ""
