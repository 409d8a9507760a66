"""What a shell is offered for the word that is being typed. Nothing is said and nothing is written, come what may."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path

import typer

from ragqa.document import DocumentRecord
from ragqa.settings import CONFIGURABLE, Settings, load_settings

LATEST = 20  # conversations that are offered
BEFORE = "_RAGQA_BEFORE"  # set where bash completes what stands behind a colon alone

# zsh evaluates what it is offered, and bash splits it: a name with anything else in it has to be typed.
_OFFERED = re.compile(r"[\w.+@/-]+")
_NOT_IN_HELP = re.compile(r"[^\w ,.?!-]+")

Offer = tuple[str, str]
"""A word, and what it means or nothing."""


def _silent(offers: Callable[[Mapping[str, object]], Iterable[Offer]]) -> Callable[[typer.Context, str], list[Offer]]:
    """As Typer asks for it: the offers that begin with what is typed, none where they cannot be found out."""

    def complete(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
        try:
            found = [(word, _NOT_IN_HELP.sub(" ", means)) for word, means in offers(context.params)]
        except Exception:
            return []
        return [one for one in found if one[0].startswith(incomplete) and _OFFERED.fullmatch(one[0])]

    return complete


def _plain(words: Iterable[str]) -> Iterator[Offer]:
    return ((word, "") for word in words)


def _settled(given: Mapping[str, object]) -> Settings:
    """As the command would have them; of what was typed so far only the index matters."""
    return load_settings(os.environ, Path.cwd(), {"db": given.get("db")})


def _collections(given: Mapping[str, object]) -> Iterable[Offer]:
    from ragqa.store.opening import open_index

    return _plain(open_index(_settled(given).db).collections())


def terms(context: typer.Context, incomplete: str) -> list[str]:
    """What `--where` takes beside paths."""
    from ragqa.store.opening import open_index

    try:
        found = all_terms(open_index(_settled(context.params).db).known())
    except Exception:
        return []
    before = os.environ.get(BEFORE, "")
    fit = [one for one in found if one.startswith(before + incomplete) and _OFFERED.fullmatch(one.replace(":", "", 1))]
    return [one.removeprefix(before) for one in fit]


def rejoin_terms(environ: MutableMapping[str, str]) -> None:
    """Bash divides words at a colon, and completes the last part alone: remember what stands before it."""
    if environ.get("_RAGQA_COMPLETE") != "complete_bash":
        return
    words = environ.get("COMP_WORDS", "").split("\n")
    at = int(environ.get("COMP_CWORD") or 0)
    start = max(at - 3, 0)
    if ":" in words[start + 1 : at + 1] and "--where" in words[start:at]:
        option = start + words[start:at].index("--where")
        before, _, last = "".join(words[option + 1 : at + 1]).partition(":")
        environ["COMP_WORDS"] = "\n".join([*words[: option + 1], last])
        environ["COMP_CWORD"], environ[BEFORE] = str(option + 1), f"{before}:"


def all_terms(known: Mapping[str, DocumentRecord]) -> list[str]:
    """What `--where` takes beside paths: each tag and type that documents have, and how a date begins."""
    tags = sorted({tag for record in known.values() for tag in record.tags})
    types = sorted({record.type for record in known.values()})
    return [*(f"tag:{tag}" for tag in tags), *(f"type:{type}" for type in types), "after:", "before:"]


def _templates(given: Mapping[str, object]) -> Iterable[Offer]:
    from ragqa.prompt import templates

    return _plain(sorted(templates(_settled(given).prompts)))


def _models(*kinds: str) -> Callable[[Mapping[str, object]], Iterable[Offer]]:
    """Those of a kind that can be used as they are."""

    def offers(given: Mapping[str, object]) -> Iterable[Offer]:
        from ragqa.catalogue import MODELS
        from ragqa.models import installed

        ready = {one.name: one.kind for one in installed(_settled(given).models)}
        known = {name: str(row.kind) for name, row in MODELS.items() if row.wheel} | ready
        return _plain(name for name, kind in known.items() if kind in kinds)

    return offers


def _to_pull(given: Mapping[str, object]) -> Iterable[Offer]:
    from ragqa.catalogue import MODELS

    return ((name, row.note) for name, row in MODELS.items() if row.repo)


def _conversations(given: Mapping[str, object]) -> Iterable[Offer]:
    from ragqa.history import open_history

    return open_history(_settled(given).logs, writable=False).conversations(LATEST)


def _settings(given: Mapping[str, object]) -> Iterable[Offer]:
    return _plain(CONFIGURABLE)


def _values(given: Mapping[str, object]) -> Iterable[Offer]:
    """Of a setting that is chosen from a few."""
    choices: dict[str, Callable[[Mapping[str, object]], Iterable[Offer]]] = {
        "log": lambda given: _plain(("true", "false")),
        "model": _models("generate"),
        "embed_model": _models("embed"),
        "template": _templates,
    }
    name = str(given.get("name"))
    return choices[name]({}) if name in choices else ()


collections = _silent(_collections)
templates = _silent(_templates)
llamas = _silent(_models("generate"))
embedders = _silent(_models("embed"))
models = _silent(_models("generate", "embed"))
models_to_pull = _silent(_to_pull)
conversations = _silent(_conversations)
settings = _silent(_settings)
values = _silent(_values)
