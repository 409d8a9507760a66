"""A message taken apart, with the lines of the file on which its parts stand."""

from __future__ import annotations

from binascii import a2b_qp
from collections.abc import Sequence
from email.feedparser import BytesFeedParser
from email.message import Message
from io import BytesIO
from typing import Any

_ENCODED = ("base64", "x-uuencode", "uuencode", "uue", "x-uue")  # no line of these is a line of the text


class Counter:
    """The line that is being read, from 1; of a message that was read, its last."""

    def __init__(self, line: int) -> None:
        self.line = line


class Part(Message):
    """A message, or a part of one.

    Attributes:
        first: The line on which it was begun: its first one, or of a message inside another, the blank one above.
        line: The first of its content; 0 where that is parts.
        sent: Its content, as it stands in the file.
    """

    def __init__(self, counter: Counter) -> None:
        super().__init__()
        self.counter = counter
        self.first = counter.line
        self.line = 0
        self.sent = ""

    def set_payload(self, payload: Any, charset: Any = None) -> None:
        """What the parser calls when it comes to the line below the content."""
        super().set_payload(payload, charset)
        self.sent = str(payload)
        self.line = self.counter.line - self.sent.count("\n")

    def lines(self) -> Sequence[int]:
        """The line of the file that each line of its decoded content begins on; one alone where it cannot be known."""
        encoding = str(self.get("content-transfer-encoding", "")).lower()
        if encoding in _ENCODED:
            return [self.line]
        sent = self.sent.encode("ascii", "surrogateescape").split(b"\n")
        if encoding != "quoted-printable":
            return range(self.line, self.line + len(sent))
        lines = [self.line]
        for number, encoded in enumerate(sent[:-1], start=self.line):
            decoded = a2b_qp(encoded + b"\n")  # nothing of a line that ends in `=`
            lines += [number] * decoded.count(b"\n")
            if decoded.endswith(b"\n"):
                lines[-1] = number + 1
        return lines


def message_of(content: bytes, line: int = 1) -> Part:
    """The message that begins on this line of its file; mangled ones are read as well as it goes, like Python does."""
    counter = Counter(line)
    parser = BytesFeedParser(lambda: Part(counter))
    for counter.line, one in enumerate(BytesIO(content), start=line):
        parser.feed(one)
    counter.line = line + content.count(b"\n")
    return parser.close()
