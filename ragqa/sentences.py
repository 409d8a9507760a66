"""Where sentences begin and end."""

from __future__ import annotations

import re
from collections.abc import Iterator

# A full stop after these, or after a single capital, ends no sentence.
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st sr jr v vs etc e.g i.e cf fig no vol pp ca approx inc ltd co dept est min max "
    "al resp jan feb mar apr jun jul aug sep sept oct nov dec bzw z.b d.h usw".split()
)
# Western marks need white space after them; full-width ones end a sentence by themselves.
_END = re.compile(r"(?<![.!?…])[.!?…؟۔।॥]++[\"'”’»)\]]*+(?=\s)|[。！？｡]++[」』”’）]*|\n[^\S\n]*+\n")
_LAST_WORD = re.compile(r"(\S+?)[.!?…؟۔।॥]+[\"'”’»)\]]*$")
_SPACE = re.compile(r"\s*")
_NEXT = re.compile(r"\s*(\S)")


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence, trailing white space included, so that the spans tile `text`."""
    start = 0
    for match in _END.finditer(text):
        if match.start() < start:  # white space after a sentence, already its own
            continue
        if match.group().startswith((".", "…")) and not _ends_sentence(text, start, match.end()):
            continue
        end = _SPACE.match(text, match.end()).end()  # type: ignore[union-attr]  # it matches nothing, too
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


def _ends_sentence(text: str, start: int, end: int) -> bool:
    following = _NEXT.match(text, end)
    if following and following.group(1).islower():
        return False
    last = _LAST_WORD.search(text, max(start, end - 40), end)
    word = last.group(1).lstrip("(\"'“‘") if last else ""
    return not (word.lower() in _ABBREVIATIONS or (len(word) == 1 and word.isupper()))
