"""Looking after the index as a whole: check, backup, reindex."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragqa.cli.alone import alone
from ragqa.cli.as_json import mended_json, reindexed_json
from ragqa.cli.calibrate import calibrate_if_due
from ragqa.cli.open import open_embedder, open_embedder_of
from ragqa.cli.options import Db, EmbedModel, Options, Quiet, advise, here, settle, speaker
from ragqa.cli.progress import counting_progress, indexing_progress
from ragqa.cli.render import path_from_here, print_json, reindexed_line, shown
from ragqa.cli.stopping import going_on
from ragqa.errors import IndexDamaged, ModelError, NotWritable, UnknownIndex, UsageError
from ragqa.settings import itself

if TYPE_CHECKING:
    from ragqa.embed import Embedder
    from ragqa.index.mend import Mended
    from ragqa.index.summary import Summary
    from ragqa.settings import Settings
    from ragqa.store.salvage import Wreck
    from ragqa.store.sqlite import SQLiteStore

SKIPPED = 3
SAMPLE = 8  # passages that `check` embeds anew
WORDS_COUNTED = "the index cannot be written here, so whether its words agree was not checked"

Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ragqa check --repair")(check)
    app.command(epilog="Example: ragqa backup ~/index-$(date +%F).db")(backup)
    app.command(epilog="Example: ragqa reindex --embed-model e5-base")(reindex)


def check(
    repair: Annotated[bool, typer.Option("--repair", help="Make it anew from what is sound in it.")] = False,
    sample: Annotated[int, typer.Option(min=0, help="Embed so many passages anew and compare.")] = SAMPLE,
    as_json: Json = False,
    db: Db = None,
    option: Options = None,
    quiet: Quiet = False,
) -> int:
    """Compare all tables and checksums of the index with each other; exit 13 when something is wrong."""
    settings = settle(db=db, options=option)
    faults, counts, notes = _examined(settings, sample, quiet)
    if faults and repair:
        with alone(settings, quiet):
            faults, counts, notes = _examined(settings, sample, quiet)  # again, now that nobody writes
            if faults:
                return _repair(settings, sample, as_json, quiet)
    if as_json:
        print_json({"ok": not faults, "faults": faults, "counts": counts, "notes": notes})
    else:
        for fault in faults:
            print(shown(fault))
        if not faults:
            print(f"ok: {counts['documents']} documents, {counts['passages']} passages, all tables agree")
    for note in notes:
        advise(note, quiet)
    if faults:
        raise IndexDamaged(
            f"{path_from_here(settings.db)}: {len(faults)} fault{'s' * (len(faults) != 1)}",
            "`ragqa check --repair` makes it anew from what is sound in it",
        )
    return 0


def _examined(settings: Settings, sample: int, quiet: bool) -> tuple[list[str], dict[str, int], list[str]]:
    """What is wrong with the index, how many rows it has, and what could not be looked at."""
    from ragqa.store.salvage import log_kept_elsewhere

    if log := log_kept_elsewhere(settings.db):
        return [f"a repair was broken off, and what was stored last is in {path_from_here(log)}"], {}, []
    try:
        store = _opened(settings, quiet)
    except UnknownIndex:  # nothing that could be repaired
        raise
    except IndexDamaged as error:
        return [error.message], {}, []
    try:
        faults, notes = list(store.faults()), [WORDS_COUNTED] if store.read_only else []
        if not faults:
            faults, untried = _tried(store, settings, sample, quiet)
            notes += untried
        return faults, store.counts(), notes
    except IndexDamaged as error:
        return [error.message], {}, []
    finally:
        store.close()


def _opened(settings: Settings, quiet: bool) -> SQLiteStore:
    """The index for writing, as FTS5 asks for it to check; for reading where nothing can be written."""
    from ragqa.store.opening import open_index

    try:
        return open_index(settings.db, writable=True, say=speaker(quiet))
    except NotWritable:
        return open_index(settings.db, say=speaker(quiet))


def _tried(store: SQLiteStore, settings: Settings, sample: int, quiet: bool) -> tuple[list[str], list[str]]:
    """Embed some passages anew, every day others; returns what differs, and why it could not be done."""
    from ragqa.index.trial import strange_vectors

    if not sample or not store.count_documents():
        return [], []
    try:
        embedder = open_embedder_of(store, replace(settings, embed_model=""), speaker(quiet))
    except (ModelError, UsageError) as error:
        return [], [f"no passage was embedded anew: {error.message}"]
    return list(strange_vectors(store, embedder, sample, seed=date.today().toordinal())), []


def _repair(settings: Settings, sample: int, as_json: bool, quiet: bool) -> int:
    """Make the index anew from what is sound in it, and keep the damaged one. Nobody else writes meanwhile."""
    from ragqa.store.salvage import opened_wreck
    from ragqa.store.switch import put_in_place, remember

    with opened_wreck(settings.db) as wreck:
        new, mended = _mended(wreck, settings, sample, quiet, trusting=True)
        remember(new, mended.documents, wreck.refused(), wreck.about)
        damaged = put_in_place(new, settings.db)
    if as_json:
        print_json(mended_json(mended, damaged))
    else:
        _print_mended(mended, damaged)
    return SKIPPED if mended.lost else 0


def _mended(wreck: Wreck, settings: Settings, sample: int, quiet: bool, *, trusting: bool) -> tuple[Path, Mended]:
    """A new index of what is sound, and what became of each document.

    Args:
        trusting: Take over vectors that agree with their checksums; where some of them turn out to be strange, none.
    """
    from ragqa.index.mend import mend
    from ragqa.store.switch import open_anew

    new = open_anew(settings.db, wreck.about)

    def opened() -> Embedder:
        return open_embedder_of(new, replace(settings, embed_model=""), speaker(quiet))

    with counting_progress("repairing", quiet) as progress:
        mended = mend(wreck.documents(), new, open_embedder=opened, trusting=trusting, progress=progress)
    strange, _untried = _tried(new, settings, sample if trusting else 0, quiet)
    new.close()
    return _mended(wreck, settings, sample, quiet, trusting=False) if strange else (new.path, mended)


def _print_mended(mended: Mended, damaged: Path) -> None:
    for lost in mended.lost:
        print(f"lost: {shown(lost.id)}: {shown(lost.reason)}")
    print(
        f"repaired: {len(mended.documents)} documents kept, {len(mended.lost)} lost,"
        f" {mended.embedded} passages embedded anew; the damaged index is {path_from_here(damaged)}"
    )


def backup(
    file: Annotated[Path, typer.Argument(help="Where to.", metavar="FILE")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    db: Db = None,
    option: Options = None,
    quiet: Quiet = False,
) -> None:
    """Copy the index as it is now into a file, also while it is written."""
    from ragqa.store.opening import open_index

    settings = settle(db=db, options=option)
    target = itself(here() / file.expanduser())
    store = open_index(settings.db, say=speaker(quiet))
    if target.exists():
        if not target.is_file():
            raise UsageError(f"{file}: not a file", "name the file that the copy is to be, such as index.bak.db")
        if target.samefile(settings.db):
            raise UsageError(f"{file}: the index itself")
        if not force:
            raise UsageError(f"{path_from_here(target)}: is there already", "`--force` replaces it")
    store.back_up(target)
    store.close()
    print(f"{path_from_here(target)}: {target.stat().st_size:,} bytes")


def reindex(
    embed_model: EmbedModel = None,
    as_json: Json = False,
    db: Db = None,
    option: Options = None,
    quiet: Quiet = False,
) -> int:
    """Embed all documents anew from their stored text; until it is done, the old index answers.

    Without --embed-model, and where none is set, the model stays the one that made the index.
    """
    from ragqa.index import fingerprint
    from ragqa.index.summary import Summary
    from ragqa.store.opening import open_index
    from ragqa.store.switch import place_beside, remove

    settings = settle(db=db, embed_model=embed_model, options=option)
    summary = Summary()

    def done() -> str:
        return f"{summary.indexed + summary.unchanged} documents are done, the old index answers"

    with going_on(done), alone(settings, quiet):
        store = open_index(settings.db, say=speaker(quiet))
        before = store.model
        embedder = open_embedder(replace(settings, embed_model=settings.embed_model or before), speaker(quiet))
        if store.fingerprint == fingerprint(embedder):
            remove(place_beside(settings.db))  # of another model, begun and given up
        else:
            _make_anew(store, embedder, settings, summary, quiet)
    if as_json:
        print_json(reindexed_json(summary, before, embedder.name))
    else:
        print(reindexed_line(summary, before, embedder.name))
    return SKIPPED if summary.skipped else 0


def _make_anew(store: SQLiteStore, embedder: Embedder, settings: Settings, summary: Summary, quiet: bool) -> None:
    from ragqa.index import fingerprint
    from ragqa.index.again import reindex
    from ragqa.interaction import measure_centre
    from ragqa.store.switch import open_beside, switch

    target = open_beside(
        settings.db,
        fingerprint=fingerprint(embedder),
        model=embedder.name,
        dim=embedder.dim,
        centre=lambda: measure_centre(embedder),
    )
    with indexing_progress(quiet) as progress:
        reindex(store, target, embedder=embedder, summary=summary, progress=progress)
    if summary.skipped and not target.count_documents():
        raise ModelError(f"{embedder.name} makes no vectors that can be used; the index is as it was")
    summary.notes += calibrate_if_due(target, embedder, settings.passages, quiet)
    store.close()
    target.close()
    switch(target.path, settings.db)
