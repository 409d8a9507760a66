"""Where sentences begin and end, in prose and in marked-up text."""

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


FRONT_MATTER = re.compile(r"\A---[^\S\n]*\n(?:.*\n)*?---[^\S\n]*(?:\n|\Z)")
FENCE = re.compile(r"[ \t]*(```|~~~)")
_HEADING = re.compile(r"#{1,6}\s")
_OWN_LINE = re.compile(r"[ \t]*(?:[-*+]\s|\d{1,4}[.)]\s|\|)")
_TABLE_RULE = re.compile(r"\s*\|?(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*(?::?-+:?[ \t]*)?(?:\n|\Z)")
_RULE = re.compile(r"[\s|:=*_-]+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_LIST_ITEM = re.compile(r"[-*+]\s|\d{1,4}[.)]\s")
CODE_LINES = 12  # longer code is quoted in parts
ANNOUNCED_LINES = 16  # and a longer list ends there


def quotable_spans(text: str, *, first: bool = True) -> Iterator[tuple[int, int, bool]]:
    """Start and end of all that can stand as a quotation: sentences, list items, table rows, pieces of code.

    The flag says that it is code, whose lines mean something. White space around a quotation is left out, and so
    are front matter (of a document's `first` passage), headings, the heads of tables, rules and the fences around code.
    A sentence that ends in a colon takes the code or the list that it announces along.
    """
    held: tuple[int, int, bool] | None = None  # a sentence with a colon, and what of its list came so far
    for start, end, is_code in _plain_spans(text, first):
        if held and (is_code or _LIST_ITEM.match(text, start)) and text.count("\n", held[0], end) <= ANNOUNCED_LINES:
            held = held[0], end, True
            start, end, is_code = held if is_code else (end, end, False)
            held = None if is_code else held
        elif held:
            yield held
            held = None
        if start < end and text[end - 1] == ":" and not is_code:
            held = start, end, False
        elif start < end:
            yield start, end, is_code
    if held:
        yield held


def _plain_spans(text: str, first: bool) -> Iterator[tuple[int, int, bool]]:
    front = FRONT_MATTER.match(text) if first else None
    for start, end, is_code in _stretches(text, front.end() if front else 0):
        spans = [(start, end)] if is_code else [(start + a, start + b) for a, b in sentence_spans(text[start:end])]
        for a, b in spans:
            quote = text[a:b]
            if not _RULE.fullmatch(quote) and not _TABLE_RULE.match(text, b):
                yield a + len(quote) - len(quote.lstrip()), b - len(quote) + len(quote.rstrip()), is_code


def _stretches(text: str, at: int) -> Iterator[tuple[int, int, bool]]:
    """Runs of lines that belong together, from `at` on; the flag says that a run is code and has no sentences."""
    start, lines, in_code = at, 0, False
    for line in _LINE.findall(text, at):
        fence, heading = FENCE.match(line), not in_code and _HEADING.match(line)
        breaks = fence or heading or (not in_code and _OWN_LINE.match(line)) or (in_code and lines >= CODE_LINES)
        if breaks:
            if start < at:
                yield start, at, in_code
            start, lines = (at + len(line) if fence or heading else at), 0
        lines += not (fence or heading)
        if fence:
            in_code = not in_code
        at += len(line)
    if start < at:
        yield start, at, in_code
