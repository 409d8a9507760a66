"""What a warm process loads, and how its forks rehearse."""

from __future__ import annotations

import gc
import importlib
import os
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import rich.cells

import ragqa
from ragqa.cli.open import load, open_embedder, open_to_read, open_writing
from ragqa.embed.onnx import OnnxEmbedder
from ragqa.errors import RagqaError
from ragqa.generate import LlamaGenerator
from ragqa.gguf import can_offload
from ragqa.manifest import MANIFEST, read_manifest
from ragqa.settings import Settings
from ragqa.warm.apart import asked_in_a_fork, done_in_a_fork

if TYPE_CHECKING:
    from ragqa.embed import Embedder
    from ragqa.generate import Generator
    from ragqa.types import JSON
    from ragqa.write import Writing

REHEARSED = "What is this about?"
# What commands import where they first use it.
IMPORTED_LATE = (
    *("ragqa.cli.links", "ragqa.cli.terminal"),
    *("ragqa.answer", "ragqa.index", "ragqa.prompt", "ragqa.retrieve", "ragqa.store.opening", "ragqa.write"),
    *("rich.console", "rich.live", "rich.spinner", "rich.status", "rich.table", "rich.text", "typer._click._textwrap"),
    *("ragqa.history", "email.parser", "ulid"),
)


@dataclass(frozen=True, slots=True)
class Held:
    """What is in memory.

    Attributes:
        files: Of program and models.
        stamps: What those were when they were loaded.
    """

    settings: Settings
    embedder: Embedder
    writing: Writing | None
    files: tuple[Path, ...]
    stamps: tuple[tuple[int, ...], ...]

    def is_current(self) -> bool:
        """Whether program and models are still what was loaded."""
        return stamps(self.files) == self.stamps

    def describe(self) -> JSON:
        names = [self.embedder.name, *([self.writing.generator.name] if self.writing else [])]
        return {"models": names, "memory_bytes": memory(os.getppid())}

    def rehearsal(self) -> Iterator[None]:
        """In a fork: load what the warm process could not, then ask a question, and forget it."""
        load(self.embedder, self.writing, lasting=False)
        yield
        self.embedder.embed_query(REHEARSED)
        yield
        yield from self._ask()
        if self.writing and self.writing.small and isinstance(self.writing.generator, LlamaGenerator):
            yield from self.writing.generator.rehearse()

    def _ask(self) -> Iterator[None]:
        """Where there is an index that the embedder can read."""
        from ragqa.answer import answer_question

        settings = self.settings
        try:
            store = open_to_read(settings)
            answer_question(
                REHEARSED,
                embedder=self.embedder,
                store=store,
                writing=None,
                k=settings.passages,
                quotes=settings.quotes,
                min_support=0.0,
            )
            store.close()
        except RagqaError:
            pass  # the question that comes will say it
        yield


def hold(settings: Settings, *, quotes: bool) -> Held:
    """Load the models that questions with these settings will want, as far as that starts no thread.

    Args:
        quotes: No Llama.

    Raises:
        RagqaError: One of them cannot be prepared or opened.
    """
    for name in IMPORTED_LATE:
        importlib.import_module(name)
    rich.cells.cell_len("…")  # opens its table of widths
    done_in_a_fork(partial(_open, settings, quotes))  # to prepare a model starts threads, and may take long
    embedder, writing = _open(settings, quotes)
    models = (embedder, writing.generator) if writing else (embedder,)
    files = (*_program(), *_weights(settings, *models))
    held = Held(settings, embedder, writing, files, stamps(files))
    if isinstance(embedder, OnnxEmbedder):  # torch computes while it loads, so a fork has to
        embedder.load(lasting=True)
        embedder.count_tokens(REHEARSED)
    if writing and isinstance(writing.generator, LlamaGenerator) and not asked_in_a_fork(can_offload):
        writing.generator.load_all(weighs=writing.small)  # what lies on a GPU does not survive a fork
    gc.collect()
    gc.freeze()  # a collection in a fork would touch every object, and so copy all memory
    return held


def _open(settings: Settings, quotes: bool) -> tuple[Embedder, Writing | None]:
    """The models, which are prepared first where they are not yet ready."""
    embed_model = settings.embed_model or _indexed_with(settings)
    embedder = open_embedder(replace(settings, embed_model=embed_model), _silently)
    return embedder, None if quotes else open_writing(settings, None, _silently)


def _silently(message: str) -> None:
    pass


def _indexed_with(settings: Settings) -> str:
    """The embedder of the index, which questions will want; empty for the default one."""
    try:
        store = open_to_read(settings)
    except RagqaError:
        return ""
    name = store.model
    store.close()
    return name


def _program() -> list[Path]:
    """The modules, and the folders in which installing or removing any package leaves a trace."""
    installed = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    return [*sorted(Path(ragqa.__file__).parent.rglob("*.py")), *map(Path, sorted(installed))]


def _weights(settings: Settings, *models: Embedder | Generator) -> list[Path]:
    manifests = [read_manifest(settings.models / model.name) for model in models]
    return [path for one in manifests for path in (one.folder / MANIFEST, *(Path(file.path) for file in one.files))]


def stamps(files: Iterable[Path]) -> tuple[tuple[int, ...], ...]:
    """What tells a file from one that has taken its place; empty for one that is gone."""
    return tuple(map(_stamp, files))


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def memory(pid: int) -> int | None:
    """Bytes of memory that a process uses; None where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    (found,) = (line.split() for line in lines if line.startswith("VmRSS:"))
    return int(found[1]) * 1024
