"""Prompt → text, with a local Llama."""

from __future__ import annotations

import codecs
import ctypes
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ragqa.chat_format import CHAT_FORMATS, PLAIN, ChatFormat, recognise
from ragqa.errors import ModelError
from ragqa.tokens import BytePairEncoding, build_encoding
from ragqa.types import Piece, Prompt

if TYPE_CHECKING:
    from llama_cpp import Llama

# Ctrl-C is heard between two batches, so the larger the model, the fewer tokens a batch.
BATCH_TOKENS, BATCH_TOKENS_LARGE, LARGE = 128, 32, 1_000_000_000
MAGIC = b"GGUF"


class Generator(Protocol):
    """Writes text after a prompt.

    Attributes:
        context: Tokens the model can see, prompt and answer together.
    """

    name: str
    context: int
    chat_format: ChatFormat

    def count_tokens(self, piece: Piece) -> int: ...

    def load(self) -> None:
        """Make ready to generate."""

    def generate(self, prompt: Prompt, *, max_tokens: int) -> Iterator[str]:
        """Text token by token, so that their number says whether the limit ended it."""


@dataclass(frozen=True, slots=True)
class GGUFHeader:
    """What ragqa wants to know of a model file before it is used."""

    architecture: str
    context: int
    chat_format: str
    licence: str
    encoding: BytePairEncoding | None


def check_gguf(path: Path) -> None:
    """Refuse early what llama.cpp would hang on or report obscurely.

    Raises:
        ModelError: Not a regular file, empty, or without GGUF's magic.
    """
    hint = "run `ragqa models verify`, or add the file again"
    if not path.is_file():
        raise ModelError(f"{path}: no such model file", hint)
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise ModelError(f"{path}: not a GGUF file", hint)


def read_header(path: Path) -> GGUFHeader:
    """Read metadata and vocabulary, not the weights: a tenth of a second for any size.

    Raises:
        ModelError: The file is damaged, or of a kind that this llama.cpp does not know.
    """
    llama_cpp = _llama_cpp()
    model = _open(path, vocab_only=True)
    metadata = model.metadata
    architecture = metadata.get("general.architecture", "unknown")
    encoding = None
    if metadata.get("tokenizer.ggml.model") == "gpt2":
        vocab = llama_cpp.llama_model_get_vocab(model.model)
        ids = range(llama_cpp.llama_vocab_n_tokens(vocab))
        tokens = [llama_cpp.llama_vocab_get_text(vocab, i) for i in ids]
        control = [llama_cpp.llama_vocab_is_control(vocab, i) for i in ids]
        pre = metadata.get("tokenizer.ggml.pre", "")
        encoding = build_encoding(pre, tokens, control, lambda text: _tokenize(model, Piece(text)))
    return GGUFHeader(
        architecture=architecture,
        context=int(metadata.get(f"{architecture}.context_length", 2048)),
        chat_format=recognise(metadata.get("tokenizer.chat_template", "")).name,
        licence=metadata.get("general.license", "unknown"),
        encoding=encoding,
    )


def requantize(source: Path, target: Path) -> None:
    """Write a model's weights in 8 bits: larger, nothing lost, and read twice as fast as 4 bits with a minimum.

    Raises:
        ModelError: llama.cpp could not read the source or write the target.
    """
    check_gguf(source)
    llama_cpp = _llama_cpp()
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0
    options.allow_requantize = True
    failed = llama_cpp.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(options))
    if failed or not target.is_file():
        raise ModelError(f"{source}: cannot be requantized into {target.parent}", "check the free space there")


