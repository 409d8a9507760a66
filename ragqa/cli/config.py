"""`ragqa config`: the settings, and where each comes from."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ragqa.catalogue import Kind
from ragqa.cli import complete
from ragqa.cli.options import advise, here, settle
from ragqa.cli.render import in_line, print_json, print_table
from ragqa.config_file import read_config, write_setting
from ragqa.settings import (
    CONFIGURABLE,
    config_path,
    origins,
    parse_setting,
    require_setting,
    settings_without_files,
)

KINDS: dict[str, Kind] = {"model": "generate", "embed_model": "embed"}

Name = Annotated[
    str,
    typer.Argument(metavar="KEY", help="A setting, as `ragqa config show` lists it.", autocompletion=complete.settings),
]


def register(app: typer.Typer) -> None:
    family = typer.Typer(
        name="config",
        help="Settings: what they are, and where each comes from.",
        callback=_show_without_command,
        invoke_without_command=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    family.command("show", epilog="Example: ragqa config show --json | jq .budget.value")(show)
    family.command("set", epilog="Example: ragqa config set passages 8")(set_value)
    family.command("unset", epilog="Example: ragqa config unset passages")(unset)
    family.command("path", epilog='Example: "$EDITOR" "$(ragqa config path)"')(path)
    app.add_typer(family)


def _show_without_command(context: typer.Context) -> None:
    """Settings: what they are, and where each comes from."""
    if context.invoked_subcommand is None:
        show()


def show(as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False) -> None:
    """Print every setting, its value in this folder, and the file or variable that says so."""
    settings, sources = settle(), origins(os.environ, here())
    values = {name: getattr(settings, name) for name in ("home", "config", *CONFIGURABLE)}
    plain = {name: os.fspath(value) if isinstance(value, Path) else value for name, value in values.items()}
    if as_json:
        print_json({name: {"value": value, "from": sources[name]} for name, value in plain.items()})
    else:
        rows = ((name, str(v).lower() if isinstance(v, bool) else v, sources[name]) for name, v in plain.items())
        print_table(("setting", "value", "from"), rows)


def set_value(
    name: Name,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="What it shall be.", autocompletion=complete.values)],
) -> None:
    """Set a setting in your configuration file, and leave all else in the file as it is.

    A model or a template has to be there.
    """
    config = config_path(os.environ)
    parsed = parse_setting(name, value, here(), "ragqa config set")
    _require_there(name, str(parsed))
    write_setting(config, name, parsed)
    written = str(parsed).lower() if isinstance(parsed, bool) else repr(parsed)
    print(in_line(f"{name} = {written} in {config}"))
    source = origins(os.environ, here())[name]
    if source != str(config):
        advise(f"here {source} overrules it", quiet=False)


def _require_there(name: str, value: str) -> None:
    """Refuse a model or a template that the next question would not find."""
    settings = settings_without_files(os.environ)
    if name in KINDS and value:  # none: the default one
        from ragqa.models import require_model

        require_model(settings.models, value, KINDS[name])
    elif name == "template":
        from ragqa.prompt import load_template

        load_template(value, settings.prompts)


def unset(name: Name) -> None:
    """Take a setting out of your configuration file."""
    config = config_path(os.environ)
    if name not in read_config(config):
        require_setting(name, "ragqa config unset")
        print(in_line(f"{name} is not set in {config}"))
        return
    write_setting(config, name, None)
    print(in_line(f"{name} is no longer set in {config}"))


def path() -> None:
    """Print where your configuration file lies, or would lie."""
    sys.stdout.buffer.write(os.fsencode(config_path(os.environ)) + b"\n")
