"""`ragqa index` from nothing to an index that can be asked, beside the same passages through `llm embed-multi`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragqa.document import DocumentRecord, Passage
from ragqa.embed.cost import Cost
from ragqa.measure.bench import Measurement, Progress, in_turn
from ragqa.measure.bench.cold import CPU, MEMORY, Command
from ragqa.measure.bench.embedding import LIMIT, Peaks, Texts, seconds_at
from ragqa.measure.bench.limits import Gauges
from ragqa.measure.bench.processes import Run
from ragqa.store import VectorStore

ENOUGH, ENOUGH_QUICKLY = 160, 64  # passages, so that what is embedded outweighs what is imported
INSTANT = 0.001  # seconds: two runs that differ by less differ by chance


@dataclass(frozen=True, slots=True)
class Part:
    """Some documents of the notes, copied into a folder.

    Attributes:
        first: The first of them, a file in that folder.
        passages: Those that were made of them, by document.
    """

    folder: Path
    first: Path
    passages: Sequence[Sequence[Passage]]

    @property
    def all(self) -> list[Passage]:
        return [passage for passages in self.passages for passage in passages]


@dataclass(frozen=True, slots=True)
class Indexer:
    """A program that embeds: what it does with a part, and with its first document alone, which is mostly starting."""

    whole: Command
    little: Command
    passages: int
    little_passages: int


def copied(records: Iterable[DocumentRecord], store: VectorStore, folder: Path, enough: int) -> Part:
    """Copy documents, in order, until they have `enough` passages."""
    passages: list[Sequence[Passage]] = []
    files: list[Path] = []
    folder.mkdir(parents=True)
    for record in records:
        if sum(map(len, passages)) >= enough:
            break
        files.append(folder / f"{len(files):05}{record.path.suffix}")
        shutil.copy(record.path, files[-1])
        passages.append(store.passages_of(record.id))
    return Part(folder, files[0], passages)


def write_passages(passages: Iterable[Passage], path: Path, prefix: str) -> Path:
    """The passages as lines of JSON that `llm embed-multi` reads."""
    lines = [json.dumps({"id": passage.id, "content": prefix + passage.text.strip()}) + "\n" for passage in passages]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def measure_indexing(
    indexers: Mapping[str, Indexer], texts: Texts, cost: Cost, gauges: Gauges, rounds: int, progress: Progress
) -> list[Measurement]:
    """The rows `index`. The first indexer is held against what it has to multiply, and against the second, if any.

    Args:
        texts: The passages of the first one, as the embedder reads them.
    """
    work: dict[str, Callable[[], Run | Peaks]] = {name: indexer.whole.run for name, indexer in indexers.items()}
    work |= {f"{name}, little": indexer.little.run for name, indexer in indexers.items()}
    samples: dict[str, Any] = in_turn(
        work | {"peaks": lambda: Peaks(gauges.int8(), gauges.float32())}, rounds, progress
    )
    kinds = {name: _kinds(indexers[name], samples[name], samples[f"{name}, little"]) for name in indexers}
    first, *others = indexers
    limit = [len(texts.texts) / seconds_at(peaks, cost, texts.lengths) for peaks in samples["peaks"]]
    rows = [Measurement(f"{first}, end to end", "passages/s", kinds[first]["end to end", "passages/s"], LIMIT, limit)]
    for other in others or [""]:
        theirs = kinds.get(other, {})
        rows += [
            Measurement(f"{first}, {kind}", unit, values, other, theirs.get((kind, unit), ()))
            for (kind, unit), values in kinds[first].items()
            if theirs or kind != "end to end"
        ]
    return rows


def _kinds(indexer: Indexer, runs: Sequence[Run], little: Sequence[Run]) -> dict[tuple[str, str], list[float]]:
    """What is reported of an indexer, by name and unit; without starting, it embeds what is not in the little part."""
    more = indexer.passages - indexer.little_passages
    pairs = list(zip(runs, little, strict=True))
    return {
        ("end to end", "passages/s"): [indexer.passages / run.wall for run in runs],
        ("without starting", "passages/s"): [more / max(run.wall - start.wall, INSTANT) for run, start in pairs],
        (CPU.name, CPU.unit): [CPU.of(run) for run in runs],
        (MEMORY.name, MEMORY.unit): [MEMORY.of(run) for run in runs],
    }