class LlamaGenerator:
    """A GGUF model through llama.cpp. Weights are mapped at the first generation, not before.

    Args:
        context: The most tokens the model can see.
        memory: The most that it will be asked to see; memory for them is taken when it is loaded.
        encoding: Its vocabulary for counting; without one the model's own tokenizer counts.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        context: int,
        memory: int,
        chat_format: str,
        encoding: BytePairEncoding | None,
        threads: int,
    ) -> None:
        check_gguf(path)
        self.path = path
        self.name = name
        self.context = context
        self.memory = min(memory, context)
        self.chat_format = CHAT_FORMATS.get(chat_format, PLAIN)
        self.encoding = encoding
        self.threads = threads

    @cached_property
    def _vocabulary(self) -> Llama:
        return _open(self.path, vocab_only=True)

    @cached_property
    def _model(self) -> Llama:
        return _open(
            self.path,
            n_ctx=self.memory,
            n_batch=BATCH_TOKENS if self.path.stat().st_size < LARGE else BATCH_TOKENS_LARGE,
            n_threads=self.threads,
            n_threads_batch=self.threads,
            n_gpu_layers=-1,
            flash_attn=True,
        )

    def load(self) -> None:
        """Map the weights now, so that the first word comes sooner."""
        _ = self._model

    def count_tokens(self, piece: Piece) -> int:
        if self.encoding:
            return len(self.encoding.encode(piece.text, control=piece.control))
        return len(_tokenize(self._vocabulary, piece))

    def generate(self, prompt: Prompt, *, max_tokens: int) -> Iterator[str]:
        """Write greedily until the model ends its turn or `max_tokens` are written; one text a token, at times empty.

        Every piece is tokenized by itself, and only the scaffold with control tokens, so no text
        of a document can open or close a turn.
        """
        llama_cpp = _llama_cpp()
        model = self._model
        vocab = llama_cpp.llama_model_get_vocab(model.model)
        tokens = prompt_tokens(model, prompt.pieces)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        room = min(max_tokens, self.memory - len(tokens))
        for written, token in enumerate(model.generate(tokens, temp=0.0, repeat_penalty=1.0)):
            if written >= room or llama_cpp.llama_vocab_is_eog(vocab, token):
                break
            yield decoder.decode(model.detokenize([token]))


def prompt_tokens(model: Llama, pieces: Sequence[Piece]) -> list[int]:
    """Token ids of a prompt, the same as if it were one text in which only the scaffold's markers are control tokens.

    SentencePiece vocabularies put a space before every text they are given. Where a text follows a marker or a
    space that is right, and the space itself is left to them; where it goes on, none may be put there.
    """
    llama_cpp = _llama_cpp()
    vocab = llama_cpp.llama_model_get_vocab(model.model)
    puts_spaces = model.metadata.get("tokenizer.ggml.model") == "llama"
    tokens: list[int] = []
    goes_on = False
    for piece in pieces:
        spaced = puts_spaces and piece.control and piece.text.endswith(" ")
        part = Piece(piece.text[:-1], control=True) if spaced else piece
        tokens += _tokens_within(model, part) if puts_spaces and goes_on else _tokenize(model, part)
        goes_on = not spaced and bool(tokens) and not llama_cpp.llama_vocab_is_control(vocab, tokens[-1])
    return tokens


def _tokens_within(model: Llama, piece: Piece) -> list[int]:
    """Token ids of a piece inside a text: the space is put before a line break, and taken away with it."""
    line_break = _tokenize(model, Piece("\n"))
    tokens = _tokenize(model, Piece("\n" + piece.text, control=piece.control))
    within = tokens[: len(line_break)] == line_break
    return tokens[len(line_break) :] if within else _tokenize(model, piece)


def _tokenize(model: Llama, piece: Piece) -> list[int]:
    # C strings end at NUL; none is stored, but a question may bring one.
    text = piece.text.replace("\0", "\ufffd").encode("utf-8", "replace")
    return list(model.tokenize(text, add_bos=False, special=piece.control))


def _open(path: Path, **options: Any) -> Llama:
    check_gguf(path)
    llama_cpp = _llama_cpp()
    try:
        return llama_cpp.Llama(str(path), verbose=False, **options)
    except Exception as error:  # llama-cpp-python raises ValueError, AssertionError, RuntimeError, MemoryError
        raise ModelError(f"{path}: llama.cpp cannot load it: {error}", "run `ragqa models verify`") from error


@cache
def _llama_cpp() -> Any:
    """The library, imported where it is first used, silent and polite.

    Its log would print text of the model file raw. Its threads would wait for each other in busy loops, which
    takes many times as long as soon as another program wants a core; so they look about briefly, then sleep.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    import llama_cpp

    llama_cpp.llama_log_set(_silent(), ctypes.c_void_p(0))
    return llama_cpp


@cache
def _silent() -> Any:
    """A log callback that says nothing; kept, because llama.cpp keeps only a pointer to it."""
    import llama_cpp

    return llama_cpp.llama_log_callback(lambda level, text, data: None)
