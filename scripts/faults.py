"""Provokes the faults that ragqa has to stand, and prints what was seen: a line for each row.

A row is a number in a comment `# fault N` beside a test; its tests are run. `ROWS` are those that ragqa stands for: one
of them that no test names is missing, and that is a fault, too. Killing, power cuts and crowds are also
done at length here: 200 kills of a real `ragqa index`, 200 power cuts in each kind of work, eight readers and two
writers for a minute.
"""

from __future__ import annotations

import ast
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from ragqa.document import DocumentRecord
from ragqa.errors import RagqaError
from ragqa.files import sha256_of
from ragqa.settings import load_settings
from ragqa.store.opening import open_index
from tests.conftest import CORPUS, RAGQA
from tests.crowd import crowd
from tests.stores.test_power import WORK, cut

ROOT = Path(__file__).parents[1]
KILLS, CUTS, SECONDS = 200, 200, 60.0
SEED = 50
CHANGED = 12  # files that are given a new line before each kill, so that there is always work
LONGEST = 0.6  # seconds after the first document, after which a run is killed at the latest
PATIENCE = 120.0  # seconds for the first document

ROWS = (*range(1, 34), 38, 47, 48, *range(50, 70))
OK, SKIPPED, FAULT, MISSING = "ok", "skipped", "FAULT", "MISSING"

Seen = tuple[str, str]  # one of the four, and what was seen


def kills(folder: Path) -> Seen:
    """Kill a real `ragqa index` at random moments; nothing in the index may be half there, and nothing may go."""
    chance, documents = random.Random(SEED), folder / "corpus"
    shutil.copytree(CORPUS, documents)
    files = sorted(path for path in documents.rglob("*") if path.suffix in (".md", ".txt"))
    home = folder / "home"
    home.mkdir(mode=0o700)
    models = load_settings(os.environ, ROOT).models
    if not models.is_dir():
        return SKIPPED, f"{models}: no models; `ragqa models prepare` makes them"
    (home / "models").symlink_to(models)
    environ = os.environ | {"RAGQA_HOME": str(home), "RAGQA_WARM": "0", "PYTHONPATH": str(ROOT)}
    killed = stored = partial = lost = 0
    last: dict[str, DocumentRecord] = {}
    for n in range(KILLS):
        for path in chance.sample(files, CHANGED):
            with path.open("a") as file:
                file.write(f"\nThis is line {n}.\n")
        run = subprocess.Popen([RAGQA, "index", str(documents)], env=environ, stdout=-3, stderr=-3)
        _wait_for_a_document(run, home / "index.db")
        time.sleep(chance.uniform(0, LONGEST))
        before = _stored(home / "index.db")
        run.send_signal(signal.SIGKILL)
        killed += run.wait() == -signal.SIGKILL
        after = _stored(home / "index.db")
        stored += after != last
        partial += bool(_faults(home / "index.db"))
        lost += sum(_is_lost(record, after.get(id)) for id, record in before.items())
        last = after
    said = f"{killed} of {KILLS} runs killed, {stored} of them after they had stored something"
    enough = killed > KILLS / 2 and stored > KILLS / 2  # else the machine was too quick for it, and nothing was shown
    return _ok(enough and not partial and not lost), f"{said}: {partial} partial, {lost} documents lost"


def _wait_for_a_document(run: subprocess.Popen[bytes], db: Path) -> None:
    """Until the run has begun to store documents, has ended, or takes too long over it."""
    before, ends = _stored(db), time.monotonic() + PATIENCE
    while run.poll() is None and _stored(db) == before and time.monotonic() < ends:
        time.sleep(0.02)


def _stored(db: Path) -> dict[str, DocumentRecord]:
    """What anybody can see of the documents now."""
    try:
        store = open_index(db)
        found = dict(store.known())
        store.close()
    except RagqaError:
        return {}
    return found


def _is_lost(before: DocumentRecord, after: DocumentRecord | None) -> bool:
    """Whether what could be seen is gone, and nothing newer has come in its place."""
    return after is None or (after.sha256 != before.sha256 and after.sha256 != sha256_of(before.path))


