"""The search for the nearest vectors: exact where that is cheap, nearly exact beyond, whole after any accident."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import apsw
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragqa.store import nearest
from ragqa.store.nearest import Nearest
from ragqa.store.opening import create_index, open_index, scratch
from ragqa.store.sketch import GROUP
from ragqa.types import Filter, Matrix, Vector
from tests.fakes import document, passage, placed
from tests.stores.test_sketch import crowded

ROOT = Path(__file__).parents[2]
DIM = 64


@pytest.fixture
def near(tmp_path: Path) -> Iterator[Nearest]:
    """Tables that are searched by sketches from the first vector on."""
    with scratch(tmp_path / "vectors.db", DIM, exact=0) as opened:
        yield opened


def add(near: Nearest, vectors: Matrix, collection: str = "default", first: int = 1) -> list[int]:
    keys = list(range(first, first + len(vectors)))
    with near.db:
        near.add(keys, vectors, collection)
    return keys


def remove(near: Nearest, keys: Sequence[int]) -> None:
    with near.db:
        near.remove(keys)


def sizes(near: Nearest) -> list[tuple[str, int]]:
    return near.db.execute("SELECT collection, size FROM sketches ORDER BY key").fetchall()


def exact_keys(vectors: Matrix, question: Vector, k: int) -> list[int]:
    """Keys from 1 on, by NumPy."""
    return (1 + np.argsort(-(vectors.astype(np.float64) @ question), kind="stable")[:k]).tolist()


def found(near: Nearest, question: Vector, k: int, *collections: str) -> list[int]:
    return [key for key, _cosine in near.search(question, k, Filter(collections))]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(1, 3 * GROUP), dim=st.sampled_from([2, 8, 12, 100]), k=st.integers(1, 30), seed=st.integers(0, 99)
)
def test_any_set_no_larger_than_the_candidates_is_searched_exactly(
    tmp_path_factory: pytest.TempPathFactory, rows: int, dim: int, k: int, seed: int
):
    vectors, question = crowded(rows, dim, seed), crowded(1, dim, seed + 100)[0]
    with scratch(tmp_path_factory.mktemp("any") / "v.db", dim, exact=0) as near:
        add(near, vectors)
        hits = near.search(question, k)
    cosines = vectors.astype(np.float64) @ question
    assert [cosine for _key, cosine in hits] == pytest.approx(np.sort(cosines)[::-1][:k], abs=2e-6)
    assert [cosine for _key, cosine in hits] == pytest.approx([cosines[key - 1] for key, _cosine in hits], abs=2e-6)
    assert len({key for key, _cosine in hits}) == min(k, rows)


def test_recall_among_crowded_vectors_is_nearly_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(nearest, "CANDIDATES", 100)  # one in a hundred
    vectors, questions = crowded(10_000, 384), crowded(20, 384, seed=9)
    assert 0.65 < (vectors[:200] @ vectors[:200].T).min() < 0.75  # the crowd that a sketch has to see through
    with scratch(tmp_path / "v.db", 384, exact=0) as near:
        add(near, vectors)
        shares = [len({*found(near, one, 10)} & {*exact_keys(vectors, one, 10)}) / 10 for one in questions]
    assert np.mean(shares) >= 0.99


def test_a_collection_of_one_in_a_hundred_is_found_whole(near: Nearest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(nearest, "CANDIDATES", 100)
    monkeypatch.setattr(nearest, "CANDIDATES_EACH", 1)
    question = crowded(1, DIM, seed=9)[0]
    ranked = crowded(10_000, DIM)
    ranked = ranked[np.argsort(ranked @ question)]
    few = ranked[:100]  # those farthest from the question
    add(near, few, "few")
    add(near, ranked[100:], "many", first=101)
    assert found(near, question, 100, "few") == exact_keys(few, question, 100)
    assert found(near, question, 10, "few", "none") == exact_keys(few, question, 10)
    assert not {*found(near, question, 10, "many")} & {*range(1, 101)}
    assert found(near, question, 10, "none") == []


def test_a_filter_holds_before_the_most_promising_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(nearest, "CANDIDATES", 100)
    monkeypatch.setattr(nearest, "CANDIDATES_EACH", 1)
    question = crowded(1, DIM, seed=9)[0]
    ranked = crowded(3000, DIM)
    ranked = ranked[np.argsort(ranked @ question)]  # those farthest from the question come first
    store = create_index(tmp_path / "index.db", fingerprint="f", model="words", dim=DIM, exact=0)
    for first in range(0, 3000, 60):
        id, tags = f"n/{first}.md", ("far",) if first == 0 else ()
        passages = [passage("x", document=id, ordinal=n) for n in range(1, 61)]
        store.add(replace(document("x", id=id), tags=tags), passages, ranked[first : first + 60])
    for where in (Filter(tags=("far",)), Filter(paths=("n/0.md",))):
        hits = store.search(question, 50, where)
        assert {hit.passage.document_id for hit in hits} == {"n/0.md"}
        assert [hit.passage.ordinal for hit in hits] == exact_keys(ranked[:60], question, 50)
    store.close()


def test_a_search_that_may_see_few_compares_each(tmp_path: Path):
    vectors, question = crowded(50, DIM), crowded(1, DIM, seed=9)[0]
    with scratch(tmp_path / "v.db", DIM, exact=40) as near:
        add(near, vectors[:30], "a")
        add(near, vectors[30:], "b", first=31)
        near.db.execute("UPDATE sketches SET mean = x''")  # whoever reads the sketches fails
        assert found(near, question, 9, "a") == exact_keys(vectors[:30], question, 9)
        with pytest.raises(ValueError, match="broadcast"):
            near.search(question, 9)
        remove(near, list(range(31, 41)))
        assert set(found(near, question, 40)) == {*range(1, 31), *range(41, 51)}


@pytest.mark.parametrize("k", [1, 49, 50, 51, 4096, 100_000])
def test_more_can_be_asked_for_than_there_are(near: Nearest, k: int):
    vectors, question = crowded(50, DIM), crowded(1, DIM, seed=9)[0]
    assert near.search(question, k) == []
    add(near, vectors)
    assert found(near, question, k) == exact_keys(vectors, question, k)


def test_groups_are_filled_and_hold_one_collection_each(near: Nearest):
    add(near, crowded(GROUP + 3, DIM), "a")
    add(near, crowded(2, DIM), "b", first=1001)
    add(near, crowded(GROUP, DIM), "a", first=2001)
    assert sizes(near) == [("a", GROUP), ("a", GROUP), ("b", 2), ("a", 3)]
    assert near.count() == 2 * GROUP + 5
    assert near.count(Filter(("b", "c"))) == 2


def test_room_that_removed_vectors_left_is_used_again(near: Nearest):
    add(near, crowded(2 * GROUP, DIM))
    remove(near, list(range(1, 11)))
    add(near, crowded(10, DIM), first=5001)
    assert sizes(near) == [("default", GROUP)] * 2
    assert list(near.faults()) == []


def test_what_was_removed_is_not_found_and_an_empty_group_goes(near: Nearest):
    vectors = crowded(40, DIM)
    add(near, vectors[:20])
    add(near, vectors[20:], "b", first=21)
    remove(near, [*range(21, 41), 3, 999])
    assert set(found(near, vectors[2], 40)) == {*range(1, 21)} - {3}
    assert sizes(near) == [("default", 19)]
    assert list(near.faults()) == []


def test_growing_and_shrinking_leaves_sketches_as_if_made_at_once(near: Nearest, tmp_path: Path):
    vectors, random = crowded(300, DIM), np.random.default_rng(1)
    for first in range(0, 300, 7):
        add(near, vectors[first : first + 7], first=first + 1)
        remove(near, [int(key) for key in random.integers(1, first + 8, 3)])
    (kept,) = near.db.execute("SELECT passages FROM sketches").fetchall()[0]
    keys = np.frombuffer(kept, "<i8")
    with scratch(tmp_path / "again.db", DIM) as again:
        again.db.execute("BEGIN")
        again.add(keys.tolist(), vectors[keys - 1], "default")
        again.db.execute("COMMIT")
        compared = "SELECT passages, mean, steps, weights, bits FROM sketches"
        assert near.db.execute(compared).fetchall() == again.db.execute(compared).fetchall()


def test_one_flipped_bit_is_found(near: Nearest):
    add(near, crowded(20, DIM))
    (bits,) = near.db.execute("SELECT bits FROM sketches").fetchall()[0]
    flipped = bytearray(bits)
    flipped[8 * (20 + 13)] ^= 4  # a low bit of the fourteenth
    near.db.execute("UPDATE sketches SET bits = ?", (bytes(flipped),))
    assert list(near.faults()) == [(14, "its sketch is not that of its vector")]


@pytest.mark.parametrize("column", ["passages", "mean", "steps", "weights", "bits"])
def test_a_group_in_which_something_is_missing_is_found(near: Nearest, column: str):
    add(near, crowded(3, DIM))
    near.db.execute(f"UPDATE sketches SET {column} = substr({column}, 2)")
    assert list(near.faults()) == [(key, "not in sketches") for key in (1, 2, 3)]


def test_a_sketch_that_belongs_to_no_vector_is_found(near: Nearest):
    add(near, crowded(3, DIM))
    near.db.execute("DELETE FROM vectors WHERE passage = 2")
    assert list(near.faults()) == [(2, "its sketch is of no vector")]


def test_a_search_sees_one_moment_while_another_process_writes(near: Nearest, tmp_path: Path):
    vectors, question = crowded(600, DIM), crowded(1, DIM, seed=9)[0]
    add(near, vectors[:550])
    reader = Nearest(apsw.Connection(str(tmp_path / "vectors.db")), DIM, exact=0)
    before = found(near, question, 20)
    compare = near._compare

    def write_and_compare(*arguments: object) -> list[tuple[int, float]]:
        other = Nearest(reader.db, DIM, exact=0)
        with reader.db:
            other.remove(before[:10])
            other.add(range(551, 601), vectors[550:], "default")
        return compare(*arguments)  # type: ignore[arg-type]

    near._compare = write_and_compare  # type: ignore[method-assign]
    assert found(near, question, 20) == before
    near._compare = compare  # type: ignore[method-assign]
    assert not {*found(near, question, 20)} & {*before[:10]}
    reader.db.close()


def test_the_sketch_of_a_forgotten_passage_leaves_no_byte(tmp_path: Path):
    path = tmp_path / "index.db"
    store = create_index(path, fingerprint="f", model="words", dim=DIM, exact=0)
    kept, secret = crowded(1, DIM), crowded(30, DIM, seed=3)
    store.add(document("kept", id="n/a.md"), [passage("kept", document="n/a.md")], kept)
    texts = placed([passage("secret", document="n/b.md", ordinal=n) for n in range(1, 31)])
    store.add(document("secret", id="n/b.md"), texts, secret)
    (bits,) = store._db.execute("SELECT bits FROM sketches").fetchall()[0]
    traces = [secret[4].tobytes(), bits[8:248], bits[256:496]]
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert all(trace in path.read_bytes() for trace in traces)
    store.remove("n/b.md")
    store.erase()
    assert not any(trace in file.read_bytes() for file in path.parent.iterdir() for trace in traces)
    store.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from ragqa.store.opening import create_index
from tests.fakes import document, passage, placed
from tests.stores.test_sketch import crowded
def several(id, count):
    return document(id, id=id), placed([passage(id, document=id, ordinal=n) for n in range(1, count + 1)])
store = create_index(Path(sys.argv[1]), fingerprint="f", model="words", dim=64, exact=0)
store.add(*several("n/a.md", 300), crowded(300, 64))
write, at = store._nearest._write, int(sys.argv[2])
def write_and_die(*arguments):
    global at
    write(*arguments)
    at -= 1
    if not at:
        store._db.cache_flush()
        os.kill(os.getpid(), signal.SIGKILL)
store._nearest._write = write_and_die
store.add(*several("n/b.md", 700), crowded(700, 64))
store.remove("n/a.md")
"""


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_writer_killed_while_sketches_are_made_anew_leaves_a_whole_index(tmp_path: Path, at: int):
    """The first two times while a document is added, the third while one is removed."""
    path = tmp_path / "index.db"
    died = subprocess.run([sys.executable, "-c", KILLED, path, str(at)], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    store = open_index(path, writable=True)
    assert list(store.faults()) == []
    assert store.counts()["sketches"] == (300 if at < 3 else 1000)
    store.remove("n/a.md")
    assert list(store.faults()) == []
    store.close()
