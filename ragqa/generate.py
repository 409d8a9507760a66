"""Prompt → text, with a local Llama."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ragqa.chat_format import CHAT_FORMATS, PLAIN, ChatFormat
from ragqa.gguf import check_gguf, llama_cpp, open_gguf, prompt_tokens, tokenize
from ragqa.heads import Heads
from ragqa.likelihood import Likelihoods
from ragqa.tokens import BytePairEncoding
from ragqa.types import Piece, Prompt

if TYPE_CHECKING:
    from llama_cpp import Llama

# Ctrl-C is heard between two batches, so the larger the model, the fewer tokens a batch.
BATCH_TOKENS, BATCH_TOKENS_LARGE, LARGE = 128, 32, 1_000_000_000
REHEARSED_TOKENS = 16


class Generator(Protocol):
    """Writes text after a prompt.

    Attributes:
        context: Tokens the model can see, prompt and answer together.
    """

    name: str
    context: int
    chat_format: ChatFormat

    def count_tokens(self, piece: Piece) -> int: ...

    def load(self, *, lasting: bool = False) -> None:
        """Make ready to generate.

        Args:
            lasting: For more than one question, so `forget` forgets nothing.
        """

    def generate(self, prompt: Prompt, *, max_tokens: int) -> Iterator[str]:
        """Text token by token, so that their number says whether the limit ended it."""

    def log_likelihoods(self, prompt: str, texts: Sequence[str], *, head: str = "") -> list[float]:
        """How likely each text would be all that is written on the line that a prompt leaves open, in nats.

        The prompt is plain text without turns, and the more alike the texts begin, the less there is to read.

        Args:
            head: What stands before this prompt and others of its kind, up to the end of a word; read once and for all.
        """

    def forget(self) -> None:
        """Let go of the memory that likelihoods took, if no other question will want it."""


class LlamaGenerator:
    """A GGUF model through llama.cpp. Weights are mapped at the first generation, not before.

    Args:
        context: The most tokens the model can see.
        memory: The most that it will be asked to see; memory for them is taken when it is loaded.
        encoding: Its vocabulary for counting; without one the model's own tokenizer counts.
        heads: Where it keeps what it has read of the beginnings of prompts; None keeps nothing.
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
        heads: Heads | None = None,
    ) -> None:
        check_gguf(path)
        self.path = path
        self.name = name
        self.context = context
        self.memory = min(memory, context)
        self.chat_format = CHAT_FORMATS.get(chat_format, PLAIN)
        self.encoding = encoding
        self.threads = threads
        self.heads = heads
        self._lasting = False

    @cached_property
    def _vocabulary(self) -> Llama:
        return open_gguf(self.path, vocab_only=True)

    @cached_property
    def _model(self) -> Llama:
        large = self.path.stat().st_size >= LARGE
        # A small model writes a token in so little time that its threads mostly wait for each other; on a busy machine
        # more of them are slower.
        return open_gguf(
            self.path,
            n_ctx=self.memory,
            n_batch=BATCH_TOKENS_LARGE if large else BATCH_TOKENS,
            n_threads=self.threads if large else max(1, self.threads // 2),
            n_threads_batch=self.threads,
            n_gpu_layers=-1,
            flash_attn=True,
        )

    @cached_property
    def _likelihoods(self) -> Likelihoods:
        return Likelihoods(self._model, memory=self.memory, heads=self.heads)

    def load(self, *, lasting: bool = False) -> None:
        """Map the weights now, so that the first word comes sooner."""
        self._lasting = lasting
        _ = self._model

    def count_tokens(self, piece: Piece) -> int:
        if self.encoding:
            return len(self.encoding.encode(piece.text, control=piece.control))
        return len(tokenize(self._vocabulary, piece))

    def generate(self, prompt: Prompt, *, max_tokens: int) -> Iterator[str]:
        """Write greedily until the model ends its turn or `max_tokens` are written; one text a token, at times empty.

        Every piece is tokenized by itself, and only the scaffold with control tokens, so no text
        of a document can open or close a turn.
        """
        library = llama_cpp()
        model = self._model
        vocab = library.llama_model_get_vocab(model.model)
        tokens = prompt_tokens(model, prompt.pieces)
        self._begin(prompt_tokens(model, prompt.pieces[: prompt.fixed]), tokens)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        room = min(max_tokens, self.memory - len(tokens))
        for written, token in enumerate(model.generate(tokens, temp=0.0, repeat_penalty=1.0)):
            if written >= room or library.llama_vocab_is_eog(vocab, token):
                break
            yield decoder.decode(model.detokenize([token]))

    def _begin(self, head: Sequence[int], tokens: Sequence[int]) -> None:
        """Have the model at the end of a prompt's head, unless it is further on already."""
        model, heads = self._model, self.heads
        if not heads or not head or list(tokens[: len(head)]) != head or model.n_tokens >= len(head):
            return
        model.reset()
        if heads.restore(model.ctx, head):
            model.n_tokens = len(head)
            model.input_ids[: len(head)] = head
        else:
            model.eval(head)
            heads.keep(model.ctx, head)

    def log_likelihoods(self, prompt: str, texts: Sequence[str], *, head: str = "") -> list[float]:
        """ln p(text, then a line break | prompt), of each text; -inf of what does not fit the context."""
        begun = Piece(self.chat_format.begin, control=True), Piece(head), Piece(prompt)
        return self._likelihoods.of(begun, [Piece(f" {text}") for text in texts], fixed=2 if head else 0)

    def forget(self) -> None:
        if not self._lasting:
            vars(self).pop("_likelihoods", None)

    def load_all(self, *, weighs: bool) -> None:
        """Load all that it will want, without computing anything, so that no thread is started.

        Args:
            weighs: Whether it will be asked for likelihoods.
        """
        _ = self._model, weighs and self._likelihoods
        self.count_tokens(Piece("a"))

    def rehearse(self) -> Iterator[None]:
        """Read a batch with every context and forget it, so that weights and threads are at hand; a step a context."""
        model, library = self._model, llama_cpp()
        model.eval([library.llama_vocab_bos(library.llama_model_get_vocab(model.model))] * REHEARSED_TOKENS)
        model.reset()
        library.llama_memory_clear(library.llama_get_memory(model.ctx), False)
        yield
        self._likelihoods.rehearse(REHEARSED_TOKENS)
        yield
