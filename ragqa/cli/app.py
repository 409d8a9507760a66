"""The Typer app, and the one door through which every error leaves."""

from __future__ import annotations

import difflib
import os
import sys
import traceback
from collections.abc import Sequence
from functools import cache
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from ragqa.cli import (
    ask,
    bench,
    bundle,
    care,
    complete,
    config,
    doctor,
    first,
    index,
    library,
    logs,
    measure,
    models,
    records,
    search,
    serve,
    watch,
    whole,
)
from ragqa.cli.chat import door as chat
from ragqa.cli.guard import block_network
from ragqa.cli.options import joined_options
from ragqa.cli.stopping import Stopped, exit_code
from ragqa.errors import NotWritable, RagqaError, UsageError


class _Commands(TyperGroup):
    """The commands; while a shell completes a line, what is none begins a question, so `ask` is completed."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return (name, command, rest) if command else ("ask", self.commands["ask"], args)


app = typer.Typer(
    name="ragqa",
    cls=_Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
families = (
    ask,
    chat,
    search,
    index,
    records,
    watch,
    care,
    whole,
    library,
    logs,
    config,
    models,
    measure,
    bench,
    doctor,
    bundle,
)
for family in families:
    family.register(app)

BROKEN_PIPE = 141
# Names of commands to come: a script written for them should hear so, and not get an answer to a question.
PLANNED = frozenset("classify cluster embed map related".split())

QUESTION_WORDS = frozenset("what who whom whose which when where why how is are do does did can".split())


@app.callback(invoke_without_command=True)
def _root(context: typer.Context, version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    """Answers questions from your own documents, offline, with citations.

    `ragqa 'question'` is short for `ragqa ask 'question'`.
    """
    if version:
        import ragqa

        print(f"ragqa {ragqa.__version__}")
    elif context.invoked_subcommand is None:
        first.print_next_step(set(_commands().commands))


serve.register(app, lambda: run_command())


def main() -> NoReturn:
    """Run a command and leave with the exit code that docs and scripts rely on."""
    environ = dict(os.environ)  # loading models adds to it
    code = run_command()
    serve.start_if_wanted(sys.argv[1:], code, environ)
    # Threads and models need no taking down one by one; what matters is on disk and on stdout.
    os._exit(code)


def run_command() -> int:
    """Run the command line in `sys.argv`; returns its exit code when all that it prints has been printed."""
    _mend_streams()
    block_network(sys.argv[1:])
    return _flush(_run(sys.argv[1:]))


def _run(arguments: Sequence[str]) -> int:
    try:
        complete.rejoin_terms(os.environ)
        commands = _commands()
        arguments = _with_command(joined_options(arguments), list(commands.commands))
        code = commands(args=arguments, prog_name="ragqa", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except RagqaError as error:
        return _report(error)
    except typer.TyperException as error:  # the command line does not parse
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "ragqa"
        message = error.format_message()
        hint = f"see `{command} --help`"
        if "extra argument" in message and command == "ragqa ask":
            hint = "put the question in quotes: ragqa 'What is this?'"
        return _report(UsageError(message, hint))
    except (KeyboardInterrupt, Stopped, typer.Abort) as stop:
        return exit_code(stop)
    except SystemExit as stop:  # Typer's own way to meet a broken pipe
        broken = isinstance(stop.__context__, BrokenPipeError)
        return BROKEN_PIPE if broken else int(stop.code or 0)
    except BrokenPipeError:
        return BROKEN_PIPE
    except MemoryError:
        return _report(RagqaError("out of memory", "close other programs, or use a smaller model"))
    except OSError as error:
        if error.filename:
            return _report(NotWritable(f"{error.filename}: {error.strerror}"))
        if _stdout_fails():
            return _report(NotWritable(f"standard output: {error.strerror}; the answer is not complete"))
        return _report(NotWritable(error.strerror or str(error), "RAGQA_DEBUG=1 shows where"))
    except Exception as error:  # the last door: no traceback unless asked for
        return _report(RagqaError(f"unexpected {type(error).__name__}: {error}", "RAGQA_DEBUG=1 shows the traceback"))


@cache
def _commands() -> Any:
    """The tree of commands; to build it takes milliseconds, and a fork of the warm process has it already."""
    return typer.main.get_command(app)


def _with_command(arguments: Sequence[str], names: Sequence[str]) -> list[str]:
    """`ragqa 'question'` is `ragqa ask 'question'`; a mistyped command is not a question."""
    if not arguments:
        return []
    first = arguments[0]
    if first in names or first in ("-h", "--help", "--version", "--install-completion", "--show-completion"):
        return list(arguments)
    if first in PLANNED:
        raise UsageError(f"`ragqa {first}` is not in this version", f"a question is asked with `ragqa ask {first!r}`")
    near = difflib.get_close_matches(first, names, n=1, cutoff=0.75)
    if near and first not in QUESTION_WORDS:
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
        os._exit(_report(NotWritable("standard output is closed; the answer cannot be written")))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _stdout_fails() -> bool:
    """Whether it was standard output that could not be written: what it still holds cannot be written now either."""
    try:
        sys.stdout.flush()
    except OSError:
        return True
    return bool(getattr(sys.stdout, "write_through", False))  # such a one holds nothing that could be tried again


def _flush(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return BROKEN_PIPE
    except OSError as error:
        if code != NotWritable.exit_code:  # said already
            return _report(NotWritable(f"standard output: {error.strerror}; the answer is not complete"))
    return code