def _faults(db: Path) -> list[str]:
    if not db.exists() or not db.stat().st_size:
        return []  # killed before it was made
    store = open_index(db, writable=True)
    found = list(store.faults())
    store.close()
    return found


def cuts(folder: Path) -> Seen:
    """Cut the power in the midst of indexing, of a reindex's switch and of a migration."""
    outcomes = []
    for work in WORK:
        place = folder / work
        place.mkdir()
        outcomes.append(cut(place, work, CUTS))
    states, damaged, lost = (sum(getattr(one, name) for one in outcomes) for name in ("states", "damaged", "lost"))
    return _ok(not damaged and not lost), f"{states} power cuts: {damaged} damaged, {lost} promises broken"


def together(folder: Path) -> Seen:
    """Eight readers and two writers for a minute."""
    seen = crowd(folder / "index.db", readers=8, writers=2, seconds=SECONDS)
    wrong = len(_faults(folder / "index.db"))
    errors = f"{len(seen.errors)} errors{''.join(f' ({error})' for error in seen.errors[:3])}"
    said = f"{seen.reads} reads, {seen.writes} documents written: {errors}, {seen.mixed} mixed, "
    return _ok(not seen.errors and not seen.mixed and not wrong), said + f"slowest read {seen.slowest_ms:.0f} ms"


def _ok(good: bool) -> str:
    return OK if good else FAULT


AT_LENGTH: dict[int, Callable[[Path], Seen]] = {50: kills, 51: cuts, 65: together}


def marked() -> dict[int, list[str]]:
    """The tests of each row, as pytest calls them."""
    rows: dict[int, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text()
        for row, name in _rows(text):
            rows[row].append(f"{path.relative_to(ROOT)}::{name}")
    return dict(sorted(rows.items()))


def _rows(text: str) -> Iterator[tuple[int, str]]:
    """Each row and the function whose head, or first line, or the line above it, names the row."""
    lines = text.splitlines()
    for one in ast.parse(text).body:
        if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
            first = min([one.lineno, *(decorator.lineno for decorator in one.decorator_list)])
            head = "\n".join(lines[max(first - 2, 0) : one.body[0].lineno])
            for said in re.findall(r"#.*\bfaults? (\d+(?:(?:, | and )\d+)*)", head):
                yield from ((int(number), one.name) for number in re.findall(r"\d+", said))


def run_tests(names: list[str]) -> Seen:
    """Those that are skipped show nothing; where all of them are, it is said why."""
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *dict.fromkeys(names)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    dots = "".join(re.findall(r"^([.sFExX]+)(?: +\[.*)?$", done.stdout, re.MULTILINE))
    said = ", ".join(f"{dots.count(mark)} {what}" for mark, what in _MARKS.items() if mark in dots)
    if done.returncode == 0 and set(dots) == {"s"}:
        reasons = re.findall(r"^SKIPPED \[\d+\] [^:]+(?::\d+)?: (.*)$", done.stdout, re.MULTILINE)
        return SKIPPED, f"tests: {said} ({'; '.join(dict.fromkeys(reasons))})"
    return _ok(done.returncode == 0), f"tests: {said or done.stdout.strip().splitlines()[-1]}"


_MARKS = {".": "passed", "s": "skipped", "F": "failed", "E": "with errors"}


def provoke(row: int, tests: list[str]) -> Seen:
    """Run a row's tests, and what is done of it at length."""
    seen = [run_tests(tests)] if tests else [(MISSING, "no test is marked with it")]
    if row in AT_LENGTH:
        with tempfile.TemporaryDirectory() as folder:
            seen.append(AT_LENGTH[row](Path(folder)))
    worst = next(level for level in (FAULT, MISSING, OK, SKIPPED) if level in {level for level, _said in seen})
    return worst, "; ".join(said for _level, said in seen)


def main(arguments: list[str]) -> int:
    tests = marked()
    rows = sorted({int(argument) for argument in arguments} or {*ROWS, *tests, *AT_LENGTH})
    levels = []
    for row in rows:
        level, said = provoke(row, tests.get(row, []))
        levels.append(level)
        print(f"{row:3} {level:<7} {said}", flush=True)
    return bool({FAULT, MISSING} & set(levels))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
