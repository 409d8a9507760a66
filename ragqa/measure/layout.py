"""A dataset's documents as files in a folder, so that they are indexed as anybody's files are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ragqa.files import readable
from ragqa.store import VectorStore

_SUFFIXES = (".md", ".markdown", ".txt", ".text")
_STRANGE = re.compile(r"[^\w. ()-]+|^\.+")
MAX_NAME = 60  # characters; in any script fewer bytes than file systems allow


def lay_out(documents: Mapping[str, str], folder: Path) -> dict[Path, str]:
    """Write each document into a file of its own, and nothing else stays in the folder.

    A file that already says the same is left alone, so that an index of it stays up to date.

    Returns:
        Each file, absolute and without links → the document's id.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    places = {folder / _name(id, number): id for number, id in enumerate(documents, start=1)}
    for path in [path for path in folder.rglob("*") if path.is_file() and path not in places]:
        path.unlink()
    for path, id in places.items():
        content = documents[id].encode("utf-8", "replace")
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return places


def _name(id: str, number: int) -> str:
    """The id where it is a plain file name; else what can be kept of it, and a number."""
    suffix = Path(id).suffix if Path(id).suffix in _SUFFIXES else ".txt"
    parts = [_STRANGE.sub("_", part) for part in id.split("/")]
    if "/".join(parts) == id and id.endswith(suffix) and all(0 < len(part) <= MAX_NAME for part in parts):
        return id
    return f"{'_'.join(parts).removesuffix(suffix)[:MAX_NAME]}-{number}{suffix}"


def keep_only(store: VectorStore, places: Mapping[Path, str], distractors: Sequence[Path]) -> dict[str, str]:
    """Remove from an index all that is neither laid out nor a distractor, left by an earlier run.

    Returns:
        The id of each document in the index → its id in the dataset, distractors left out.
    """
    names = {}
    for id, record in store.known().items():
        if record.path in places:
            names[id] = places[record.path]
        elif not any(record.path.is_relative_to(root) for root in distractors):
            store.remove(id)
    return names


def distractor(id: str) -> str:
    """What a document is called that is not the dataset's."""
    return f"(distractor) {readable(Path(id))}"
