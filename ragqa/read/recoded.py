"""A stream in UTF-16 or UTF-32 → the same in UTF-8, as it comes."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 2**16  # bytes that are read at once, at most


def recoded(first: bytes, stream: BinaryIO, encoding: str) -> BinaryIO:
    """What was read of a stream already, and what is left in it, as UTF-8; it can only be read."""
    return io.BufferedReader(_Recoded(first, stream, encoding))


class _Recoded(io.RawIOBase):
    def __init__(self, first: bytes, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._left = memoryview(self._decoder.decode(first).encode())
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._left and not self._ended:
            block = self._stream.readline(BLOCK)  # it may end inside a character
            self._ended = not block
            self._left = memoryview(self._decoder.decode(block, final=self._ended).encode())
        room = memoryview(buffer)
        count = min(len(room), len(self._left))
        room[:count], self._left = self._left[:count], self._left[count:]
        return count
