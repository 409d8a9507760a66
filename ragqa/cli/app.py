"""The Typer app, and the one door through which every error leaves."""

from __future__ import annotations

import difflib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click
import typer

from ragqa.cli import ask, care, index, models, search
from ragqa.cli.options import joined_options
from ragqa.errors import NotWritable, RagqaError, UsageError

app = typer.Typer(
    name="ragqa",
    help="Answers questions from your own documents, offline, with citations. `ragqa 'question'` asks.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for family in (ask, search, index, care, models):
    family.register(app)

GLOBAL = ("-h", "--help", "--version", "--install-completion", "--show-completion")


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        import ragqa

        print(f"ragqa {ragqa.__version__}")
        raise typer.Exit


def main() -> NoReturn:
    """Run a command and leave with the exit code that docs and scripts rely on."""
    _mend_streams()
    code = _run(sys.argv[1:])
    code = _flush(code)
    # Threads and models need no taking down one by one; what matters is on disk and on stdout.
    os._exit(code)


def _run(arguments: Sequence[str]) -> int:
    try:
        result = app(args=_with_command(joined_options(arguments)), prog_name="ragqa", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except typer.Exit as stop:
        return stop.exit_code
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "ragqa"
        return _report(UsageError(error.format_message(), f"see `{command} --help`"))
    except RagqaError as error:
        return _report(error)
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        return 141
    except MemoryError:
        return _report(RagqaError("out of memory", "close other programs, or use a smaller model"))
    except Exception as error:  # the last door: no traceback unless asked for
        return _report(RagqaError(f"unexpected {type(error).__name__}: {error}", "RAGQA_DEBUG=1 shows the traceback"))


def _with_command(arguments: Sequence[str]) -> list[str]:
    """`ragqa 'question'` is `ragqa ask 'question'`; a mistyped command is not a question."""
    if not arguments or arguments[0] in GLOBAL:
        return list(arguments)
    first = arguments[0]
    names = [command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands]
    names += [group.name or "" for group in app.registered_groups]
    if first in names:
        return list(arguments)
    near = difflib.get_close_matches(first, names, n=1, cutoff=0.75)
    if near:
        raise UsageError(f"no command {first!r}", f"did you mean `ragqa {near[0]}`? A question: `ragqa ask {first!r}`")
    return ["ask", *arguments]


def _report(error: RagqaError) -> int:
    from ragqa.cli.render import error_lines

    if os.environ.get("RAGQA_DEBUG"):
        traceback.print_exc()
    try:
        sys.stderr.write(error_lines(error))
        sys.stderr.flush()
    except OSError:
        pass  # nobody is listening; the exit code still says it
    return error.exit_code


def _mend_streams() -> None:
    """Make streams that a shell closed safe, and those that cannot show every character lenient."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115
    if sys.stdout is None:
        sys.exit(_report(NotWritable("standard output is closed; the answer cannot be written")))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _flush(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return 141
    except OSError as error:
        return _report(NotWritable(f"standard output: {error.strerror}; the answer is not complete"))
    return code
