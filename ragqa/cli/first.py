"""`ragqa` alone: what there is, and what to do next."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from shlex import quote

from ragqa.catalogue import DEFAULTS, MODELS
from ragqa.cli.options import settle
from ragqa.cli.render import path_from_here, shown
from ragqa.errors import ModelError, NoIndex, RagqaError
from ragqa.manifest import MANIFEST
from ragqa.models import wheel_file
from ragqa.settings import Settings

PATIENCE_MS = 200
TRIED = {
    "ask": ("ragqa 'What is this about?'", "an answer with citations"),
    "chat": ("ragqa chat", "questions that follow each other"),
    "search": ("ragqa search WORDS", "passages, best first"),
}


def print_next_step(commands: Collection[str]) -> None:
    """A handful of lines, in no time: nothing is loaded.

    Args:
        commands: Those that there are.
    """
    settings = settle()
    lines = [*_models(settings), *_index(settings, commands)]
    print(shown("\n".join(["ragqa answers questions from your own documents, offline.", *lines])))
    print(f"{'  ragqa --help':<32}all commands")


def _models(settings: Settings) -> Iterator[str]:
    """What the two models in use still want."""
    wanted: dict[str, list[str]] = {}
    for name in (settings.embed_model or DEFAULTS["embed"], settings.model or DEFAULTS["generate"]):
        if not (settings.models / name / MANIFEST).is_file():
            wanted.setdefault(_way_to(name), []).append(name)
    for command, names in wanted.items():
        yield f"Not ready yet: {' and '.join(names)}."
        yield _line(command, "or the first use does it" if "prepare" in command else "to have it")


def _way_to(name: str) -> str:
    """The command that makes a model ready."""
    model = MODELS.get(name)
    if model is None:
        return f"ragqa models add FILE --name {quote(name)}"
    if not model.wheel:
        return f"ragqa models pull {name}"
    try:
        wheel_file(model)
    except ModelError as error:
        return error.hint
    return "ragqa models prepare"


def _index(settings: Settings, commands: Collection[str]) -> Iterator[str]:
    """How much there is to ask, or what is wrong with it."""
    from ragqa.prompt import shipped
    from ragqa.store.opening import open_index

    try:
        store = open_index(settings.db, patience_ms=PATIENCE_MS)
        count, last = store.extent()
        store.close()
    except NoIndex:
        count, last = 0, ""
    except RagqaError as error:
        yield f"{error.message}; {error.hint}"
        yield _line("ragqa doctor", "what is wrong, and what mends it")
        return
    if not count:
        yield "No documents yet:"
        yield _line("ragqa index ~/notes", "a folder of Markdown and plain text")
        yield _line(f"ragqa index {quote(path_from_here(shipped('corpus')))}", "the sample library")
        return
    yield f"{count:,} document{'s' * (count != 1)}, last indexed {last[:16].replace('T', ' ')} UTC:"
    yield from (_line(*TRIED[name]) for name in TRIED if name in commands)


def _line(command: str, does: str) -> str:
    return f"  {command:<28}  {does}"
