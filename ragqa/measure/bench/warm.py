"""Questions to models that are loaded, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ragqa.answer import Stopwatch, answer_question
from ragqa.embed import Embedder
from ragqa.generate import Generator
from ragqa.measure.bench import Measurement, Progress, in_turn
from ragqa.store import VectorStore
from ragqa.types import Piece, Prompt
from ragqa.write import Writing

FIRST_TOKEN = "first_token"
SPOKEN = "question to first token of the Llama"
UNLIKE = "Rain."  # begins like no prompt


def measure_warm(
    question: str,
    *,
    embedder: Embedder,
    store: VectorStore,
    writing: Writing,
    k: int,
    quotes: int,
    min_support: float,
    rounds: int,
    progress: Progress,
) -> list[Measurement]:
    """The rows `warm`: one question again and again, and none of what the Llama has read of it is left over."""

    def ask() -> dict[str, int]:
        forget(writing.generator)
        watch = Stopwatch()
        answer_question(
            question,
            embedder=embedder,
            store=store,
            writing=writing,
            k=k,
            quotes=quotes,
            min_support=min_support,
            watch=watch,
        )
        return dict(watch.ms)

    ask()
    return stage_rows(in_turn({"ask": ask}, rounds, progress)["ask"])


def stage_rows(timed: Sequence[dict[str, int]]) -> list[Measurement]:
    """Milliseconds by stage, then those until the Llama's first token, if it wrote, and `total` last."""
    names = [stage for stage in dict.fromkeys(stage for ms in timed for stage in ms) if stage != "total"]
    rows = {name: Measurement(f"stage {name}", "ms", [float(ms.get(name, 0)) for ms in timed]) for name in names}
    total = Measurement("stage total", "ms", [float(ms["total"]) for ms in timed])
    if all(FIRST_TOKEN in ms for ms in timed):
        return [*rows.values(), Measurement(SPOKEN, "ms", [until(FIRST_TOKEN, ms) for ms in timed]), total]
    return [*rows.values(), total]


def until(last: str, ms: Mapping[str, int]) -> float:
    """Milliseconds of a stage and of all before it; stages are in the order in which they ended."""
    stages = list(ms)
    return float(sum(ms[stage] for stage in stages[: stages.index(last) + 1] if stage != "total"))


def forget(generator: Generator) -> None:
    """Have a Llama read something else: it does not read again what two prompts begin with."""
    piece = Piece(UNLIKE)
    for _token in generator.generate(Prompt((piece,), (), (), generator.count_tokens(piece), 0), max_tokens=1):
        pass
    generator.log_likelihoods(UNLIKE, [UNLIKE])
