"""Words that were divided at the end of a line, put together again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_DIVIDED = re.compile(r"(\w+)[-\u00ad\u2010\ufffe\x02]$")
_BEGINNING = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"[^\W_]+(?:[-\u2010][^\W_]+)*")
_SOFT = ("\u00ad", "\ufffe", "\x02")  # the second and third are what PDFium makes of a hyphen that it takes for one
_KEPT = frozenset("all cross ex half high long low non quasi self short so well".split())
_LONGEST = 64  # characters of a part of a word
_LETTERS = 4  # of two words of a document that make up a third with a hyphen


def vocabulary(lines: Iterable[str]) -> frozenset[str]:
    """All words of a document that were not divided, in lower case; with their hyphens those that have some.

    Args:
        lines: In order: where one ends in a hyphen, the next begins with the rest of the word.
    """
    found: set[str] = set()
    rest = False
    for line in lines:
        divided = bool(_DIVIDED.search(line))
        words = [word.lower() for word in _WORD.findall(line)]
        found.update(words[rest : len(words) - divided])
        rest = divided
    return frozenset(found)


def joined(lines: Sequence[str], known: frozenset[str]) -> str:
    """Lines as one, with a space between them, or with a divided word made whole.

    Its hyphen is the word's own where the document has the word with it and not without it, where what follows is a
    capital or a number, and where both parts are words of the document while the whole is none. Otherwise it goes.
    """
    parts = [lines[0]]
    for line in lines[1:]:
        divided = _DIVIDED.search(parts[-1][-_LONGEST:])
        if not divided:
            parts.append(f" {line}")
        else:
            parts[-1] = parts[-1][:-1] + ("-" if _own(divided[1], line, known) else "")
            parts.append(line)
    return "".join(parts).translate(dict.fromkeys(map(ord, _SOFT)))


def _own(before: str, line: str, known: frozenset[str]) -> bool:
    """Whether the hyphen after `before` is the word's own."""
    after = _BEGINNING.match(line)
    if not after or not after[0].islower():
        return True
    first, second = before.lower(), after[0].lower()
    if first + second in known:
        return False
    if f"{first}-{second}" in known or first in _KEPT:
        return True
    return min(len(first), len(second)) >= _LETTERS and first in known and second in known
