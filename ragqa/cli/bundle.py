"""`ragqa bundle` and `ragqa unbundle`: to a machine without a network, in one file."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragqa.catalogue import DEFAULTS
from ragqa.cli.options import Db, Quiet, advise, settle, speaker
from ragqa.cli.progress import counting_progress
from ragqa.cli.render import print_json, print_table, shown
from ragqa.errors import UsageError
from ragqa.settings import Settings

if TYPE_CHECKING:
    from ragqa.bundle import Contents
    from ragqa.bundle.pack import Sources
    from ragqa.bundle.unpack import Places
    from ragqa.manifest import Manifest, WeightsFile

File = Annotated[Path, typer.Argument(help="The bundle.")]
Json = Annotated[bool, typer.Option("--json", help="With --list: one JSON document.")]


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ragqa bundle notes.ragqa --wheels wheels")(bundle)
    app.command(epilog="Example: ragqa unbundle notes.ragqa")(unbundle)


def bundle(
    file: File,
    with_history: Annotated[bool, typer.Option("--with-history", help="Also past questions and answers.")] = False,
    with_config: Annotated[bool, typer.Option("--with-config", help="Also config.toml and your prompts.")] = False,
    wheels: Annotated[Path | None, typer.Option(help="Also the wheels in this folder.")] = None,
    listing: Annotated[bool, typer.Option("--list", help="Say what is in a bundle; write nothing.")] = False,
    as_json: Json = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    db: Db = None,
    quiet: Quiet = False,
) -> None:
    """Pack the models in use and the index into one file, for a machine without a network."""
    if listing:
        _print_contents(file, as_json)
        return
    from ragqa.bundle import pack

    settings = settle(db=db)
    _require_place(file, force)
    with tempfile.TemporaryDirectory(prefix="ragqa-bundle-") as folder:
        scratch = Path(folder)
        sources, told = _models_of(settings, scratch, quiet)
        sources |= pack.index_source(settings.db, scratch) if settings.db.is_file() else {}
        sources |= pack.history_source(settings.logs, scratch) if with_history else {}
        sources |= pack.settings_sources(settings.config, settings.prompts) if with_config else {}
        sources |= pack.wheel_sources(wheels) if wheels else {}
        with counting_progress("packing", quiet) as progress:
            contents = pack.pack(file.absolute(), sources, told, progress)
    print(shown(f"{file}: {_described(contents)}"))
    advise(f"on the other machine: `ragqa unbundle {file.name}`", quiet)


def _require_place(file: Path, force: bool) -> None:
    """Refuse what is there already; --force is for files alone, not for a folder or a device."""
    if os.path.lexists(file) and not file.is_file():
        raise UsageError(f"{file}: is there already, and is no regular file", "name a new file for the bundle")
    if file.exists() and not force:
        raise UsageError(f"{file}: is there already", "--force replaces it")


def _models_of(settings: Settings, scratch: Path, quiet: bool) -> tuple[Sources, dict[str, WeightsFile]]:
    """Those that a question wants: the index's embedder, and the Llama."""
    from ragqa.bundle.pack import model_sources
    from ragqa.models import ready

    sources: Sources = {}
    told: dict[str, WeightsFile] = {}
    for name in (_embedder_of(settings), settings.model or DEFAULTS["generate"]):
        manifest: Manifest = ready(settings.models, name, speaker(quiet))
        files, sums = model_sources(manifest, scratch)
        sources |= files
        told |= sums
    return sources, told


def _embedder_of(settings: Settings) -> str:
    from ragqa.store.opening import open_index

    if not settings.db.is_file():
        return settings.embed_model or DEFAULTS["embed"]
    store = open_index(settings.db)
    name = store.model
    store.close()
    return name


def unbundle(
    file: File,
    home: Annotated[Path | None, typer.Option(help="Set it up in this folder, in place of the usual one.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an index and models that are there.")] = False,
    quiet: Quiet = False,
) -> None:
    """Check a bundle, and set up what it holds; all of it or nothing."""
    from ragqa.bundle.unpack import unpack

    places = _places(home)
    with counting_progress("checking", quiet) as progress:
        placed = unpack(file, places, force=force, progress=progress)
    for path in placed.set_up:
        print(shown(str(path)))
    for name in placed.kept:
        advise(f"{name} is here already, the same to the byte", quiet)
    advise(f"set up: {_described(placed.contents)}", quiet)


def _places(home: Path | None) -> Places:
    """Where a bundle goes: the usual places, or those below a folder that RAGQA_HOME shall name."""
    from ragqa.bundle.unpack import Places

    settings = settle()
    if home:
        there = home.expanduser().absolute()
        settings = replace(settings, home=there, config=there / "config.toml", db=there / "index.db")
    wheels = settings.home / "wheels"
    return Places(settings.models, settings.db, settings.logs, settings.config, settings.prompts, wheels)


def _print_contents(file: Path, as_json: bool) -> None:
    from ragqa.bundle.unpack import list_bundle

    contents = list_bundle(file)
    if as_json:
        print_json(asdict(contents))
        return
    print_table(("member", "bytes", "sha256"), [(one.path, one.size, one.sha256) for one in contents.members])
    advise(f"{_described(contents)}; made by ragqa {contents.ragqa} on {contents.system}, {contents.made}", quiet=False)


def _described(contents: Contents) -> str:
    from ragqa.bundle import CONFIG, HISTORY, INDEX, WHEELS

    held = {member.path for member in contents.members}
    parts = [", ".join(contents.models), "the index" if INDEX in held else "no index"]
    parts += [name for path, name in ((HISTORY, "history"), (CONFIG, "config.toml")) if path in held]
    wheels = len(contents.below(WHEELS))
    parts += [f"{wheels} wheels"] if wheels else []
    return f"{', '.join(parts)}; {contents.size / 1e6:,.0f} MB"
