"""What grows: vectors to search among, documents to index, and lines in a picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragqa.embed.cost import Cost
from ragqa.errors import UsageError
from ragqa.measure.bench import Measurement
from ragqa.measure.bench.cold import Command
from ragqa.measure.bench.embedding import Texts
from ragqa.measure.bench.indexing import Indexer, Part, copied, measure_indexing, write_passages
from ragqa.measure.bench.limits import Gauges
from ragqa.measure.bench.plots import draw, lines, require_drawing, stage_values
from ragqa.measure.bench.processes import Run
from ragqa.measure.bench.report import Report
from ragqa.store.exact import ExactStore
from tests.fakes import WordEmbedder, document, passage


@pytest.fixture
def store(tmp_path: Path) -> ExactStore:
    """Three documents with two passages each."""
    made, embedder = ExactStore(), WordEmbedder()
    for name in "abc":
        path = tmp_path / f"{name}.md"
        path.write_text(f"{name} one\n{name} two\n")
        one = document(path.read_text(), id=path.name, path=path)
        parts = [passage(text, document=path.name, ordinal=n) for n, text in enumerate(("one ", " two"), start=1)]
        made.add(one, parts, embedder.embed_passages([part.text for part in parts]))
    return made


def test_documents_are_copied_until_there_are_enough_passages(store: ExactStore, tmp_path: Path):
    part = copied(store.known().values(), store, tmp_path / "part", enough=3)
    assert [path.read_text() for path in sorted(part.folder.iterdir())] == ["a one\na two\n", "b one\nb two\n"]
    assert part.first.name == "00000.md"
    assert [passage.id for passage in part.all] == ["a.md#1", "a.md#2", "b.md#1", "b.md#2"]


def test_passages_are_written_as_llm_reads_them(store: ExactStore, tmp_path: Path):
    path = write_passages(store.passages_of("a.md"), tmp_path / "passages.jsonl", "passage: ")
    assert path.read_text().splitlines() == [
        '{"id": "a.md#1", "content": "passage: one"}',
        '{"id": "a.md#2", "content": "passage: two"}',
    ]


def told(wall: float) -> Command:
    """A command of which it is known beforehand how many seconds it takes."""
    return Command([str(wall)], {}, Path("/"))


def rows(monkeypatch: pytest.MonkeyPatch, *indexers: tuple[str, Indexer]) -> dict[tuple[str, str], Measurement]:
    monkeypatch.setattr(Command, "run", lambda self: Run(0, float(self.words[0]), 1.0, 500_000_000, ()))
    monkeypatch.setattr(Gauges, "int8", lambda self: 100.0)
    monkeypatch.setattr(Gauges, "float32", lambda self: 10.0)
    texts = Texts(["text"] * 100, [1] * 100)
    cost = Cost(weights=500_000_000, attention=0)  # all texts: 100 G operations
    made = measure_indexing(dict(indexers), texts, cost, Gauges(1), 1, lambda done, total: None)
    return {(row.name, row.beside): row for row in made}


OURS = "ragqa index", Indexer(told(5.0), told(1.0), 100, 20)
THEIRS = "llm embed-multi", Indexer(told(30.0), told(10.0), 100, 20)


def test_indexing_is_held_against_what_it_has_to_multiply(monkeypatch: pytest.MonkeyPatch):
    row = rows(monkeypatch, OURS)["ragqa index, end to end", "at the product peaks"]
    assert (row.samples, row.references, row.ratio) == ([20.0], [100.0], 0.2)


def test_without_starting_only_passages_count_that_a_little_index_has_not(monkeypatch: pytest.MonkeyPatch):
    row = rows(monkeypatch, OURS)["ragqa index, without starting", ""]
    assert row.samples == [80 / 4]


def test_indexing_is_held_against_the_peer_where_there_is_one(monkeypatch: pytest.MonkeyPatch):
    known = rows(monkeypatch, OURS, THEIRS)
    assert known["ragqa index, end to end", "llm embed-multi"].ratio == pytest.approx(6.0)
    assert known["ragqa index, without starting", "llm embed-multi"].ratio == pytest.approx(20 / 4)
    assert known["ragqa index, peak memory", "llm embed-multi"].ratio == 1.0


def test_a_part_knows_its_passages_by_document():
    assert Part(Path("/"), Path("/a"), [[passage("a")], [passage("b"), passage("c")]]).all == [
        passage("a"),
        passage("b"),
        passage("c"),
    ]


GROWING = [
    Measurement("ragqa", "ms", [2.0], "NumPy's exact scan", [20.0], (100_000, "vectors")),
    Measurement("ragqa", "ms", [1.0], "NumPy's exact scan", [2.0], (10_000, "vectors")),
    Measurement("ragqa", "ms", [1.0], "vec0", [9.0], (10_000, "vectors")),
    Measurement("recall@10", "share", [0.97], at=(10_000, "vectors")),
    Measurement("adding", "ms", [5.0]),
]


def test_a_line_goes_through_its_sizes_in_order():
    assert [(line.name, line.sizes, line.values) for line in lines(GROWING, "ms")] == [
        ("ragqa", [10_000, 100_000], [1.0, 2.0]),
        ("NumPy's exact scan", [10_000, 100_000], [2.0, 20.0]),
        ("vec0", [10_000], [9.0]),
    ]


def test_stages_that_took_nothing_are_not_drawn():
    known = [Measurement("stage open", "ms", [4.0]), Measurement("stage prompt", "ms", [0.0]), GROWING[0]]
    assert stage_values(known) == {"open": 4.0}


def test_pictures_are_drawn_of_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))
    stages = [Measurement("stage open", "ms", [4.0]), Measurement("stage load", "ms", [40.0])]
    folder = tmp_path / "new" / "pictures"
    require_drawing(folder)
    assert list(folder.iterdir()) == []  # what tried whether it can be written to is gone
    drawn = draw(Report({}, {"nearest": GROWING, "cold": stages, "limits": GROWING}), folder)
    assert [path.name for path in drawn] == ["nearest.png", "cold.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n") for path in drawn)
    assert draw(Report(), folder) == []


def test_without_matplotlib_the_way_to_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError) as error:
        require_drawing(tmp_path)
    assert "pip install" in error.value.hint
