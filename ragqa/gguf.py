"""GGUF files through llama.cpp: what a model's header says, its weights in 8 bits, its tokens."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragqa.chat_format import recognise
from ragqa.errors import ModelError
from ragqa.tokens import BytePairEncoding, build_encoding
from ragqa.types import Piece

if TYPE_CHECKING:
    from llama_cpp import Llama

MAGIC = b"GGUF"


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
    library = llama_cpp()
    model = open_gguf(path, vocab_only=True)
    metadata = model.metadata
    architecture = metadata.get("general.architecture", "unknown")
    encoding = None
    if metadata.get("tokenizer.ggml.model") == "gpt2":
        vocab = library.llama_model_get_vocab(model.model)
        ids = range(library.llama_vocab_n_tokens(vocab))
        tokens = [library.llama_vocab_get_text(vocab, i) for i in ids]
        control = [library.llama_vocab_is_control(vocab, i) for i in ids]
        pre = metadata.get("tokenizer.ggml.pre", "")
        encoding = build_encoding(pre, tokens, control, lambda text: tokenize(model, Piece(text)))
    return GGUFHeader(
        architecture=architecture,
        context=int(metadata.get(f"{architecture}.context_length", 2048)),
        chat_format=recognise(metadata.get("tokenizer.chat_template", "")).name,
        licence=metadata.get("general.license", "unknown"),
        encoding=encoding,
    )


@dataclass(frozen=True, slots=True)
class Weights:
    """What a model has to work through.

    Attributes:
        multiplied: Numbers in the matrices that each token of a prompt is multiplied with: all but its table of tokens.
        size: Bytes of all weights, which are read once for every token that is written.
        bfloat16: Multiplied in that precision, not in 8 bits.
    """

    multiplied: int
    size: int
    bfloat16: bool = False


def read_weights(path: Path) -> Weights:
    """How many weights a model file has; only its header is read.

    The table of tokens is taken to be the last matrix, too, as it is in small models.
    """
    library = llama_cpp()
    model = open_gguf(path, vocab_only=True)
    width = int(model.metadata[f"{model.metadata['general.architecture']}.embedding_length"])
    tokens = library.llama_vocab_n_tokens(library.llama_model_get_vocab(model.model))
    return Weights(library.llama_model_n_params(model.model) - tokens * width, library.llama_model_size(model.model))


def tokenize(model: Llama, piece: Piece) -> list[int]:
    """Token ids of one piece by itself."""
    # C strings end at NUL; none is stored, but a question may bring one.
    text = piece.text.replace("\0", "\ufffd").encode("utf-8", "replace")
    return list(model.tokenize(text, add_bos=False, special=piece.control))


def prompt_tokens(model: Llama, pieces: Sequence[Piece]) -> list[int]:
    """Token ids of a prompt, the same as if it were one text in which only the scaffold's markers are control tokens.

    SentencePiece vocabularies put a space before every text they are given. Where a text follows a marker or a
    space that is right, and the space itself is left to them; where it goes on, none may be put there.
    """
    library = llama_cpp()
    vocab = library.llama_model_get_vocab(model.model)
    puts_spaces = model.metadata.get("tokenizer.ggml.model") == "llama"
    tokens: list[int] = []
    goes_on = False
    for piece in pieces:
        spaced = puts_spaces and piece.control and piece.text.endswith(" ")
        part = Piece(piece.text[:-1], control=True) if spaced else piece
        tokens += _tokens_within(model, part) if puts_spaces and goes_on else tokenize(model, part)
        goes_on = not spaced and bool(tokens) and not library.llama_vocab_is_control(vocab, tokens[-1])
    return tokens


def _tokens_within(model: Llama, piece: Piece) -> list[int]:
    """Token ids of a piece inside a text: the space is put before a line break, and taken away with it."""
    line_break = tokenize(model, Piece("\n"))
    tokens = tokenize(model, Piece("\n" + piece.text, control=piece.control))
    within = tokens[: len(line_break)] == line_break
    return tokens[len(line_break) :] if within else tokenize(model, piece)


def open_gguf(path: Path, **options: Any) -> Llama:
    """The model, with options of `llama_cpp.Llama`.

    Raises:
        ModelError: llama.cpp cannot load it.
    """
    check_gguf(path)
    library = llama_cpp()
    try:
        return library.Llama(str(path), verbose=False, **options)
    except Exception as error:  # llama-cpp-python raises ValueError, AssertionError, RuntimeError, MemoryError
        raise ModelError(f"{path}: llama.cpp cannot load it: {error}", "run `ragqa models verify`") from error


def can_offload() -> bool:
    """Whether this llama.cpp can put weights on a GPU."""
    return bool(llama_cpp().llama_supports_gpu_offload())


@cache
def llama_cpp() -> Any:
    """The library, imported where it is first used, silent and polite.

    Its log would print text of the model file raw. Its threads would wait for each other in busy loops, which
    takes many times as long as soon as another program wants a core; so they look about briefly, then sleep.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    import llama_cpp

    llama_cpp.llama_log_set(_silent(), ctypes.c_void_p(0))
    llama_cpp.llama_chat_format.Jinja2ChatFormatter = _UnreadTemplate
    return llama_cpp


class _UnreadTemplate:
    """In place of what compiles the chat template of every model that is loaded.

    A template is a program of whoever made the file. To compile one works out what is constant in it, and that may
    take for ever; and one that does not compile would keep a model from being used. Here none is ever wanted.
    """

    def __init__(self, **template: object) -> None:
        pass

    def to_chat_handler(self) -> None:
        return None


@cache
def _silent() -> Any:
    """A log callback that says nothing; kept, because llama.cpp keeps only a pointer to it."""
    import llama_cpp

    return llama_cpp.llama_log_callback(lambda level, text, data: None)
