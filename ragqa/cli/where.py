"""`-c` and `--where` → the filter that a command searches with, checked before anything slow is opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ragqa.cli import complete
from ragqa.cli.options import here
from ragqa.errors import NothingFound, UsageError
from ragqa.types import Filter

if TYPE_CHECKING:
    from ragqa.store import VectorStore

OFFERED = 20  # tags that an error names

Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        help="Only documents of this path or pattern, or tag:X, type:pdf, after:2024-01-31, before:2024; may be given"
        " again.",
        autocompletion=complete.terms,
    ),
]


def documents_filter(store: VectorStore, collections: Sequence[str], where: Sequence[str] = ()) -> Filter | None:
    """A filter for the documents of these collections that fulfil what `--where` says; None for all there are.

    Raises:
        UsageError: The index has no such collection, or what is said makes no sense.
        NothingFound: No document fulfils it.
    """
    for name in collections:
        if not store.count_documents(Filter((name,))):
            known = sorted({record.collection for record in store.known().values()})
            raise UsageError(f"no collection {name!r}", f"there are: {', '.join(known) or 'none'}")
    if not where:
        return Filter(tuple(collections)) if collections else None
    from ragqa.where import parse_where

    made = parse_where(where, collections=collections, here=here())
    if made.narrows and not store.count_documents(made):
        raise NothingFound(f"no document fulfils {' '.join(where)}", _what_there_is(store, collections, where))
    return made


def _what_there_is(store: VectorStore, collections: Sequence[str], where: Sequence[str]) -> str:
    """How many fulfil each of several terms; of a single tag or type, which there are."""
    from ragqa.where import parse_where

    if len(where) > 1:
        counts = {one: store.count_documents(parse_where([one], collections=collections, here=here())) for one in where}
        return "alone: " + ", ".join(f"{one} {count}" for one, count in counts.items())
    records = store.known(Filter(tuple(collections))).values()
    kinds = {"tag": (tag for one in records for tag in one.tags), "type": (one.type for one in records)}
    kind = where[0].partition(":")[0]
    if kind not in kinds:
        return "`ragqa ls` lists documents with their types, tags and dates"
    common = [name for name, _count in Counter(kinds[kind]).most_common(OFFERED)]
    return f"there are: {', '.join(common)}" if common else f"no document has a {kind}"
