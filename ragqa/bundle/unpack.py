"""Unpacking: one file → a home, all of it checked before any of it can be seen."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from ragqa.bundle import (
    CONFIG,
    CONTENTS,
    CONTENTS_LIMIT,
    HISTORY,
    INDEX,
    MODELS,
    PROMPTS,
    WHEELS,
    Contents,
    Member,
    read,
)
from ragqa.database import BESIDE, closed_to_others
from ragqa.errors import IndexDamaged, ModelError, NotWritable, RagqaError, UsageError
from ragqa.files import clear_left_behind, private_folder, unfinished
from ragqa.manifest import MANIFEST, Manifest, read_manifest

Progress = Callable[[int, int], None]
BLOCK = 1 << 20
COMPANIONS = ("", *BESIDE)  # of an SQLite file, which go with it


@dataclass(frozen=True, slots=True)
class Places:
    """Where things go."""

    models: Path
    db: Path
    logs: Path
    config: Path
    prompts: Path
    wheels: Path


@dataclass(frozen=True, slots=True)
class Placed:
    """What was set up, and which models were here already, the same to the byte."""

    contents: Contents
    set_up: tuple[Path, ...]
    kept: tuple[str, ...]


def list_bundle(path: Path) -> Contents:
    """What a bundle holds, from its first member alone."""
    with _opened(path) as tar:
        return _contents(tar, path)


def unpack(path: Path, places: Places, *, force: bool, progress: Progress) -> Placed:
    """Set up what a bundle holds. If anything is wrong with it, nothing is changed.

    Args:
        force: Replace an index, a model, a history or settings that are there.

    Raises:
        ModelError: A model in it is damaged.
        IndexDamaged: The index or the bundle itself is damaged, or newer than this program.
        UsageError: There is something in the place of what it holds.
    """
    with _opened(path) as tar:
        contents = _contents(tar, path)
        targets = _targets(contents, places)
        if not force:
            _refuse_existing(contents, targets, places)
        private_folder(places.models.parent)
        _require_space(contents, places.models.parent)
        with _staging(places.models.parent) as stage:
            _extract(tar, contents, stage, path, progress)
            for name in contents.models:
                _check_manifest(stage / MODELS / name, contents)
            kept = [name for name in contents.models if _is_same(stage / MODELS / name, places.models / name)]
            moves = {stage / part: target for part, target in targets.items() if part not in _paths(kept)}
            _place(moves, stage)
    return Placed(contents, tuple(moves.values()), tuple(kept))


def _paths(models: Sequence[str]) -> set[str]:
    return {f"{MODELS}/{name}" for name in models}


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        if not path.is_file():
            raise UsageError(f"{path}: no such file")
        with tarfile.open(path, "r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError) as error:
        raise IndexDamaged(f"{path}: not a bundle of ragqa, or damaged: {error}", "copy it again") from error


def _contents(tar: tarfile.TarFile, path: Path) -> Contents:
    first = tar.next()
    if first is None or first.name != CONTENTS or not first.isreg() or first.size > CONTENTS_LIMIT:
        raise IndexDamaged(f"{path}: not a bundle of ragqa: {CONTENTS} is not its first member")
    file = tar.extractfile(first)
    assert file
    return read(file.read(), str(path))


def _targets(contents: Contents, places: Places) -> dict[str, Path]:
    """Where each file or folder that appears as one goes, by its path in the bundle."""
    targets = {f"{MODELS}/{name}": places.models / name for name in contents.models}
    files = {INDEX: places.db, HISTORY: places.logs, CONFIG: places.config}
    targets |= {member.path: files[member.path] for member in contents.members if member.path in files}
    prompts = {member.path: places.prompts / Path(member.path).name for member in contents.below(PROMPTS)}
    return targets | prompts | ({WHEELS: places.wheels} if contents.below(WHEELS) else {})


def _refuse_existing(contents: Contents, targets: dict[str, Path], places: Places) -> None:
    """Models that are the same are no obstacle."""
    same = {f"{MODELS}/{name}" for name in contents.models if _sums(places.models / name) == _listed(contents, name)}
    there = [target for part, target in targets.items() if part not in same and os.path.lexists(target)]
    if there:
        more = f", and {len(there) - 1} more" if len(there) > 1 else ""
        hint = "--force replaces what is there; --home DIR sets it up elsewhere"
        raise UsageError(f"{there[0]}: is there already{more}; nothing was changed", hint)


def _listed(contents: Contents, model: str) -> set[str]:
    return {m.sha256 for m in contents.below(f"{MODELS}/{model}") if not m.path.endswith(f"/{MANIFEST}")}


def _sums(folder: Path) -> set[str]:
    try:
        return {file.sha256 for file in read_manifest(folder).files}
    except ModelError:
        return set()


def _is_same(new: Path, old: Path) -> bool:
    return bool(_sums(old)) and _sums(new) == _sums(old)


def _require_space(contents: Contents, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < contents.size:
        raise NotWritable(f"{folder}: {contents.size / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free")


@contextmanager
def _staging(home: Path) -> Iterator[Path]:
    """A folder on the same file system, so that moving from it is renaming; gone afterwards."""
    clear_left_behind(home, ".unbundling-")
    stage = Path(tempfile.mkdtemp(dir=home, prefix=unfinished(".unbundling-")))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _extract(tar: tarfile.TarFile, contents: Contents, stage: Path, path: Path, progress: Progress) -> None:
    """Write every listed member, and none else, below `stage`."""
    wanted = {member.path: member for member in contents.members}
    done = 0
    while header := tar.next():
        member = wanted.pop(header.name, None)
        if member is None or not header.isreg() or header.issparse() or header.size != member.size:
            raise IndexDamaged(f"{path}: {header.name!r} is not what its list says", "copy it again")
        target = stage / member.path
        private_folder(target.parent)
        source = tar.extractfile(header)
        assert source
        with os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            if _copy(source, file, partial(_tell, progress, done, contents.size)) != member.sha256:
                raise _damaged(path, member)
        done += member.size
    if wanted:
        raise _damaged(path, next(iter(wanted.values())))


def _tell(progress: Progress, done: int, total: int, more: int) -> None:
    progress(done + more, total)


def _copy(source: IO[bytes], target: IO[bytes], tell: Callable[[int], None]) -> str:
    """Copy to the disk; returns the sha256."""
    total, count = hashlib.sha256(), 0
    while part := source.read(BLOCK):
        target.write(part)
        total.update(part)
        count += len(part)
        tell(count)
    target.flush()
    os.fsync(target.fileno())
    return total.hexdigest()


def _damaged(path: Path, member: Member) -> RagqaError:
    kind = ModelError if member.path.startswith(f"{MODELS}/") else IndexDamaged
    return kind(f"{path}: {member.path} is damaged or missing (sha256 mismatch); nothing was changed", "copy it again")


def _check_manifest(folder: Path, contents: Contents) -> None:
    """Refuse a manifest that leads out of its folder, or to what was not checked; give its files their times.

    Raises:
        ModelError: It is one, or there is none.
    """
    manifest = read_manifest(folder)
    sums = {member.path: member.sha256 for member in contents.members}
    for file in manifest.files:
        path = Path(file.path)
        inside = PurePosixPath(MODELS, folder.name, path.relative_to(folder)) if path.is_relative_to(folder) else None
        if sums.get(str(inside)) != file.sha256:
            raise ModelError(f"{folder.name}: its manifest names a file that is not in the bundle: {file.path}")
        os.utime(path, ns=(file.mtime_ns, file.mtime_ns))
    if manifest.name != folder.name or not _is_plain(manifest):
        raise ModelError(f"{folder.name}: its manifest is of another model")


def _is_plain(manifest: Manifest) -> bool:
    """Whether what is read from the manifest are texts and numbers, and its source is no folder of this machine."""
    return bool(manifest.files) and isinstance(manifest.source, str) and manifest.source.startswith("bundle, from ")


def _place(moves: dict[Path, Path], stage: Path) -> None:
    """Rename all, or none: what was there is put aside first, and put back if a rename fails.

    Raises:
        IndexLocked: Another process has an index or a history open that is there.
    """
    with ExitStack() as stack:
        for source, target in moves.items():
            if source.suffix == ".db":
                stack.enter_context(closed_to_others(target))
        _rename_all(moves, stage)


def _rename_all(moves: dict[Path, Path], stage: Path) -> None:
    aside: list[tuple[Path, Path]] = []
    moved: list[tuple[Path, Path]] = []
    try:
        for number, (source, target) in enumerate(moves.items()):
            private_folder(target.parent)
            for ending in COMPANIONS if source.suffix == ".db" else ("",):
                old = target.with_name(target.name + ending)
                if os.path.lexists(old):
                    spare = stage / f"old-{number}{ending}"
                    _move(old, spare)
                    aside.append((spare, old))
            _move(source, target)
            moved.append((source, target))
    except BaseException:
        for source, target in reversed(moved):
            with suppress(OSError):
                _move(target, source)
        for spare, old in reversed(aside):
            with suppress(OSError):
                _move(spare, old)
        raise


def _move(source: Path, target: Path) -> None:
    """Rename; a target on another file system, such as a configuration elsewhere, is copied to."""
    try:
        source.rename(target)
    except OSError:
        if not source.exists():
            raise
        shutil.move(source, target)
