"""What a Llama has read of the beginnings that its prompts share, kept in files.

A third of a prompt is the same for every question: the system prompt, the examples. What llama.cpp remembers of it is
3 MB for 130 tokens of the embedded Llama, which takes milliseconds to read and a tenth of a second to make anew.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragqa.gguf import llama_cpp

FORM = 1
KEPT = 8  # files; templates of one's own, and remains of other versions of a model, are pushed out in time
MOST = 1 << 28  # bytes; no head of a model that fits a machine like this is larger
_SUM = 4  # bytes of a checksum before the state


class Heads:
    """The beginnings of prompts for one model.

    Args:
        folder: Where they are kept; made when the first is. One that cannot be written to is none.
        weights: What tells the model's weights from all others: their sha256.
    """

    def __init__(self, folder: Path, weights: str) -> None:
        self.folder = folder
        self.weights = weights

    def restore(self, context: Any, tokens: Sequence[int]) -> bool:
        """Put llama.cpp's memory of sequence 0 after `tokens` in place; False where it is not known."""
        path = self._path(context, tokens)
        try:
            if not path.is_file() or path.stat().st_size > MOST:
                return False
            content = path.read_bytes()
            os.utime(path)  # the one that has not been used for longest goes first
        except OSError:
            return False
        state = content[_SUM:]
        if zlib.crc32(state).to_bytes(_SUM, "little") != content[:_SUM]:
            return False
        return bool(llama_cpp().llama_state_seq_set_data(context, _bytes(state), len(state), 0))

    def keep(self, context: Any, tokens: Sequence[int]) -> None:
        """Keep the memory of sequence 0, which has just read `tokens` and nothing else."""
        library = llama_cpp()
        state = (ctypes.c_uint8 * library.llama_state_seq_get_size(context, 0))()
        if not library.llama_state_seq_get_data(context, state, len(state), 0):
            return
        with contextlib.suppress(OSError):  # it is as well to read it again
            self._write(self._path(context, tokens), bytes(state))

    def _write(self, path: Path, state: bytes) -> None:
        """Whole or not at all; the oldest go, remains of killed processes among them."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        others = sorted(self.folder.iterdir(), key=lambda one: one.lstat().st_mtime)
        for old in others[: max(len(others) - KEPT + 1, 0)]:
            old.unlink(missing_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self.folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(zlib.crc32(state).to_bytes(_SUM, "little") + state)
            Path(name).rename(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _path(self, context: Any, tokens: Sequence[int]) -> Path:
        """By what the state depends on: the weights, llama.cpp, how its memory is laid out, the tokens.

        Flash attention and the numbers' type in memory are the same for all (`generate.py`); change FORM with them.
        """
        library = llama_cpp()
        laid_out = library.llama_n_seq_max(context), library.llama_n_ctx(context)
        about = FORM, library.__version__, self.weights, laid_out, list(tokens)
        return self.folder / f"{hashlib.sha256(repr(about).encode()).hexdigest()[:32]}.state"


def _bytes(content: bytes) -> Any:
    return (ctypes.c_uint8 * len(content)).from_buffer_copy(content)
