"""Subtitles: what is said, in paragraphs, each stretch with its time and its line of the file."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ragqa.document import Place
from ragqa.errors import BadInput
from ragqa.read.cues import Cue, scripted, timed
from ragqa.read.reading import Draft, Reading
from ragqa.read.text import decode, plain_line_ends

PAUSE = 3  # seconds without a word that end a paragraph
LONG = 500  # characters after which the next sentence begins a paragraph
ROLLING = 8  # lines of captions that roll upwards
_ENDED = re.compile(r"[.!?…。！？][\"'”’)\]]*\Z")
_TITLE = re.compile(r"^Title:[^\S\n]*(\S.*)$", re.M)


def read(content: bytes, name: str) -> Reading:
    """Subtitles of SubRip, WebVTT, SubStation and MicroDVD; raises BadInput where it holds none."""
    text, repaired, notes = decode(name, content)
    text = plain_line_ends(text)
    cues = list(timed(text)) or list(scripted(text, name))
    if not cues:
        raise BadInput(f"{name}: no subtitles", "no subtitles")
    draft = Draft()
    for paragraph in _paragraphs(_new(cues)):
        _add(draft, paragraph)
    title = _TITLE.search(text) if text.lstrip().startswith("[Script Info]") else None
    return draft.reading(title=title[1] if title else "", repaired=repaired, notes=notes)


def _new(cues: Iterable[Cue]) -> Iterable[tuple[Cue, list[str]]]:
    """Cues with those of their lines that the cue before did not show already: captions of speech roll upwards."""
    before: list[str] = []
    for cue in cues:
        lines = cue.text.split("\n")
        shown = next((n for n in range(min(len(lines), ROLLING), 0, -1) if lines[:n] == before[-n:]), 0)
        if any(lines[shown:]):
            yield cue, lines[shown:]
        before = lines


def _paragraphs(cues: Iterable[tuple[Cue, list[str]]]) -> Iterable[list[tuple[Cue, list[str]]]]:
    paragraph: list[tuple[Cue, list[str]]] = []
    length = 0
    for cue, lines in cues:
        if paragraph and _begins_one(paragraph[-1], cue, length):
            yield paragraph
            paragraph, length = [], 0
        paragraph.append((cue, lines))
        length += sum(map(len, lines))
    if paragraph:
        yield paragraph


def _begins_one(before: tuple[Cue, list[str]], cue: Cue, length: int) -> bool:
    """Whether a cue begins a paragraph: after a pause, with another speaker, or when the last has become long."""
    ended = bool(_ENDED.search(before[1][-1]))
    too_long = length > 4 * LONG or (length > LONG and ended)
    return cue.start - before[0].end >= PAUSE or cue.speaker != before[0].speaker or too_long


def _add(draft: Draft, paragraph: list[tuple[Cue, list[str]]]) -> None:
    text, places = "", []
    for cue, lines in paragraph:
        places.append(Place(len(text), "time", cue.start, line=cue.line))
        if not text and cue.speaker:
            text = f"{cue.speaker}: "
        for line in lines:
            between = "\n" if line.startswith(("-", "–", "—")) else " "
            text += between + line if text and not text.endswith(" ") else line
    draft.add("paragraph", text, places)
