"""All that a machine without a network needs, in one file: models, index, and if wished history, settings and wheels.

A bundle is a tar archive without compression: gzip at its quickest made the default one a quarter smaller and took 16
seconds on one core where copying took one. Its first member lists all others with their sizes and sha256; so nothing
else is taken from it, nothing expands, and whatever was damaged on the way is found before anything is set up. The
list is not signed: a bundle is trusted as far as whoever gave it.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import distributions

import ragqa
from ragqa.errors import IndexDamaged
from ragqa.store.schema import SCHEMA_VERSION

FORM = 1
CONTENTS = "bundle.json"
CONTENTS_LIMIT = 16_000_000  # bytes
MODELS, INDEX, HISTORY, CONFIG, PROMPTS, WHEELS = "models", "index.db", "logs.db", "config.toml", "prompts", "wheels"
FOLDERS, FILES = (MODELS, PROMPTS, WHEELS), (INDEX, HISTORY, CONFIG)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a bundle: its path there, with `/` between folders."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a bundle says of itself.

    Attributes:
        packages: Version of each distribution that was installed where it was made.
        schema: Of the index.
    """

    members: tuple[Member, ...]
    form: int
    ragqa: str
    schema: int
    made: str
    system: str
    python: str
    packages: dict[str, str]

    @property
    def size(self) -> int:
        return sum(member.size for member in self.members)

    def below(self, folder: str) -> list[Member]:
        return [member for member in self.members if member.path.startswith(f"{folder}/")]

    @property
    def models(self) -> list[str]:
        return sorted({member.path.split("/")[1] for member in self.below(MODELS)})


def contents_of(members: Iterable[Member]) -> Contents:
    """Of a bundle that is made here and now."""
    return Contents(
        tuple(members),
        FORM,
        ragqa.__version__,
        SCHEMA_VERSION,
        datetime.now(UTC).isoformat(timespec="seconds"),
        f"{platform.system()} {platform.machine()}",
        platform.python_version(),
        dict(sorted((_normal(one.metadata["Name"]), one.version) for one in distributions() if one.metadata["Name"])),
    )


def _normal(name: str) -> str:
    """A distribution's name as package indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def written(contents: Contents) -> bytes:
    return json.dumps(asdict(contents), indent=1).encode()


def read(text: bytes, name: str) -> Contents:
    """Raises IndexDamaged: no list of a bundle, or of a newer form, or one that names what no bundle may hold."""
    try:
        values = json.loads(text)
        form, schema = int(values["form"]), int(values["schema"])
        members = tuple(Member(str(m["path"]), int(m["size"]), str(m["sha256"])) for m in values.pop("members"))
        contents = Contents(members, **values)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise IndexDamaged(f"{name}: not a bundle of ragqa, or damaged: {error}", "copy it again") from error
    if form > FORM or (schema > SCHEMA_VERSION and any(member.path == INDEX for member in members)):
        raise IndexDamaged(f"{name}: made by ragqa {contents.ragqa}, newer than this one", "upgrade ragqa")
    wrong = [member.path for member in members if not _is_allowed(member)]
    paths = {member.path for member in members}
    if wrong or len(paths) < len(members):
        raise IndexDamaged(
            f"{name}: holds what no bundle may hold: {(wrong or ['a path twice'])[0]!r}", "do not use it"
        )
    return contents


def _is_allowed(member: Member) -> bool:
    """A plain path to where bundles keep things; no way out of the folder it is unpacked to."""
    parts = member.path.split("/")
    plain = all(part and not part.startswith(".") and "\0" not in part and os.sep not in part for part in parts)
    known = (len(parts) == 1 and parts[0] in FILES) or (len(parts) > 1 and parts[0] in FOLDERS)
    model = parts[0] != MODELS or len(parts) > 2
    return plain and known and model and member.size >= 0 and len(member.path) < 1000
