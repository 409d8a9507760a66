"""A question asked again and again of models that are loaded."""

from __future__ import annotations

from pathlib import Path

from ragqa.interaction import signs_of
from ragqa.measure.bench.warm import SPOKEN, UNLIKE, measure_warm, stage_rows
from ragqa.prompt import Template
from ragqa.store.exact import ExactStore
from ragqa.write import Writing
from tests.fakes import ORIGIN, EchoGenerator, WordEmbedder, document, passage

TEXT = "The iron bridge was opened in 1894."


def test_a_stage_that_one_round_had_not_took_nothing_in_it():
    rows = stage_rows([{"embed": 5, "total": 9}, {"embed": 7, "mark": 3, "total": 12}])
    assert [(row.name, row.samples) for row in rows] == [
        ("stage embed", [5.0, 7.0]),
        ("stage mark", [0.0, 3.0]),
        ("stage total", [9.0, 12.0]),
    ]


def test_until_the_first_token_all_stages_before_it_count_and_none_behind():
    rows = stage_rows([{"embed": 5, "total": 108, "first_token": 60, "generate": 43}])
    assert {row.name: row.samples for row in rows}[SPOKEN] == [65.0]


def test_the_llama_reads_something_else_before_every_round(tmp_path: Path):
    path = tmp_path / "a.md"
    path.write_text(TEXT)
    store, embedder = ExactStore(centre=ORIGIN), WordEmbedder()
    vectors, (tokens,) = embedder.passage_tokens([TEXT])
    store.add(document(TEXT, path=path), [passage(TEXT)], vectors, [signs_of(tokens, ORIGIN)])
    llama = EchoGenerator("The iron bridge ", "was opened in 1894.")
    rows = measure_warm(
        "When was the iron bridge opened?",
        embedder=embedder,
        store=store,
        writing=Writing(llama, Template("test", "", "$passages $question"), 100, 50, sentences=2, excerpt=2),
        k=3,
        quotes=2,
        min_support=0.25,
        rounds=2,
        progress=lambda done, total: None,
    )
    read = [prompt.text == UNLIKE for prompt in llama.prompts]
    assert read == [True, False] * 3  # once before, uncounted
    assert {row.name for row in rows} > {"stage embed", "stage search", "stage total"}
    assert all(len(row.samples) == 2 for row in rows)
