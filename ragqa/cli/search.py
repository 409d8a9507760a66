"""`ragqa search` and `ragqa similar`: passages instead of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ragqa.cli import complete
from ragqa.cli.as_json import hit_json
from ragqa.cli.open import open_embedder_of, open_to_read
from ragqa.cli.options import Collections, Db, EmbedModel, Number, Options, Quiet, settle, speaker, warn_if_exposed
from ragqa.cli.passages import print_hits
from ragqa.cli.render import print_csv, print_json, print_lines
from ragqa.cli.where import Where, documents_filter
from ragqa.document import RECORD_TYPE
from ragqa.errors import UsageError
from ragqa.types import JSON, Filter, Hit

if TYPE_CHECKING:
    from ragqa.store.sqlite import SQLiteStore
    from ragqa.types import Vector

NOTHING_FOUND = 4
DEFAULT_NUMBER = 10


Collection = Annotated[
    str,
    typer.Argument(help="The collection to search; all of them without it.", autocompletion=complete.collections),
]


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ragqa search 'bridge after the flood' -n 5 --nl | jq .path")(search)
    app.command(epilog="Example: ragqa similar notes -c 'query: how do I rotate logs' -n 3")(similar)


def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    number: Number = DEFAULT_NUMBER,
    collection: Collections = None,
    where: Where = None,
    nl: Annotated[bool, typer.Option("--nl", help="One JSON line a passage.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show the parts of each score.")] = False,
    db: Db = None,
    embed_model: EmbedModel = None,
    option: Options = None,
    quiet: Quiet = False,
) -> int:
    """Find passages, best first: by meaning and by words."""
    from ragqa.answer import require_question
    from ragqa.retrieve import retrieve

    if sum((nl, as_json, as_csv)) > 1:
        raise UsageError("--nl, --json and --csv exclude each other")
    settings = settle(db=db, embed_model=embed_model, options=option)
    store = open_to_read(settings)
    warn_if_exposed(settings.db, quiet)
    seen = documents_filter(store, collection or [], where or [])
    embedder = open_embedder_of(store, settings, speaker(quiet))
    query = require_question(query, embedder)
    hits = retrieve(query, embedder=embedder, store=store, k=number or DEFAULT_NUMBER, where=seen).hits
    rows = [hit_json(hit, rank) for rank, hit in enumerate(hits, start=1)]
    if nl:
        print_lines(rows)
    elif as_json:
        print_json(rows)
    elif as_csv:
        print_csv([row | {"place": hit.passage.place_label} for row, hit in zip(rows, hits, strict=True)])
    else:
        print_hits(hits, explain=explain)
    return 0 if hits else NOTHING_FOUND


def similar(
    collection: Collection = "",
    id: Annotated[str, typer.Argument(help="A passage or document, by its id.")] = "",
    content: Annotated[str, typer.Option("-c", "--content", help="Text to compare with.")] = "",
    number: Number = DEFAULT_NUMBER,
    where: Where = None,
    db: Db = None,
    embed_model: EmbedModel = None,
    option: Options = None,
    quiet: Quiet = False,
) -> int:
    """Print the passages nearest to a text or a passage, as `llm similar` does."""
    from ragqa.answer import require_question
    from ragqa.embed import QUERY_PREFIX

    if bool(id) == bool(content):
        raise UsageError("either an ID or -c TEXT is wanted")
    settings = settle(db=db, embed_model=embed_model, options=option)
    store = open_to_read(settings)
    warn_if_exposed(settings.db, quiet)
    seen = documents_filter(store, [collection] if collection else [], where or [])
    embedder = open_embedder_of(store, settings, speaker(quiet))
    k = number or DEFAULT_NUMBER
    if content:
        # Scripts written for llm bring the prefix along; the embedder puts it there itself.
        vector = embedder.embed_query(require_question(content.removeprefix(QUERY_PREFIX), embedder))
        hits = store.search(vector, k, seen)
    else:
        hits = _neighbours(store, _meant(store, collection, id), k, seen)
    print_lines(_as_llm(store, hit) for hit in hits)
    return 0 if hits else NOTHING_FOUND


def _as_llm(store: SQLiteStore, hit: Hit) -> JSON:
    """The fields of llm. A record that is one passage keeps its id: there was no other in llm either."""
    values = {name: hit_json(hit, 0)[name] for name in ("id", "score", "content", "metadata")}
    own = store.record(hit.passage.document_id)
    return values | {"id": own.id} if own and own.type == RECORD_TYPE and own.passages == 1 else values


def _meant(store: SQLiteStore, collection: str, id: str) -> str:
    """The document or passage: of records with the same id, the one of the collection."""
    own = store.record(f"{collection}/{id}") if collection else None
    return own.id if own and own.type == RECORD_TYPE and own.collection == collection else id


def _neighbours(store: SQLiteStore, id: str, k: int, where: Filter | None) -> list[Hit]:
    """The passages nearest to one that is stored, itself and its document left out."""
    vector: Vector | None = store.vector_of(id)
    if vector is None:
        raise UsageError(f"no passage or document {id!r}", "`ragqa ls` lists documents; passages are ID#1, ID#2, …")
    document = id.rsplit("#", 1)[0] if store.record(id) is None else id
    own = store.record(document)
    hits = store.search(vector, k + (own.passages if own else 1), where)
    return [hit for hit in hits if hit.passage.id != id and hit.passage.document_id != document][:k]
