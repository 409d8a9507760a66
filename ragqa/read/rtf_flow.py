"""What of Rich Text Format is seen, and where: striprtf reads hidden and deleted text, and neither notes nor shapes.

So it is given a text without what is hidden, in which notes and the text of shapes stand after the paragraph or table
that they belong to. All other groups and control words stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from striprtf.striprtf import destinations, specialchars

_TOKEN = re.compile(r"[^\\{}]+|\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'[0-9a-fA-F]{2}|\\.|[{}\\]", re.S)
_HIDING = frozenset({"v", "deleted", "mvf"})  # hidden, deleted while changes were tracked, moved away
_ENDS = frozenset({"par", "sect", "page"})
_LETTERS = frozenset({*specialchars, "u"}) - _ENDS - {"row", "cell", "nestcell"}  # control words that stand for text
_BOXES = frozenset({"shptxt", "dptxbxtext"})
_SHAPES = frozenset({"shp", "shpinst", "shpgrp", "do"})  # what holds boxes
_HIDDEN_SHAPE = re.compile(r"\{\\sn fHidden\}\s*\{\\sv 1\}")


@dataclass(slots=True)
class _Flow:
    """Text that is put together: the document's, or a note's.

    Attributes:
        waiting: Notes that come after the present paragraph or table.
        after_table: Which part is kept free for the notes of the table that was last; 0 where text came after it.
    """

    parts: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    in_table: bool = False
    after_table: int = 0

    def notes(self) -> str:
        text = "".join(f"{{{note}\\par}}" for note in self.waiting)
        self.waiting.clear()
        return text

    def rest(self) -> str:
        """The notes of what was begun last, which nothing has ended."""
        return "\\par" + self.notes() if self.waiting else ""


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds in a group.

    Attributes:
        shown: Its text stands in the flow.
        boxes: The text of shapes in it does.
        hiding: The control words that hide text at present.
        starred: Its name is still to come, and it is not shown whatever that is.
        note: It has a flow of its own.
        shape: Which part of the flow the shape began with that it belongs to.
    """

    shown: bool = True
    boxes: bool = True
    hiding: frozenset[str] = frozenset()
    starred: bool = False
    note: bool = False
    shape: int = 0


def seen(text: str) -> str:
    """The text of a file as a reader sees it, still in Rich Text Format."""
    document = _Document()
    for token in _TOKEN.finditer(text):
        document.take(token[0], token[1] or "", token[2])
        if document.ended:
            break
    return document.whole()


class _Document:
    """The text in the making."""

    def __init__(self) -> None:
        self._flows = [_Flow()]
        self._groups: list[_Group] = []
        self._now = _Group()
        self.ended = False

    def whole(self) -> str:
        while len(self._flows) > 1:  # in a file that breaks off
            self._end_note()
        return "".join([*self._flows[0].parts, self._flows[0].rest()])

    def take(self, token: str, word: str, number: str | None) -> None:
        if token == "{":
            self._groups.append(self._now)
            self._now = replace(self._now, note=False)
            self._put(token)
        elif token == "}":
            self._close()
        elif token == "\\*":
            self._now = replace(self._now, shown=False, starred=True)
            self._put(token)
        elif self._now.starred or word in destinations:
            self._begin(token, word)
        elif word in _HIDING or word == "plain":
            kept = self._now.hiding - {word} if word in _HIDING else frozenset()
            self._now = replace(self._now, hiding=kept if word == "plain" or number == "0" else kept | {word})
            self._put(token)
        elif not self._now.shown:
            self._put(token)
        elif not word or word in _LETTERS:
            self._letters(token)
        else:
            self._structure(token, word)

    def _put(self, token: str) -> None:
        self._flows[-1].parts.append(token)

    def _begin(self, token: str, word: str) -> None:
        """Begin what is not shown where it stands: the group gets its name."""
        now, flow = self._now, self._flows[-1]
        hidden = bool(now.hiding) or (word in _BOXES and self._in_hidden_shape())
        if not hidden and (now.boxes if word in _BOXES else now.shown and word == "footnote"):
            self._now = _Group(note=True)
            self._flows.append(_Flow())
            return
        boxes, shape = now.boxes and not hidden and word in _SHAPES, now.shape or len(flow.parts)
        self._now = replace(now, shown=False, boxes=boxes, starred=False, shape=shape)
        self._put(token)

    def _in_hidden_shape(self) -> bool:
        return bool(_HIDDEN_SHAPE.search("".join(self._flows[-1].parts[self._now.shape :])))

    def _close(self) -> None:
        if self._now.note:
            self._end_note()
        elif len(self._groups) == 1:
            self._put(self._flows[-1].rest())
        self._put("}")
        self.ended = len(self._groups) < 2
        self._now = self._groups.pop() if self._groups else self._now

    def _end_note(self) -> None:
        note = self._flows.pop()
        self._flows[-1].waiting.append("".join([*note.parts, note.rest()]))

    def _letters(self, token: str) -> None:
        flow = self._flows[-1]
        if self._now.hiding:
            return
        if flow.after_table and not flow.in_table and token.strip():
            flow.parts[flow.after_table] = flow.notes()
            flow.after_table = 0
        self._put(token)

    def _structure(self, token: str, word: str) -> None:
        flow = self._flows[-1]
        self._put(token)
        if word in ("trowd", "intbl"):
            flow.in_table = True
        elif word in ("pard", "row"):
            flow.in_table = False
        if word == "row":
            flow.after_table = len(flow.parts)
            self._put("")
        elif word in _ENDS and not flow.in_table:
            self._put(flow.notes())
