"""Documents that are given with a question, by name or on standard input, and are in no index."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ragqa.cli.open import open_embedder
from ragqa.cli.options import advise
from ragqa.cli.progress import indexing_progress
from ragqa.errors import BadInput, UsageError
from ragqa.settings import Settings

if TYPE_CHECKING:
    from ragqa.read import Source
    from ragqa.store.sqlite import SQLiteStore

TOLD = "-"  # standard input


def open_given(names: Sequence[str], settings: Settings, say: Callable[[str], None], quiet: bool) -> SQLiteStore:
    """An index in memory that holds these documents and nothing else.

    Args:
        names: Of files, or `-` for standard input.

    Raises:
        UsageError: One cannot be read, or holds no text.
    """
    from ragqa.index import fingerprint, index_sources
    from ragqa.interaction import measure_centre
    from ragqa.store.opening import index_in_memory

    try:
        sources = {name: _read(name, settings.max_file_size, quiet) for name in names}
        embedder = open_embedder(settings, say)
        store = index_in_memory(
            fingerprint=fingerprint(embedder),
            model=embedder.name,
            dim=embedder.dim,
            centre=lambda: measure_centre(embedder),
        )
        with indexing_progress(quiet) as progress:
            index_sources(sources, store=store, embedder=embedder, progress=progress)
    except BadInput as error:
        hint = "a pipe is asked with `… | ragqa ask QUESTION --with -`" if error.reason == "not a regular file" else ""
        raise UsageError(error.message, hint) from error
    return store


def _read(name: str, max_size: int, quiet: bool) -> Source:
    from ragqa.read import read_source, read_stream

    if name == TOLD:
        if sys.stdin.isatty():
            advise("reading what you type; Ctrl-D on a line of its own ends it", quiet)
        return read_stream(sys.stdin.buffer, max_size)
    return read_source(Path(os.path.realpath(Path(name).expanduser())), max_size)
