"""Packing: what is here → one file."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import IO

from ragqa.bundle import (
    CONFIG,
    CONTENTS,
    HISTORY,
    INDEX,
    MODELS,
    PROMPTS,
    WHEELS,
    Contents,
    Member,
    contents_of,
    written,
)
from ragqa.errors import ModelError, UsageError
from ragqa.files import new_file, private_file, sha256_of
from ragqa.history import open_history
from ragqa.manifest import MANIFEST, Manifest, WeightsFile, write_manifest
from ragqa.store.opening import open_index

Progress = Callable[[int, int], None]
Sources = dict[str, Path]
"""Where each member of a bundle is read from, by its path in the bundle."""

WEIGHTS = "weights"  # folder, in a model's own, of files that lay elsewhere


def model_sources(manifest: Manifest, scratch: Path) -> tuple[Sources, dict[str, WeightsFile]]:
    """A model's files, wherever they lie, with a manifest in which all lie in the model's own folder.

    Returns:
        The sources, and what the manifest says of each.
    """
    outside = [Path(file.path) for file in manifest.files if not Path(file.path).is_relative_to(manifest.folder)]
    above = Path(os.path.commonpath([path.parent for path in outside])) if outside else manifest.folder
    sources: Sources = {}
    told: dict[str, WeightsFile] = {}
    files = []
    for file in manifest.files:
        path = Path(file.path)
        if path.is_relative_to(manifest.folder):
            inside = path.relative_to(manifest.folder)
        else:
            inside = Path(WEIGHTS, path.relative_to(above))
        member = f"{MODELS}/{manifest.name}/{inside.as_posix()}"
        sources[member], told[member] = path, file
        files.append(replace(file, path=inside.as_posix()))
    folder = scratch / manifest.name
    folder.mkdir()
    write_manifest(replace(manifest, files=tuple(files), folder=folder, source=f"bundle, from {manifest.source}"))
    sources[f"{MODELS}/{manifest.name}/{MANIFEST}"] = folder / MANIFEST
    return sources, told


def index_source(db: Path, scratch: Path) -> Sources:
    """A copy of the index as it is now, with what is still in its log."""
    copy = private_file(scratch / INDEX)
    with closing(open_index(db)) as store:
        store.copy(copy)
    return {INDEX: copy}


def history_source(logs: Path, scratch: Path) -> Sources:
    """The same of past questions; nothing where none are kept."""
    if not logs.is_file():
        return {}
    copy = private_file(scratch / HISTORY)
    with closing(open_history(logs, writable=False)) as history:
        history.copy(copy)
    return {HISTORY: copy}


def settings_sources(config: Path, prompts: Path) -> Sources:
    """The user's configuration and prompt templates."""
    found = {CONFIG: config} if config.is_file() else {}
    return found | {f"{PROMPTS}/{path.name}": path for path in sorted(prompts.glob("[!.]*.txt")) if path.is_file()}


def wheel_sources(folder: Path) -> Sources:
    """Raises UsageError: there are none."""
    wheels = {f"{WHEELS}/{path.name}": path for path in sorted(folder.glob("*.whl")) if path.is_file()}
    if not wheels:
        raise UsageError(f"{folder}: no wheels in it", "`pip download -d DIR -c constraints.txt .` fetches them")
    return wheels


def pack(target: Path, sources: Sources, told: dict[str, WeightsFile], progress: Progress) -> Contents:
    """Write a bundle beside its place and rename it when it is whole; whatever stops that leaves nothing behind.

    Args:
        told: Sizes and sums that are known already; they are checked as the files are read.
        progress: Called with bytes written and bytes in all.

    Raises:
        ModelError: A model's file is not what its manifest says.
        NotWritable: There is no room for it, or it may not be written there.
    """
    members = [_member(path, source, told.get(path)) for path, source in sources.items()]
    contents = contents_of(members)
    with new_file(target) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        listed = written(contents)
        tar.addfile(_header(CONTENTS, len(listed)), io.BytesIO(listed))
        done = 0
        for member in members:
            done = _add(tar, member, sources[member.path], done, contents.size, progress)
    return contents


def _member(path: str, source: Path, told: WeightsFile | None) -> Member:
    if told:
        return Member(path, told.size, told.sha256)
    return Member(path, source.stat().st_size, sha256_of(source))


def _add(tar: tarfile.TarFile, member: Member, source: Path, done: int, total: int, progress: Progress) -> int:
    """Copy one file; returns how many bytes there are by then."""
    try:
        with source.open("rb") as file:
            if os.fstat(file.fileno()).st_size != member.size:
                raise _changed(source)
            read = _Summing(file, lambda more: progress(done + more, total))
            tar.addfile(_header(member.path, member.size), read)
    except FileNotFoundError as error:
        raise _changed(source) from error
    if read.sum.hexdigest() != member.sha256:
        raise _changed(source)
    return done + member.size


def _changed(source: Path) -> ModelError:
    return ModelError(f"{source}: gone, or not what it was when it was hashed", "run `ragqa models verify`")


class _Summing:
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes], tell: Callable[[int], None]) -> None:
        self.file, self.tell = file, tell
        self.sum, self.count = hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        try:
            part = self.file.read(size)
        except OSError as error:
            error.filename = self.file.name  # else it would seem to be of the bundle
            raise
        self.sum.update(part)
        self.count += len(part)
        self.tell(self.count)
        return part


def _header(path: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(path)
    header.size, header.mode = size, 0o600
    return header
