"""`ragqa ask`: one question, one answer with citations; or many, a line each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragqa.cli import complete
from ragqa.cli.answers import Growing, print_answer, print_explanation
from ragqa.cli.as_json import answer_json
from ragqa.cli.asking import Asking
from ragqa.cli.options import (
    Collections,
    Db,
    EmbedModel,
    Model,
    Number,
    Options,
    Quiet,
    advise,
    settle,
)
from ragqa.cli.recording import Recording
from ragqa.cli.render import console, print_json, print_lines
from ragqa.cli.where import Where
from ragqa.errors import UsageError
from ragqa.types import JSON, Answer

if TYPE_CHECKING:
    pass

ABSTAINED = 4
STALE = 5
MAX_STDIN = 1 << 20  # bytes


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ragqa ask 'When was the bridge rebuilt?' -c notes --json")(ask)


def ask(
    question: Annotated[str, typer.Argument(help="The question; `-` reads it from standard input.")] = "",
    number: Number = None,
    collection: Collections = None,
    where: Where = None,
    model: Model = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--with", help="Ask this file, or `-`: standard input, in place of the index; may be given again."
        ),
    ] = None,
    system: Annotated[str | None, typer.Option("-s", "--system", help="A system prompt of your own.")] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "-t",
            "--template",
            help="A prompt: answer, short, paragraph, bullets, or a file.",
            autocompletion=complete.templates,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Plain text without colour or wrapping.")] = False,
    quotes: Annotated[bool, typer.Option("--quotes", help="Only quotations: no Llama is loaded.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show scores, token ledger and prompt on stderr.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 5 when a cited file has changed since it was indexed.")
    ] = False,
    batch: Annotated[
        str | None, typer.Option("--batch", help="Questions from a file or `-`, one a line; answers as JSON lines.")
    ] = None,
    no_log: Annotated[bool, typer.Option("--no-log", help="Keep this out of the history.")] = False,
    min_support: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Abstain below this support: the share of such questions that are answered."),
    ] = None,
    db: Db = None,
    embed_model: EmbedModel = None,
    option: Options = None,
    quiet: Quiet = False,
) -> int:
    """Answer a question from the documents, with citations, or say that they do not answer it.

    "How many notes mention X?" and "list all documents about X" are counted in the whole index, without a model.
    """
    if bool(question) == bool(batch):
        raise UsageError("one question is wanted, or --batch FILE", "for example `ragqa ask 'Who built the bridge?'`")
    if sum((as_json, plain, bool(batch))) > 1 or (batch and strict):
        raise UsageError("--batch, --json and --plain exclude each other, and --batch has no --strict")
    options = [*(option or []), *([] if min_support is None else [f"min_support={min_support}"])]
    documents = _documents(given or [], question, batch, in_index=bool(db or collection or where))
    settings = settle(db=db, model=model, embed_model=embed_model, passages=number, template=template, options=options)
    growing = Growing(console()) if sys.stdout.isatty() and not (as_json or plain or batch) else None
    asking = Asking(
        settings,
        documents=documents,
        collections=collection or [],
        where=where or [],
        quotes=quotes,
        system=system,
        quiet=quiet,
        many=bool(batch),
    )
    kept = settings.log and not no_log and not documents  # what --with is given is forgotten
    recording = Recording(settings.logs if kept else None, quiet)
    if batch:
        print_lines(_batch(asking, _lines(batch), explain, recording))
        recording.close()
        return 0
    answer = asking(_from_stdin() if question == "-" else question, growing=growing)
    if as_json:
        print_json(answer_json(answer, explain=explain))
    else:
        print_answer(answer, plain=plain, growing=growing)
    if explain:
        print_explanation(answer, console(stderr=True))
    if any(citation.fresh != "same" for citation in answer.citations):
        advise("the index is older than these files; run `ragqa index PATH` to bring it up to date", quiet)
    recording.keep(answer, asking)
    recording.close()
    return _exit_code(answer, strict)


def _documents(given: list[str], question: str, batch: str | None, *, in_index: bool) -> list[str]:
    """The names after `--with`, each once, if what else was given leaves them a meaning."""
    if given and in_index:
        raise UsageError("--with asks the documents it names, so -c, --where and --db have no meaning beside it")
    if "-" in given and "-" in (question, batch):
        raise UsageError("standard input cannot be both a document and what is asked of it")
    return list(dict.fromkeys(given))


def _exit_code(answer: Answer, strict: bool) -> int:
    if answer.status == "abstained":
        return ABSTAINED
    stale = any(citation.fresh != "same" for citation in answer.citations)
    return STALE if strict and stale else 0


def _from_stdin() -> str:
    content = sys.stdin.buffer.read(MAX_STDIN + 1)
    if len(content) > MAX_STDIN:
        raise UsageError("the question on standard input is over 1 MiB")
    return content.decode("utf-8", "replace")


def _lines(batch: str) -> Iterator[str]:
    if batch == "-":
        yield from (line.decode("utf-8", "replace") for line in sys.stdin.buffer)
        return
    try:
        with open(batch, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            yield from file
    except OSError as error:
        raise UsageError(f"{batch}: {error.strerror}") from error


def _batch(asking: Asking, lines: Iterable[str], explain: bool, recording: Recording) -> Iterator[JSON]:
    """One JSON document a line of input, in order; a line that cannot be answered says why.

    An answer is recorded when the next line is asked for: it has been printed then.
    """
    for line in lines:
        if not line.strip():
            continue
        id, question, fault = _parse(line)
        if fault:
            yield {"id": id, "question": question, "error": fault}
            continue
        try:
            answer = asking(question)
        except UsageError as error:
            yield {"id": id, "question": question[:200], "error": error.message}
            continue
        document = answer_json(answer, explain=explain)
        yield document if id is None else document | {"id": id}
        recording.keep(answer, asking)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _parse(line: str) -> tuple[Any, str, str]:
    """Id, question and fault of a line: plain text, or a JSON object with `question` and perhaps `id`."""
    if not line.lstrip().startswith("{"):
        return None, line.strip(), ""
    try:
        values = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return None, line.strip()[:200], f"not JSON: {error}"
    question = values.get("question")
    if not isinstance(question, str):
        return values.get("id"), "", "no `question`"
    return values.get("id"), question, ""
