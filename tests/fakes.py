"""Stand-ins for the models, small enough to work out by hand, and builders for the nouns."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import numpy as np

from ragqa.chat_format import CHAT_FORMATS
from ragqa.chunk import embedded_text
from ragqa.document import Block, Document, Passage
from ragqa.interaction import max_sim
from ragqa.read.markdown import markdown_blocks
from ragqa.retrieve import Retrieved
from ragqa.terms import search_words
from ragqa.types import Evidence, Hit, Matrix, Piece, Prompt, Spans, Vector

WORD = re.compile(r"\w+")
ORIGIN = np.zeros(64, np.float32)  # a centre for WordEmbedder's tokens
SHARED = 0.8  # of every vector's square lies in one direction, so that cosines run from 0.8 to 1 as E5's do


def words(text: str) -> int:
    """A tokenizer: one token a word."""
    return len(text.split())


def letters(text: str) -> int:
    """A tokenizer that splits long words as real ones do: four letters a token, and four for prefix and marks."""
    return 4 + sum(-(-len(word) // 4) for word in text.split())


class WordEmbedder:
    """Texts with the same words have the same vector; each word they do not share turns them apart."""

    name = "words"
    fingerprint = "words-64"

    def __init__(self, max_tokens: int = 512, dim: int = 64) -> None:
        self.max_tokens = max_tokens
        self.dim = dim
        self.embedded: list[str] = []

    def count_tokens(self, text: str) -> int:
        return words(text) + 4

    def load(self, *, lasting: bool = False) -> None:
        pass

    def embed_query(self, question: str) -> Vector:
        return self._vector(question)

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        self.embedded += texts
        return np.array([self._vector(text) for text in texts], np.float32).reshape(len(texts), self.dim)

    def query_tokens(self, question: str) -> tuple[Vector, Matrix]:
        return self._vector(question), self._tokens(question)

    def passage_tokens(self, texts: Sequence[str]) -> tuple[Matrix, list[Matrix]]:
        return self.embed_passages(texts), [self._tokens(text) for text in texts]

    def token_spans(self, text: str) -> Spans:
        return np.array([match.span() for match in WORD.finditer(text)], np.int32).reshape(-1, 2)

    def _tokens(self, text: str) -> Matrix:
        """A token a word, whose vector is the word's own."""
        rows = [self._direction(match.group().lower()) for match in WORD.finditer(text)]
        return np.array(rows, np.float32).reshape(-1, self.dim)

    def _vector(self, text: str) -> Vector:
        own = sum((self._direction(word) for word in set(WORD.findall(text.lower()))), np.zeros(self.dim))
        length = np.linalg.norm(own) or 1.0
        vector = np.sqrt(SHARED) * self._direction("") + np.sqrt(1 - SHARED) * own / length
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def _direction(self, word: str) -> Vector:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        direction = np.random.default_rng(seed).standard_normal(self.dim)
        return direction / np.linalg.norm(direction)


class EchoGenerator:
    """Says what it was told to say, and remembers what it was asked."""

    name = "echo"
    chat_format = CHAT_FORMATS["chatml"]

    def __init__(self, *script: str, context: int = 2048) -> None:
        self.script = script
        self.context = context
        self.prompts: list[Prompt] = []
        self.weighed: list[str] = []
        self.loads = 0

    def count_tokens(self, piece: Piece) -> int:
        return words(piece.text)

    def load(self, *, lasting: bool = False) -> None:
        self.loads += 1

    def generate(self, prompt: Prompt, *, max_tokens: int) -> Iterator[str]:
        self.prompts.append(prompt)
        yield from self.script[:max_tokens]

    def forget(self) -> None:
        pass

    def log_likelihoods(self, prompt: str, texts: Sequence[str], *, head: str = "") -> list[float]:
        """What it was told to say is likely as an answer, all else the less so the longer it is."""
        self.weighed.append(prompt)
        said = "".join(self.script).split()
        return [-0.1 * sum(word not in said for word in text.split()) - words(text) for text in texts]


def passage(
    text: str, *, document: str = "notes/a.md", ordinal: int = 1, heading: tuple[str, ...] = (), line: int = 1
) -> Passage:
    """A passage at the start of its document; `line` is the one its first word stands on."""
    last = line + text.strip().count("\n")
    blocks = tuple(replace(block, heading=(*heading, *block.heading)) for block in markdown_blocks(text))
    return Passage(document, ordinal, text, 0, len(text), line, last, heading, blocks)


def placed(passages: Sequence[Passage]) -> list[Passage]:
    """The same, each where the one before it ends, as the passages of one document are."""
    ends = [0, *accumulate(len(one.text) for one in passages)]
    return [replace(one, start=ends[n], end=ends[n + 1]) for n, one in enumerate(passages)]


def hit(
    text: str, *, score: float = 0.9, document: str = "notes/a.md", ordinal: int = 1, heading: tuple[str, ...] = ()
) -> Hit:
    found = passage(text, document=document, ordinal=ordinal, heading=heading)
    return Hit(found, Path("/") / document, score, {"dense": score, "lexical": 0.0, "fused": score})


def retrieved(question: str, *hits: Hit) -> Retrieved:
    """What a question found, read closely: each of its words in one passage of ten."""
    embedder, words = WordEmbedder(), search_words(question)
    vector, tokens = embedder.query_tokens(question)
    read = [embedded_text(one.passage, embedder.count_tokens, embedder.max_tokens) for one in hits]
    near = tuple(tokens @ passage.T for passage in embedder.passage_tokens(read)[1])
    return Retrieved(hits, near, vector, words, (1,) * len(words), 10, tuple(max_sim(one) for one in near))


def evidence(quote: str, *, heading: tuple[str, ...] = (), document: str = "notes/a.md") -> Evidence:
    """Evidence whose passage says nothing else."""
    found = hit(quote, heading=heading, document=document)
    return Evidence(found, quote, 0, len(quote), 1, 1 + quote.count("\n"), 0.9, {"max_sim": 0.9, "least_matched": 0.9})


def document(
    text: str,
    *,
    id: str = "notes/a.md",
    path: Path | None = None,
    collection: str = "default",
    reader: Callable[[str], tuple[Block, ...]] = markdown_blocks,
) -> Document:
    content = text.encode()
    sha256 = hashlib.sha256(content).hexdigest()
    return Document(id, path or Path("/") / id, text, sha256, len(content), 1, reader(text), collection)
