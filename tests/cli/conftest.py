"""The door of all commands, without a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ragqa.cli.app import _run
from ragqa.index import Summary, fingerprint, update_index
from ragqa.index.run import Run
from ragqa.store.opening import create_index
from tests.conftest import BREAD, LIGHTHOUSE, Done, Ragqa
from tests.fakes import WordEmbedder

SECRET = "periwinkle-7391"


@pytest.fixture
def quick(ragqa: Ragqa, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """The same door as `ragqa`, where there are many small cases."""
    monkeypatch.chdir(ragqa.cwd)
    for name in [name for name in os.environ if name.startswith("RAGQA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAGQA_HOME", str(ragqa.home))

    def run(*arguments: str) -> Done:
        return Done(_run(arguments), *capsys.readouterr())

    return run


def index(ragqa: Ragqa, *paths: Path, collection: str = "default") -> None:
    embedder = WordEmbedder()
    store = create_index(ragqa.db, fingerprint=fingerprint(embedder), model=embedder.name, dim=embedder.dim)
    summary = Summary()
    update_index(paths, store=store, embedder=embedder, summary=summary, run=Run(collection=collection))
    store.close()


@pytest.fixture
def shelf(ragqa: Ragqa) -> Ragqa:
    """Three documents in two collections."""
    ragqa.write("notes/light.md", f"# The light\n\n{LIGHTHOUSE}")
    ragqa.write("notes/secret.md", f"The word for the door is {SECRET}.\n" * 200)
    ragqa.write("kitchen/bread.md", BREAD)
    index(ragqa, ragqa.cwd / "notes", collection="notes")
    index(ragqa, ragqa.cwd / "kitchen", collection="kitchen")
    return ragqa
