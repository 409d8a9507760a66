"""Subtitles → cues: what is shown or said, when, and on which line of the file it stands."""

from __future__ import annotations

import html
import itertools
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import pysubs2

from ragqa.errors import BadInput

SUPPOSED_FPS = 25.0  # of files that count in frames and do not say how many there are in a second
_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,]\d{1,3}"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}")
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>|<[\d:.]{4,20}>|\{\\[^{}\n]{0,200}\}")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>\n]{1,80})>")
_EVENT = re.compile(r"(?:Dialogue|Comment)\s*:|\{\d+\}\{\d*\}|\[\d+\]\[\d+\]|\d{1,2}:\d{2}:\d{2}[:=,]")
_BREAKS = re.compile(r"[^\S\n]*\n\s*")


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown at one time.

    Attributes:
        start, end: Whole seconds from the beginning.
        line: Of the file, from 1; 0 where it is not known.
        speaker: Empty where it is not said.
        text: Without tags; its lines are those on the screen.
    """

    start: int
    end: int
    line: int
    speaker: str
    text: str


def timed(text: str) -> Iterator[Cue]:
    """The cues of SubRip and WebVTT, which differ in little."""
    lines, strict = text.split("\n"), text.lstrip().startswith("WEBVTT")
    timings = [(n, found) for n, line in enumerate(lines) if "-->" in line and (found := _TIMING.match(line))]
    ends = [*(n for n, _found in timings[1:]), len(lines)]
    for (n, found), end in zip(timings, ends, strict=False):  # of nothing there is an end too
        shown = _shown(lines[n + 1 : end], strict=strict, is_last=end == len(lines))
        voice = _VOICE.search(shown)
        numbers = [int(number or 0) for number in found.groups()]
        start, stop = (hours * 3600 + minutes * 60 + seconds for hours, minutes, seconds in (numbers[:3], numbers[3:]))
        yield Cue(start, stop, n + 2, voice[1].strip() if voice else "", _plain(shown))


def scripted(text: str, name: str) -> Iterator[Cue]:
    """The cues of the formats of SubStation and of those that stand one a line.

    Raises:
        BadInput: It is none of them.
    """
    events = _events(text, name)
    lines = [n for n, line in enumerate(text.split("\n"), start=1) if _EVENT.match(line.strip())]
    lines = lines[len(lines) - len(events) :] if len(events) <= len(lines) else [0] * len(events)
    for event, line in zip(events, lines, strict=True):
        if event.type == "Dialogue" and not event.is_drawing:
            yield Cue(max(event.start, 0) // 1000, max(event.end, 0) // 1000, line, event.name, _plain(event.plaintext))


def _shown(lines: list[str], *, strict: bool, is_last: bool) -> str:
    """What belongs to a cue of the lines up to the next one's time.

    WebVTT's cues end at a blank line; names and remarks follow. In SubRip blank lines within cues happen, and what
    stands last is the number of the next cue.
    """
    lines = [line.strip() for line in lines]
    if strict:
        return "\n".join(itertools.takewhile(bool, lines))
    if not is_last and lines and lines[-1].isdecimal():
        lines.pop()
    return "\n".join(lines)


def _events(text: str, name: str) -> list[pysubs2.SSAEvent]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            try:
                return list(pysubs2.SSAFile.from_string(text))
            except pysubs2.exceptions.UnknownFPSError:
                return list(pysubs2.SSAFile.from_string(text, fps=SUPPOSED_FPS))
        except (pysubs2.exceptions.Pysubs2Error, ValueError, LookupError) as error:
            raise BadInput(f"{name}: no subtitles", "no subtitles") from error


def _plain(text: str) -> str:
    return _BREAKS.sub("\n", html.unescape(_TAG.sub("", text))).strip()
