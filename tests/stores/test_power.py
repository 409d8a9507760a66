"""What a power cut leaves: an index that is whole, with everything in it of which it was said that it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ragqa.errors import RagqaError
from ragqa.store.opening import create_index, open_index
from ragqa.store.switch import open_beside, place_beside, switch
from tests.fakes import document, passage, placed
from tests.power import Event, Recorder, recorded, states
from tests.stores.test_sqlite import made, unit
from tests.test_migrate import make_old

STATES = 60  # of each kind of work; scripts/faults takes more
SEED = 51


@dataclass(slots=True)
class Outcome:
    """What was found after the cuts: how many indexes, how many of them damaged, how many promises broken."""

    states: int = 0
    damaged: int = 0
    lost: int = 0


def version(n: int) -> tuple[str, list[str]]:
    """Id of a document, and its passages, each of which says which version it is."""
    return f"n/{n % 4}.md", [f"version {n} part {part} " + "word " * 150 for part in range(3)]


def index_some(path: Path, recorder: Recorder) -> None:
    """Documents come, are replaced and go; the log is often written back, so that cuts fall there too."""
    store = made(path)
    store._db.wal_autocheckpoint(12)
    for n in range(10):
        id, texts = version(n)
        if n == 7:
            recorder.done(f"{id} -1")  # from now on it may be gone
            store.remove(id)
        parts = placed([passage(text, document=id, ordinal=i) for i, text in enumerate(texts, start=1)])
        store.add(document("".join(texts), id=id), parts, unit(3))
        recorder.done(f"{id} {n}")
    store.close()


def newest(told: list[str]) -> dict[str, int]:
    """The version of each document that somebody was told is stored; -1 of one that may be gone."""
    return {id: int(n) for id, n in (line.split() for line in told)}


def indexed_whole(path: Path, told: list[str], outcome: Outcome) -> None:
    promised = newest(told)
    if not promised and not (path.exists() and path.stat().st_size):
        return
    store = create_index(path, fingerprint="f", model="words", dim=4)
    outcome.damaged += bool(list(store.faults()))
    found = {}
    for id in store.known():
        numbers = {passage.text.split()[1] for passage in store.passages_of(id)}
        outcome.damaged += len(numbers) != 1
        found[id] = int(min(numbers))
    outcome.lost += sum(found.get(id, -1) < n for id, n in promised.items())
    store.close()


def two_indexes(path: Path) -> None:
    store = made(path)
    store.add(document("old words", id="n/a.md"), [passage("old words", document="n/a.md")], unit(1))
    store.close()
    new = open_beside(path, fingerprint="g", model="others", dim=4)
    new.add(document("new words", id="n/a.md"), [passage("new words", document="n/a.md")], unit(1))
    new.close()


def switched(path: Path, recorder: Recorder) -> None:
    switch(place_beside(path), path)
    recorder.done("new")


def switched_whole(path: Path, told: list[str], outcome: Outcome) -> None:
    store = open_index(path, writable=True)
    found = store.text_of("n/a.md").split()[0]
    outcome.damaged += bool(list(store.faults())) or store.fingerprint != {"old": "f", "new": "g"}[found]
    outcome.lost += told == ["new"] and found != "new"
    store.close()


def migrated(path: Path, recorder: Recorder) -> None:
    open_index(path, writable=True).close()
    recorder.done("migrated")


def migrated_whole(path: Path, told: list[str], outcome: Outcome) -> None:
    store = open_index(path, writable=True)
    outcome.damaged += bool(list(store.faults()))
    outcome.lost += len(store.known()) != 3
    store.close()


Work = tuple[Callable[[Path], None], Callable[[Path, Recorder], None], Callable[[Path, list[str], Outcome], None]]
WORK: dict[str, Work] = {
    "index": (lambda path: None, index_some, indexed_whole),
    "reindex": (two_indexes, switched, switched_whole),
    "migration": (make_old, migrated, migrated_whole),
}


def cut(folder: Path, work: str, count: int, seed: int = SEED) -> Outcome:
    """Do some work once, and look at what `count` power cuts in the midst of it would have left."""
    prepare, do, look = WORK[work]
    path = folder / "once" / "index.db"
    path.parent.mkdir()
    prepare(path)
    before = {file.name: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}
    events: list[Event] = recorded(lambda recorder: do(path, recorder))
    outcome = Outcome()
    for n, (files, told) in enumerate(states(events, before, count, seed)):
        place = folder / str(n)
        place.mkdir()
        for name, content in files.items():
            (place / name).write_bytes(content)
        outcome.states += 1
        try:
            look(place / "index.db", told, outcome)
        except RagqaError:  # it does not even open
            outcome.damaged += 1
        for file in place.iterdir():
            file.unlink()
    return outcome


@pytest.mark.parametrize("work", WORK)
def test_a_power_cut_damages_nothing_and_takes_nothing_that_was_said_to_be_done(tmp_path: Path, work: str):  # fault 51
    assert cut(tmp_path, work, STATES) == Outcome(STATES)


def test_without_syncs_a_cut_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The proof is worth something: an index that does not sync loses what it promised."""
    usual = made

    def careless(path: Path):
        store = usual(path)
        store._db.pragma("synchronous", "off")
        return store

    monkeypatch.setattr("tests.stores.test_power.made", careless)
    outcome = cut(tmp_path, "index", STATES)
    assert outcome.damaged or outcome.lost
