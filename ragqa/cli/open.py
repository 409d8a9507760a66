"""The only wiring: settings → store, embedder, generator."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ragqa.catalogue import DEFAULTS, Kind
from ragqa.errors import NoIndex, UsageError
from ragqa.lock import Say, silent
from ragqa.manifest import MANIFEST, Manifest, read_manifest
from ragqa.memory import INDEXING, Need, need_of, require_room
from ragqa.models import ready, require_kind
from ragqa.settings import Settings

if TYPE_CHECKING:
    from ragqa.embed import Embedder
    from ragqa.generate import LlamaGenerator
    from ragqa.store.sqlite import SQLiteStore
    from ragqa.write import Writing

SENTENCE_TOKENS = 48  # of an answer, by sentence
SPARE_TOKENS = 16  # where the pieces of a prompt meet, some vocabularies count otherwise than piece by piece

# A small model is slow to read and quick to be distracted; a large one makes use of more passages.
LARGE_MODEL, SMALL_BUDGET, LARGE_BUDGET = 1_000_000_000, 512, 3072  # bytes; tokens; tokens
EXCERPT = 2  # sentences that a small model is given; of whole passages it seldom makes anything that holds


def open_embedder(settings: Settings, say: Say) -> Embedder:
    """The embedder that is asked for, or the default one."""
    return _embedder(_ready(settings, settings.embed_model or DEFAULTS["embed"], "embed", say), settings.cores)


@cache
def _embedder(manifest: Manifest, threads: int) -> Embedder:
    """One for every manifest, so that a fork of the warm process finds the one that is loaded."""
    require_room(manifest.name, _need(manifest), "close other programs, raise the limit, or use a smaller model")
    if manifest.backend == "onnx":
        from ragqa.embed.onnx import OnnxEmbedder

        return OnnxEmbedder(
            manifest.folder,
            name=manifest.name,
            fingerprint=manifest.fingerprint,
            dim=manifest.dim,
            threads=threads,
        )
    from ragqa.embed.sentence_transformer import SentenceTransformerEmbedder

    folder = Path(manifest.source) if Path(manifest.source).is_dir() else manifest.weights.parent
    return SentenceTransformerEmbedder(folder, name=manifest.name, fingerprint=manifest.fingerprint, dim=manifest.dim)


def open_for_search(settings: Settings, say: Say) -> tuple[SQLiteStore, Embedder]:
    """The index, read only, and the embedder it was made with."""
    store = open_to_read(settings, say)
    return store, open_embedder_of(store, settings, say)


def open_to_read(settings: Settings, say: Say = silent) -> SQLiteStore:
    """The index, read only; without any document in it there is nothing to read.

    Raises:
        NoIndex: There is none, or it is empty.
    """
    from ragqa.prompt import shipped
    from ragqa.store.opening import open_index

    hint = f"run `ragqa index FOLDER` first; a sample library lies in {shipped('corpus')}"
    try:
        store = open_index(settings.db, say=say)
    except NoIndex as error:
        raise NoIndex(error.message, hint) from error
    if not store.count_documents():
        raise NoIndex(f"{settings.db}: the index is empty", hint)
    return store


def open_embedder_of(store: SQLiteStore, settings: Settings, say: Say) -> Embedder:
    """The embedder an index was made with; another one is refused.

    Without an explicit embedder the index's own is taken, so that old indexes keep answering.
    """
    from dataclasses import replace

    from ragqa.index import fingerprint
    from ragqa.store.opening import require_comparable

    embedder = open_embedder(replace(settings, embed_model=settings.embed_model or store.model), say)
    require_comparable(store, fingerprint(embedder), embedder.name)
    return embedder


def open_for_indexing(settings: Settings, say: Say) -> tuple[SQLiteStore, Embedder]:
    """The index, made if there is none, and the embedder."""
    from ragqa.index import fingerprint
    from ragqa.interaction import measure_centre
    from ragqa.store.opening import create_index

    embedder = open_embedder(settings, say)
    require_room(embedder.name, _beside(settings) + INDEXING, "close other programs, or raise the limit")
    store = create_index(
        settings.db,
        fingerprint=fingerprint(embedder),
        model=embedder.name,
        dim=embedder.dim,
        centre=lambda: measure_centre(embedder),
        say=say,
    )
    return store, embedder


def open_writing(settings: Settings, system: str | None, say: Say) -> Writing:
    """The Llama with its prompt; its weights are mapped when it is first asked to write."""
    from ragqa.prompt import load_template
    from ragqa.write import Writing

    template = load_template(settings.template, settings.prompts)
    sentences = settings.max_sentences or template.sentences
    max_answer = settings.max_answer or SENTENCE_TOKENS * sentences
    manifest = _ready(settings, settings.model or DEFAULTS["generate"], "generate", say)
    large = manifest.size >= LARGE_MODEL
    budget = settings.budget or min(LARGE_BUDGET if large else SMALL_BUDGET, manifest.context // 2)
    if budget + max_answer > manifest.context:
        raise UsageError(
            f"{manifest.name} sees {manifest.context:,} tokens at a time, too few for a prompt of {budget:,} and an"
            f" answer of {max_answer:,}",
            "a smaller `-o budget N` or `-o max_answer N`",
        )
    generator = _generator(manifest, budget + max_answer + SPARE_TOKENS, settings.cores, _beside(settings))
    excerpt = 0 if large else max(EXCERPT, sentences)
    return Writing(generator, template, budget, max_answer, system, sentences, excerpt)


@cache
def _generator(manifest: Manifest, memory: int, threads: int, beside: Need) -> LlamaGenerator:
    """One for every manifest and memory, for the same reason.

    Args:
        beside: What the embedder takes, which is loaded at the same time.
    """
    from ragqa.generate import LlamaGenerator
    from ragqa.heads import Heads
    from ragqa.tokens import BytePairEncoding

    hint = "`--quotes` needs no Llama; a smaller one: `ragqa models list`"
    require_room(manifest.name, _need(manifest, memory) + beside, hint)
    return LlamaGenerator(
        manifest.weights,
        name=manifest.name,
        context=manifest.context,
        memory=memory,
        chat_format=manifest.chat_format,
        encoding=BytePairEncoding.load_if_there(manifest.folder),
        threads=threads,
        heads=Heads(manifest.folder / "heads", manifest.largest.sha256),
    )


def _need(manifest: Manifest, tokens: int = 0) -> Need:
    return need_of(manifest.kind, manifest.size, backend=manifest.backend, tokens=tokens)


def _beside(settings: Settings) -> Need:
    """What the embedder that is asked for takes while it reads a question; nothing as long as it is not ready."""
    folder = settings.models / (settings.embed_model or DEFAULTS["embed"])
    return _need(read_manifest(folder)) if (folder / MANIFEST).is_file() else Need(0, 0)


def load(embedder: Embedder, writing: Writing | None, *, lasting: bool) -> None:
    """Load all weights side by side; `lasting`: for more than one question.

    Nothing may be printed meanwhile: llama-cpp-python points stdout and stderr elsewhere while it loads.
    """
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(writing.generator.load, lasting=lasting) if writing else None
        embedder.load(lasting=lasting)
        if loading:
            loading.result()


def _ready(settings: Settings, name: str, kind: Kind, say: Say) -> Manifest:
    manifest = ready(settings.models, name, say, kind)
    require_kind(name, manifest.kind, kind)
    return manifest
