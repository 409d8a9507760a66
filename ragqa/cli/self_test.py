"""`ragqa eval --auto`: the index in use, asked about itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ragqa.cli.open import load, open_embedder_of, open_to_read, open_writing
from ragqa.cli.options import speaker
from ragqa.cli.progress import counting_progress
from ragqa.cli.render import path_from_here
from ragqa.cli.where import documents_filter
from ragqa.errors import UsageError
from ragqa.settings import Settings

if TYPE_CHECKING:
    from ragqa.measure.evaluate import Asking, Run

QUESTIONS = 100


@contextmanager
def asking_of_itself(
    settings: Settings,
    limit: int | None,
    seed: int,
    collections: Sequence[str],
    where: Sequence[str],
    quotes: bool,
    quiet: bool,
) -> Iterator[tuple[Run, Asking]]:
    """Draw questions from a copy of the index and ask it; hiding documents needs writing, and the index is in use.

    Args:
        collections: Draw from these only; all documents are searched.
        where: Draw from what fulfils this, and search nothing else.

    Raises:
        UsageError: There is no such collection, or no question can be drawn.
    """
    from ragqa.measure.drawn import ask_about_itself, self_test
    from ragqa.measure.evaluate import Asking
    from ragqa.store.opening import open_index

    say = speaker(quiet)
    with tempfile.TemporaryDirectory(prefix="ragqa-eval-") as folder:
        open_to_read(settings).copy(Path(folder) / "index.db")
        store = open_index(Path(folder) / "index.db", writable=True)
        drawn, seen = documents_filter(store, collections, where), documents_filter(store, [], where)
        records, chosen = store.known(seen), list(store.known(drawn))
        test = self_test(store, chosen, limit or QUESTIONS, seed)
        if not test.sentences and not test.headings:
            raise UsageError(f"{path_from_here(settings.db)}: no sentence to make a question of", "index more text")
        writing = None if quotes else open_writing(settings, None, say)
        embedder = open_embedder_of(store, settings, say)
        load(embedder, writing, lasting=True)
        names = {id: id for id in records}
        asking = Asking(embedder, store, writing, settings.passages, settings.quotes, settings.min_support, names, seen)
        with counting_progress("asking", quiet) as progress:
            run = ask_about_itself(test, asking, progress)
        yield run, asking
        store.close()
