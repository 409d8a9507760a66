"""The models: there, ready, and whole to the last byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ragqa.catalogue import DEFAULTS, MODELS
from ragqa.doctor import Finding, Subject
from ragqa.errors import ModelError
from ragqa.manifest import MANIFEST, read_manifest, remedy, verify
from ragqa.models import wheel_file


def models(subject: Subject) -> Iterator[Finding]:
    """Those in use, and all others that are ready."""
    settings = subject.settings
    used = (settings.embed_model or DEFAULTS["embed"], settings.model or DEFAULTS["generate"])
    ready = sorted(path.parent.name for path in settings.models.glob(f"[!.]*/{MANIFEST}"))
    for number, name in enumerate(names := list(dict.fromkeys([*used, *ready]))):
        subject.progress(f"hashing {name}", number / len(names))
        yield _model(settings.models, name)


def _model(folder: Path, name: str) -> Finding:
    about = f"model {name}"
    if not (folder / name / MANIFEST).is_file():
        return _not_ready(about, name)
    try:
        manifest = read_manifest(folder / name)
        wrong = verify(manifest)
    except ModelError as error:
        return Finding("fault", about, error.message, error.hint)
    except OSError as error:
        return Finding("fault", about, f"{error.filename}: {error.strerror}", "give yourself the right to read it")
    if wrong:
        return Finding("fault", about, "; ".join(wrong), remedy(manifest))
    return Finding("ok", about, f"{manifest.size / 1e6:,.0f} MB, every sha256 as it should be")


def _not_ready(about: str, name: str) -> Finding:
    model = MODELS.get(name)
    if model is None:
        return Finding("fault", about, "not known", "`ragqa models add FILE`, or `ragqa models default NAME`")
    if not model.wheel:
        return Finding("fault", about, "not on this machine", f"ragqa models pull {name}")
    try:
        wheel_file(model)
    except ModelError as error:
        return Finding("fault", about, error.message, error.hint)
    return Finding("note", about, "installed, not yet prepared; the first question does it", "ragqa models prepare")
