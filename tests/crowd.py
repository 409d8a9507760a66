"""Many processes at one index: every document says in each of its passages which version it is."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from ragqa.errors import RagqaError
from ragqa.lock import writing_alone
from ragqa.store.opening import create_index, open_index
from tests.fakes import document, passage, placed
from tests.stores.test_sqlite import unit

ROOT = Path(__file__).parents[1]
DOCUMENTS = 12
PARTS = 3


@dataclass(slots=True)
class Seen:
    """What one process, or all of them, saw.

    Attributes:
        mixed: Reads in which passages of one document were of two versions, or not all there.
        slowest_ms: Of all reads.
    """

    reads: int = 0
    writes: int = 0
    mixed: int = 0
    slowest_ms: float = 0.0
    errors: list[str] = field(default_factory=list)


def write(path: Path, more: Callable[[], bool], seen: Seen) -> None:
    """Replace documents by newer versions, as one run after the other, each under the lock of writers."""
    while more():
        with writing_alone(path, "writing versions", patience=60):
            store = create_index(path, fingerprint="f", model="words", dim=4)
            for _ in range(DOCUMENTS):
                n = seen.writes % DOCUMENTS
                texts = [f"version {time.monotonic_ns()} " + "word " * 50] * PARTS
                parts = [passage(text, document=f"n/{n}.md", ordinal=i) for i, text in enumerate(texts, start=1)]
                store.add(document("".join(texts), id=f"n/{n}.md"), placed(parts), unit(PARTS))
                seen.writes += 1
            store.close()


def read(path: Path, more: Callable[[], bool], seen: Seen) -> None:
    """Search as questions do, opening the index anew now and then."""
    while more():
        store = open_index(path)
        for _ in range(20):
            began = time.perf_counter()
            hits = store.search(unit(1)[0], 1000)
            words = store.match(["version"], 1000)
            seen.slowest_ms = max(seen.slowest_ms, (time.perf_counter() - began) * 1000)
            seen.mixed += sum(_is_mixed([hit.passage.text for hit in found]) for found in (hits, words))
            seen.reads += 2
        store.close()


def for_seconds(seconds: float) -> Callable[[], bool]:
    """True the first time it is asked, however busy the machine is, and until so many seconds are over."""
    ends = time.monotonic() + seconds
    answers = chain([True], iter(lambda: time.monotonic() < ends, None))
    return lambda: next(answers)


def _is_mixed(texts: list[str]) -> bool:
    versions = [text.split()[1] for text in texts]
    return any(versions.count(version) != PARTS for version in set(versions))


def crowd(path: Path, readers: int, writers: int, seconds: float) -> Seen:
    """Have processes read and write one index together; returns what all of them saw."""
    first = Seen()
    write(path, for_seconds(0), first)
    jobs = ["read"] * readers + ["write"] * writers
    command = [sys.executable, "-m", "tests.crowd"]
    processes = [
        subprocess.Popen([*command, job, str(path), str(seconds)], cwd=ROOT, stdout=subprocess.PIPE) for job in jobs
    ]
    total = Seen()
    for process in processes:
        out, _err = process.communicate(timeout=seconds + 120)
        one = Seen(**json.loads(out)) if out else Seen(errors=[f"exit code {process.returncode}"])
        total.reads += one.reads
        total.writes += one.writes
        total.mixed += one.mixed
        total.errors += one.errors
        total.slowest_ms = max(total.slowest_ms, one.slowest_ms)
    return total


def main(job: str, path: str, seconds: str) -> None:
    seen = Seen()
    try:
        {"read": read, "write": write}[job](Path(path), for_seconds(float(seconds)), seen)
    except RagqaError as error:
        seen.errors.append(error.message)
    print(json.dumps({name: getattr(seen, name) for name in Seen.__slots__}))


if __name__ == "__main__":
    main(*sys.argv[1:])
