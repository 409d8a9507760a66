"""The program that indexes as somebody who may not read everything: `python -m tests.index.unprivileged FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from ragqa.store.opening import create_index
from tests.index.updating import update


def main(folder: Path) -> None:
    store = create_index(folder / "index.db", fingerprint="f", model="words", dim=64)
    notes = folder / "n"
    print(update(store, notes).indexed, "indexed")
    (notes / "a.md").chmod(0)
    (notes / "closed").chmod(0)
    told(store, notes)
    for record in store.known().values():
        print(f"{record.id}: {record.stale}: {store.text_of(record.id)}")
    told(store, notes / "a.md", notes / "b.md", notes / "closed" / "c.md")
    (notes / "a.md").chmod(0o600)
    (notes / "closed").chmod(0o700)
    told(store, notes)


def told(store, *paths: Path) -> None:  # type: ignore[no-untyped-def]
    summary = update(store, *paths)
    reasons = ", ".join(f"{reason}×{count}" for reason, count in summary.reasons.items())
    print(f"{summary.unchanged} unchanged, {summary.stale} stale: {reasons}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
