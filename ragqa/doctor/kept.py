"""What is kept of the user's: index, history, configuration; whether it is whole, and whether others can read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from shlex import quote

from ragqa.doctor import Finding, Subject
from ragqa.errors import IndexLocked, NoIndex, RagqaError
from ragqa.files import exposure, network_file_system
from ragqa.lock import silent
from ragqa.manifest import MANIFEST

SHOWN = 3  # faults of an index that are named one by one
PATIENCE_MS = 500


def index(subject: Subject) -> Iterator[Finding]:
    """Whether all its tables agree, and whether the models here can read it."""
    from ragqa.store.opening import open_index

    path = subject.settings.db
    try:
        store = open_index(path, patience_ms=PATIENCE_MS)
    except NoIndex:
        yield Finding("note", "index", f"{path}: none yet", "ragqa index FOLDER")
        return
    except IndexLocked as error:
        yield Finding("note", "index", error.message, error.hint)
        return
    except RagqaError as error:
        yield Finding("fault", "index", error.message, error.hint)
        return
    try:
        subject.progress("checking the index", 0.0)
        wrong, counts = list(store.faults()), store.counts()
        if wrong:
            more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
            said = f"{path}: {'; '.join(wrong[:SHOWN])}{more}"
            yield Finding("fault", "index", said, "ragqa check --repair")
        else:
            yield Finding("ok", "index", f"{counts['documents']} documents, {counts['passages']} passages, all agree")
        yield from _model_of(subject, store.model, store.fingerprint)
    except RagqaError as error:
        yield Finding("fault", "index", error.message, error.hint)
    finally:
        store.close()


def _model_of(subject: Subject, name: str, made_with: str) -> Iterator[Finding]:
    """Whether the index can be asked with the embedder that is in use."""
    from ragqa.cli.open import open_embedder
    from ragqa.index import fingerprint

    wanted = subject.settings.embed_model
    if wanted and wanted != name:
        said = f"made with {name}, but {wanted} is set"
        yield Finding("fault", "index model", said, f"ragqa reindex, or ragqa models default {name}")
    elif not (subject.settings.models / name / MANIFEST).is_file():
        yield Finding("fault", "index model", f"made with {name}, which is not ready", _ready(name))
    elif fingerprint(open_embedder(replace(subject.settings, embed_model=name), silent)) != made_with:
        said = f"made with another {name} than the one that is here: their vectors cannot be compared"
        yield Finding("fault", "index model", said, "ragqa reindex")
    else:
        yield Finding("ok", "index model", f"made with {name}, which is here")


def _ready(name: str) -> str:
    from ragqa.catalogue import MODELS

    model = MODELS.get(name)
    if model is None:
        return f"ragqa models add FILE --name {name}"
    return "ragqa models prepare" if model.wheel else f"ragqa models pull {name}"


def history(subject: Subject) -> Iterator[Finding]:
    """Whether SQLite finds the file of past questions whole; it need not be there."""
    from ragqa.history import open_history

    path = subject.settings.logs
    if not path.is_file():
        return
    try:
        kept = open_history(path, writable=False)
        try:
            wrong = kept.fault()
        finally:
            kept.close()
    except RagqaError as error:
        wrong = error.message
    if wrong:
        yield Finding("fault", "history", wrong, f"mv {quote(str(path))} {quote(str(path))}.damaged")
    else:
        yield Finding("ok", "history", f"{path.stat().st_size / 1e6:,.1f} MB, whole")


def privacy(subject: Subject) -> Iterator[Finding]:
    """Whether nobody else can read the text of the documents, and whether a network is in between."""
    settings = subject.settings
    files = [*settings.home.glob("*.db*"), *settings.db.parent.glob(f"{settings.db.name}*")]
    loose = [(path, said) for path in (settings.home, *files) if (said := exposure(path))]
    for path, said in loose:
        yield Finding("note", "privacy", f"{path}: {said}", f"chmod {700 if path.is_dir() else 600} {quote(str(path))}")
    if not loose and settings.home.exists():
        yield Finding("ok", "privacy", "only you can read index and history")
    if system := network_file_system(settings.db):
        said = f"{settings.db.parent} is on {system}, over a network, where two writers can damage an index"
        yield Finding("note", "file system", said, "keep it on a disk of this machine: set RAGQA_HOME")
