"""Rich Text Format: its paragraphs, with the headings, tables and lists that its control words tell of.

striprtf finds the text, once pictures and what is hidden are cut out and notes are where they belong. What it says
nothing about, the levels of headings, is marked before, with characters that stand for nothing else.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from ragqa.read.about import About, date_of, title_of
from ragqa.read.office import keywords
from ragqa.read.reading import Draft, Reading
from ragqa.read.rtf_flow import seen
from ragqa.read.table import table_lines
from ragqa.read.zipped import refused

_BINARY = re.compile(rb"(?<!\\)\\bin(\d{1,10}) ?")
_PICTURE = re.compile(rb"[0-9a-fA-F\r\n]{400,}")
_CODEPAGE = re.compile(rb"\\ansicpg(\d{1,5})")
_LEVEL = re.compile(r"\\outlinelevel([0-8])(?!\d) ?")
_STYLED = re.compile(r"\\s(\d{1,5})(?![\d-]) ?")
_STYLE = re.compile(r"\{\\s(\d{1,5})(?!\d)[^{};]*?\\outlinelevel([0-8])(?!\d)")
_BRACE = re.compile(r"(?<!\\)[{}]")
_FIRST_MARK = 0xE000  # of the level 1; characters for private use
_CHARACTER = re.compile(r"\\u(-?\d{1,6})")
_MARK = re.compile("[\ue000-\ue008]")
_ITEM = re.compile(r"([•·▪◦‣o\uf0b7\uf0a7-]|\d{1,3}[.)])\t")
_MADE = re.compile(r"\\creatim\\yr(\d{4})\\mo(\d{1,2})\\dy(\d{1,2})")


def read(content: bytes, name: str) -> Reading:
    """Paragraphs, each with its number; raises BadInput where it is no RTF."""
    if not content.lstrip().startswith(b"{\\rtf"):
        raise refused(name, "no RTF")
    text = _without_pictures(content).decode(_encoding(content), "replace")
    draft, about = Draft(), _about(text)
    _add(draft, _plain(_marked(seen(text))).split("\n"))
    return draft.reading(title=about.title, tags=about.tags, date=about.date)


def _without_pictures(content: bytes) -> bytes:
    """The file without binary stretches, whose bytes could be anything, and without long ones in hexadecimal."""
    kept, at = [], 0
    while found := _BINARY.search(content, at):
        kept.append(content[at : found.start()])
        at = found.end() + int(found[1])
    return _PICTURE.sub(b"", b"".join([*kept, content[at:]]))


def _encoding(content: bytes) -> str:
    named = _CODEPAGE.search(content)
    try:
        return codecs.lookup(f"cp{named[1].decode()}" if named else "cp1252").name
    except LookupError:
        return "cp1252"


def _marked(text: str) -> str:
    """The text with a mark wherever a heading begins, by a paragraph's own level or its style's, and nowhere else."""
    text = _CHARACTER.sub(_no_mark, text)
    start = text.find("{\\stylesheet")
    end = _closing(text, start)
    levels = dict(_STYLE.findall(text, max(start, 0), end))

    def of_style(found: re.Match[str]) -> str:
        return found[0] + (_mark(levels[found[1]]) if found[1] in levels else "")

    body = _LEVEL.sub(lambda found: found[0].rstrip() + " " + _mark(found[1]), text[end:])
    return text[:end] + _STYLED.sub(of_style, body)


def _no_mark(found: re.Match[str]) -> str:
    """A character as it is written, but for one that would be taken for a mark."""
    return r"\u65533" if _MARK.match(chr(int(found[1]) % 0x10000)) else found[0]


def _mark(level: str) -> str:
    return chr(_FIRST_MARK + int(level))


def _closing(text: str, start: int) -> int:
    """Where the group ends that begins at `start`; 0 where there is none."""
    depth = 0
    for brace in _BRACE.finditer(text, start) if start >= 0 else ():
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.end()
    return 0


def _plain(text: str) -> str:
    """What striprtf finds, with characters whole that RTF writes as two halves."""
    from striprtf.striprtf import rtf_to_text

    found: str = rtf_to_text(text, errors="replace")
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _add(draft: Draft, lines: list[str]) -> None:
    number = 0
    for rows, line in _gathered(lines):
        number += 1
        draft.at("paragraph", number)
        if rows:
            draft.add("table", table_lines(rows))
            continue
        level, text = _MARK.search(line), _MARK.sub("", line).strip()
        if level:
            draft.heading(ord(level[0]) - _FIRST_MARK + 1, text)
        elif _ITEM.match(text):
            draft.item(_ITEM.sub(_item, text))
        else:
            draft.add("paragraph", text)


def _item(found: re.Match[str]) -> str:
    return f"{found[1]} " if found[1][0].isdigit() else "- "


def _gathered(lines: list[str]) -> Iterator[tuple[list[list[str]], str]]:
    """Rows of tables, all together, or else a line that is not blank."""
    rows: list[list[str]] = []
    for line in lines:
        if line.endswith("|"):
            rows.append(_MARK.sub("", line)[:-1].split("|"))
            continue
        if rows:
            yield rows, ""
            rows = []
        if _MARK.sub("", line).strip():
            yield [], line
    if rows:
        yield rows, ""


def _about(text: str) -> About:
    start = text.find("{\\info")
    info = text[start : _closing(text, start)] if start >= 0 else ""
    made = _MADE.search(info)
    date = date_of("-".join(made.groups())) if made else ""
    return About(title_of(_said(info, "title")), keywords(_said(info, "keywords")), date)


def _said(info: str, field: str) -> str:
    found = re.search(rf"\{{\\{field} ((?:[^{{}}\\]|\\.)*)\}}", info, re.S)
    return _plain(f"{{\\rtf1 {found[1]}}}") if found else ""
