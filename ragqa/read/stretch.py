"""The text of one block in the making, and the lines of the file that it stands on."""

from __future__ import annotations

from ragqa.document import Place


class Stretch:
    """Text that is put together piece by piece, white space run together as a browser does.

    What stands between two pieces is put there when the second comes: nothing is left over at the end.

    Attributes:
        places: The lines, from offsets into the text on; in order, the first at 0.
    """

    def __init__(self) -> None:
        self.places: list[Place] = []
        self._pieces: list[str] = []
        self._length = 0
        self._between = ""

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def count(self) -> int:
        """Of pieces so far, for `since`."""
        return len(self._pieces)

    def since(self, count: int) -> str:
        """What was put after so many pieces, without what stands before it."""
        return "".join(self._pieces[count + 1 :])

    def words(self, text: str, line: int) -> None:
        """Add running text that begins on a line of the file."""
        for n, piece in enumerate(text.replace("\xad", "").split("\n")):
            said = " ".join(piece.split())
            if n or piece[:1].isspace():
                self.space()
            if said:
                self._put(said, line + n)
            if piece[-1:].isspace():
                self.space()

    def verbatim(self, text: str, line: int) -> None:
        """Add text as it is; the line break that a page may have before it is left out."""
        if not self._length and text.startswith("\n"):
            text, line = text[1:], line + 1
        for n, piece in enumerate(text.split("\n")):
            if n:
                self._between += "\n"
            if piece:
                self._put(piece, line + n)

    def space(self) -> None:
        self._between = self._between or " "

    def between(self, text: str) -> None:
        """Put this before what comes next, after what was to be put there."""
        self._between = self._between.rstrip(" ") + text

    def instead(self, text: str) -> None:
        """Put this before what comes next, and nothing else."""
        self._between = text

    @property
    def broken(self) -> bool:
        """Whether what comes next stands on a new line."""
        return "\n" in self._between or not self._length

    def _put(self, piece: str, line: int) -> None:
        between = self._between if self._length else self._between.lstrip("\n").removeprefix(" ")
        if not self.places or self.places[-1].line != line:
            self.places.append(Place(self._length, "line", line, line=line))
        self._pieces += [between, piece]
        self._length += len(between) + len(piece)
        self._between = ""
