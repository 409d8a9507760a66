"""`ragqa models`: which weights there are, and whether they are whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ragqa.catalogue import DEFAULTS, MODELS
from ragqa.cli import complete
from ragqa.cli.options import Quiet, advise, settle, speaker
from ragqa.cli.render import model_rows, print_json, print_table
from ragqa.config_file import write_setting
from ragqa.errors import ModelError
from ragqa.manifest import remedy, verify
from ragqa.memory import need_of, room
from ragqa.models import add, installed, pull, ready
from ragqa.settings import Settings

Name = Annotated[
    str, typer.Argument(help="The model's name, as in `ragqa models list`.", autocompletion=complete.models)
]
Pulled = Annotated[
    str, typer.Argument(help="The model's name, as in `ragqa models list`.", autocompletion=complete.models_to_pull)
]


def register(app: typer.Typer) -> None:
    family = typer.Typer(
        name="models",
        help="Weights: where they are, whether they are whole.",
        callback=_list_without_command,
        invoke_without_command=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    family.command("list", epilog="Example: ragqa models list")(list_models)
    family.command("verify", epilog="Example: ragqa models verify")(verify_models)
    family.command("path", epilog="Example: ragqa models path smollm2-135m-instruct-q4_1")(path)
    family.command("add", epilog="Example: ragqa models add ~/Llama-3.2-3B-Instruct-Q4_K_M.gguf --name llama3b")(
        add_model
    )
    family.command("prepare", epilog="Example: ragqa models prepare")(prepare_models)
    family.command("default", epilog="Example: ragqa models default llama-3.2-3b-instruct")(default)
    family.command("pull", epilog="Example: ragqa models pull llama-3.2-3b-instruct")(pull_model)
    app.add_typer(family)


def _list_without_command(context: typer.Context) -> None:
    """Weights: where they are, whether they are whole."""
    if context.invoked_subcommand is None:
        list_models()


def list_models(as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False) -> None:
    """List known and added models; a star marks the ones in use, and the last line which Llama fits this machine."""
    settings = settle()
    left = room()
    rows = list(model_rows(installed(settings.models), _defaults(settings), left))
    columns = ("name", "kind", "state", "size", "licence", "source", "note", "memory")
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    print_table(columns, rows)
    advise(_recommendation(left), quiet=False)


def _recommendation(left: int) -> str:
    """The largest Llama of the catalogue that fits into `left` bytes."""
    fitting = [m for m in MODELS.values() if m.kind == "generate" and need_of(m.kind, m.size).whole <= left]
    has = f"{left / 1e9:.1f} GB of memory to spare"
    if not fitting:
        return f"{has}: no Llama fits; `ragqa ask --quotes` needs none"
    best = max(fitting, key=lambda model: model.size)
    way = "comes with ragqa" if best.wheel else f"`ragqa models pull {best.name}`"
    return f"{has}: {best.name} is the largest Llama that fits ({way}); larger ones write better, and more slowly"


def verify_models(name: Annotated[str, typer.Argument(help="One model; all without it.")] = "") -> None:
    """Hash every file of the models that are ready, and compare."""
    settings = settle()
    manifests = [m for m in installed(settings.models) if name in ("", m.name)]
    if name and not manifests:
        raise ModelError(f"{name}: not ready", "`ragqa models list` shows which are")
    faults, mends = 0, []
    for manifest in manifests:
        wrong = verify(manifest)
        faults += len(wrong)
        mends += [remedy(manifest)] if wrong else []
        print_table(("", "", ""), [(manifest.name, "damaged" if wrong else "ok", "; ".join(wrong))])
    if faults:
        raise ModelError(f"{faults} damaged or missing files", "; ".join(mends))


def path(name: Name) -> None:
    """Print where a model's weights lie."""
    print(ready(settle().models, name, speaker(quiet=False)).weights)


def prepare_models(quiet: Quiet = False) -> None:
    """Make the models that came with ragqa ready now, not at the first question."""
    settings = settle()
    for name in DEFAULTS.values():
        manifest = ready(settings.models, name, speaker(quiet))
        print(f"{manifest.name} is ready in {manifest.folder}")


def add_model(
    file: Annotated[Path, typer.Argument(help="A GGUF file or a sentence-transformers folder.")],
    name: Annotated[str, typer.Option(help="What to call it; the file's name without it.")] = "",
) -> None:
    """Use a model that is on this machine; its weights stay where they are."""
    manifest = add(settle().models, file, name)
    option = "-m" if manifest.kind == "generate" else "--embed-model"
    if manifest.kind == "generate" and manifest.chat_format == "plain":
        advise("its chat template is none that is known here, so it will be asked in plain text", quiet=False)
    print(f"added {manifest.name}: ask with `{option} {manifest.name}`, or `ragqa models default {manifest.name}`")


def default(name: Name) -> None:
    """Use a model from now on."""
    settings = settle()
    manifest = ready(settings.models, name, speaker(quiet=False))
    setting = "model" if manifest.kind == "generate" else "embed_model"
    write_setting(settings.config, setting, name)
    print(f"{setting} = {name!r} in {settings.config}")


def pull_model(name: Pulled, quiet: Quiet = False) -> None:
    """Download a model of the list, and verify it. The only command that opens a connection."""
    settings = settle()
    speaker(quiet)(f"pulling {name}")
    manifest = pull(settings.models, name)
    print(f"{manifest.name} is ready in {manifest.weights.parent}")


def _defaults(settings: Settings) -> tuple[str, str]:
    return (settings.model or DEFAULTS["generate"], settings.embed_model or DEFAULTS["embed"])
