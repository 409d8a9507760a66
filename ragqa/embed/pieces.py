"""A tokenizer that opens at once: a vocabulary of 250,000 pieces of which a text is given only those that stand in it.

Building a tokenizer of the whole vocabulary takes half a second, most of the time that a cold question has. But a piece
that does not stand in a text cannot be one of its tokens. So the pieces lie in a file, sorted by a hash and mapped, all
stretches of the text are looked up at once, and a tokenizer of the few hundred that are found tokenizes it: the same
library, the same ids, the same offsets.
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HASHES_FILE, ROWS_FILE, TEXTS_FILE, HEAD_FILE = "hashes.npy", "pieces.npy", "pieces.txt", "tokenizer-head.json"
MANY = 20_000  # characters in one call; from here on the whole vocabulary pays
ALONE = 1000  # texts, one after the other; by then it would have paid
REMEMBERED = 64  # texts; a question and its best passages are asked about again and again
_WORD = re.compile(r"[\S\x1c-\x1f]+")  # these four are white space to Python alone
_FACTOR = 0x9E3779B97F4A7C15
_ROW = np.dtype([("id", "<i4"), ("start", "<u4"), ("end", "<u4"), ("score", "<f8")])

Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text's tokens: ids in the vocabulary, and for each the characters it stands for."""

    ids: list[int]
    offsets: list[tuple[int, int]]


def write_pieces(tokenizer: Tokenizer, folder: Path) -> tuple[str, ...]:
    """Write a Unigram tokenizer so that it can be mapped; returns the names of the files."""
    described = json.loads(tokenizer.to_str())
    vocabulary = described["model"]["vocab"]
    encoded = [piece.encode() for piece, _score in vocabulary]
    ends = np.cumsum([len(one) for one in encoded])
    rows = np.zeros(len(vocabulary), _ROW)
    rows["id"], rows["score"] = np.arange(len(vocabulary)), [score for _piece, score in vocabulary]
    rows["start"], rows["end"] = np.concatenate([[0], ends[:-1]]), ends
    hashes = np.array([_hash(piece) for piece, _score in vocabulary], np.uint64)
    order = np.argsort(hashes, kind="stable")
    np.save(folder / HASHES_FILE, hashes[order])
    np.save(folder / ROWS_FILE, rows[order])
    (folder / TEXTS_FILE).write_bytes(b"".join(encoded))
    # Unknown pieces are scored by the lowest score there is, so its owner always comes along; so do the specials.
    specials = {token["id"]: None for token in described["post_processor"]["special_tokens"].values()}
    names = [vocabulary[described["model"]["unk_id"]][0], *specials]
    lowest = min(vocabulary, key=lambda one: one[1])[0]
    described["model"] |= {"vocab": [[names[0], 0.0]], "unk_id": 0}
    described["ragqa"] = {
        "always": list(dict.fromkeys([*names, lowest])),
        "longest": max(len(piece) for piece, _score in vocabulary),
    }
    (folder / HEAD_FILE).write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
    return HASHES_FILE, ROWS_FILE, TEXTS_FILE, HEAD_FILE


class MappedTokenizer:
    """Tokenizes a few texts with the pieces that stand in them, and many with the whole vocabulary.

    Args:
        folder: What `write_pieces` wrote.
        whole: Opens the tokenizer with all pieces.

    Raises:
        OSError, ValueError, LookupError: The files are not there or damaged.
    """

    def __init__(self, folder: Path, whole: Callable[[], Tokenizer]) -> None:
        self.whole = whole
        self._whole: Tokenizer | None = None
        self._alone = 0
        self._head: Any = json.loads((folder / HEAD_FILE).read_text(encoding="utf-8"))
        self._bare = _tokenizer(self._head | {"post_processor": None})
        self._hashes: Hashes = np.load(folder / HASHES_FILE, mmap_mode="r")
        self._rows: NDArray[Any] = np.load(folder / ROWS_FILE, mmap_mode="r")
        with (folder / TEXTS_FILE).open("rb") as file:
            self._texts = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        names = self._head["ragqa"]["always"]
        self._always = [self._known(np.array([_hash(name)], np.uint64), name)[0] for name in names]
        # They come first among a text's pieces, so the special tokens have the same places in all of them.
        for token in self._head["post_processor"]["special_tokens"].values():
            token["ids"] = [names.index(token["id"])]
        self.encode = lru_cache(REMEMBERED)(self._encode)

    def encode_batch(self, texts: Sequence[str]) -> list[Tokens]:
        if self._whole is None and sum(map(len, texts)) < MANY:
            return [self.encode(text) for text in texts]
        self._whole = self._whole or self.whole()
        return [Tokens(one.ids, one.offsets) for one in self._whole.encode_batch(texts)]

    def _encode(self, text: str) -> Tokens:
        self._alone += 1
        if self._whole or self._alone > ALONE:
            self._whole = self._whole or self.whole()
            return self.encode_batch([text])[0]
        pieces, ids = self._pieces_in(text)
        found = _tokenizer(self._head | {"model": self._head["model"] | {"vocab": pieces}}).encode(text)
        return Tokens([ids[n] for n in found.ids], found.offsets)

    def _pieces_in(self, text: str) -> tuple[list[tuple[str, float]], list[int]]:
        """The pieces that stand in a text, each with its score, and their ids."""
        normalizer = self._bare.normalizer
        words = _WORD.findall(normalizer.normalize_str(text) if normalizer else text)
        spaced = "".join(f"▁{word}" for word in words)
        found = self._known(_stretches(spaced, self._head["ragqa"]["longest"]), spaced)
        rows = {piece: (score, id) for piece, score, id in [*self._always, *found]}
        return [(piece, score) for piece, (score, _id) in rows.items()], [id for _score, id in rows.values()]

    def _known(self, hashes: Hashes, text: str) -> list[tuple[str, float, int]]:
        """Those of some stretches of a text that are pieces: piece, score, id."""
        places = np.searchsorted(self._hashes, hashes)
        places = places[self._hashes[np.minimum(places, len(self._hashes) - 1)] == hashes]
        found = []
        for id, start, end, score in self._rows[places].tolist():
            piece = self._texts[start:end].decode()
            if piece in text:  # else another with the same hash, once in a billion texts
                found.append((piece, score, id))
        return found


def _tokenizer(described: Any) -> Tokenizer:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(json.dumps({name: value for name, value in described.items() if name != "ragqa"}))


def _stretches(text: str, longest: int) -> Hashes:
    """The hashes of all stretches of a text of up to `longest` characters, each once."""
    codes = np.array([ord(character) for character in text], np.uint64)
    hashes, grown = [], np.zeros(len(codes), np.uint64)
    for length in range(1, min(longest, len(codes)) + 1):
        grown = grown[: len(codes) - length + 1] * np.uint64(_FACTOR) + codes[length - 1 :] + np.uint64(1)
        hashes.append(grown)
    return np.unique(np.concatenate(hashes)) if hashes else np.zeros(0, np.uint64)


def _hash(piece: str) -> int:
    value = 0
    for character in piece:
        value = (value * _FACTOR + ord(character) + 1) % 2**64
    return value
