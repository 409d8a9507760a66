"""Bringing a small index up to date, and what a run says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ragqa.index import update_index
from ragqa.index.run import Run
from ragqa.index.summary import Summary
from ragqa.store import IndexStore
from ragqa.store.sqlite import SQLiteStore
from ragqa.walk import Wanted
from tests.fakes import WordEmbedder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def update(store: IndexStore, *paths: Path, embedder: WordEmbedder | None = None, **options: Any) -> Summary:
    """Bring the index up to date; options are those of a run, and of what is wanted."""
    summary = Summary()
    progress = options.pop("progress", lambda *counts: None)
    choice = {name: options.pop(name) for name in list(options) if name in Wanted.__slots__}
    run = Run(**({"max_file_size": 10_000} | options), wanted=Wanted(**choice))
    update_index(paths, store=store, embedder=embedder or WordEmbedder(), summary=summary, run=run, progress=progress)
    return summary


def did(summary: Summary) -> dict[str, int]:
    counts = {name: getattr(summary, name) for name in ("indexed", "unchanged", "moved", "removed")}
    counts["skipped"] = len(summary.skipped)
    return {name: count for name, count in counts.items() if count}


def ids(store: SQLiteStore) -> list[str]:
    return list(store.known())
