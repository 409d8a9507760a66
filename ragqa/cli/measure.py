"""`ragqa eval`: how well the whole path does on questions whose answers are known."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragqa.cli.as_json import evaluation_json
from ragqa.cli.calibrate import calibrate_if_due
from ragqa.cli.open import load, open_for_indexing, open_writing
from ragqa.cli.options import Db, EmbedModel, Model, Number, Options, Quiet, settle, speaker
from ragqa.cli.progress import counting_progress, indexing_progress
from ragqa.cli.render import path_from_here, print_evaluation, print_json
from ragqa.cli.self_test import asking_of_itself
from ragqa.cli.where import Where
from ragqa.errors import UsageError
from ragqa.settings import Settings
from ragqa.types import JSON

if TYPE_CHECKING:
    from ragqa.measure.datasets import Dataset
    from ragqa.measure.evaluate import Asking
    from ragqa.measure.report import Report

Write = Callable[[Iterable[JSON]], None]
DOCUMENTS = ".documents"  # what the folder of a kept index's documents is called, after the index


def register(app: typer.Typer) -> None:
    app.command("eval", epilog="Example: ragqa eval --auto --quotes")(eval_dataset)


def eval_dataset(
    dataset: Annotated[
        Path | None, typer.Argument(help="SQuAD's JSON, a BEIR folder, or ragqa's questions.jsonl.")
    ] = None,
    auto: Annotated[
        bool, typer.Option("--auto", help="No dataset: draw questions from the index, easier ones than people's.")
    ] = False,
    collection: Annotated[
        list[str] | None, typer.Option("-c", "--collection", help="With --auto: draw from this collection.")
    ] = None,
    where: Where = None,
    distractors: Annotated[Path | None, typer.Option(help="Hide the documents among those of this folder.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many questions, drawn at random; with --auto 100.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw and of the intervals.")] = 0,
    holdout_answers: Annotated[
        bool, typer.Option("--holdout-answers", help="Ask again without the documents that answer: is it refused?")
    ] = False,
    after_another: Annotated[
        bool, typer.Option("--after-another", help="Ask each question right after another, as in a chat.")
    ] = False,
    quotes: Annotated[bool, typer.Option("--quotes", help="Only quotations: no Llama is loaded.")] = False,
    falsehoods: Annotated[
        bool, typer.Option("--falsehoods", help="Also plant falsehoods: how many does the checker catch?")
    ] = False,
    failures: Annotated[
        Path | None, typer.Option(help="Write what failed, and what the Llama wrote, into this file of JSON lines.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Keep the index in this file, so that the next run need not make it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    number: Number = None,
    db: Db = None,
    model: Model = None,
    embed_model: EmbedModel = None,
    option: Options = None,
    quiet: Quiet = False,
) -> None:
    """Measure how well questions with known answers are answered.

    With --auto the index in use is copied, questions are made by rules from its own documents, and each is asked with
    its document and without; questions from elsewhere are asked as well, which are to be refused.
    """
    from ragqa.measure.datasets import load_dataset

    settings = settle(db=db, model=model, embed_model=embed_model, passages=number, options=option)
    unfit: dict[str, object] = (
        {
            "--distractors": distractors,
            "--cache": cache,
            "--falsehoods": falsehoods,
            "--after-another": after_another,
        }
        if auto
        else {}
    )
    unfit |= {} if auto else {"--collection": collection, "--where": where, "--db": db}
    _require_fit(dataset, auto, [name for name, given in unfit.items() if given])
    if dataset is None:
        with _lines_to(failures, None) as write:
            return _measure_itself(settings, limit, seed, collection or [], where or [], quotes, quiet, as_json, write)
    chosen = load_dataset(dataset).sample(limit, seed)
    if after_another:
        chosen = chosen.in_conversation(seed)
    with _lines_to(failures, dataset) as write, _scratch(cache) as scratch:
        asking = _open(chosen, replace(settings, db=scratch), distractors, quotes, quiet)
        report = _measure(chosen, asking, seed, holdout_answers, falsehoods, quiet, write)
        about = _about(chosen.name, asking, seed)
    return _print(report, about, as_json)


def _require_fit(dataset: Path | None, auto: bool, unfit: Sequence[str]) -> None:
    """Refuse a dataset together with --auto, neither of them, and options of the other."""
    if auto and dataset is not None:
        raise UsageError(f"{dataset} and --auto: one of them is wanted", "leave out one")
    if not auto and dataset is None:
        raise UsageError("a DATASET or --auto is wanted", "`ragqa eval --auto` asks your own index about itself")
    if unfit:
        raise UsageError(f"{' and '.join(unfit)}: only {'without' if auto else 'with'} --auto", "leave it out")


def _measure(
    dataset: Dataset, asking: Asking, seed: int, holdout: bool, falsehoods: bool, quiet: bool, write: Write
) -> Report:
    from ragqa.measure.checker import judge_planted
    from ragqa.measure.evaluate import evaluate
    from ragqa.measure.inspection import inspect
    from ragqa.measure.report import summarize

    with counting_progress("asking", quiet) as progress:
        run = evaluate(dataset.examples, asking, holdout=holdout, progress=progress)
    write(inspect(run, asking.names))
    planted = judge_planted(run.outcomes, dataset.documents, seed) if falsehoods else []
    return summarize(run, seed=seed, planted=planted)


def _measure_itself(
    settings: Settings,
    limit: int | None,
    seed: int,
    collections: Sequence[str],
    where: Sequence[str],
    quotes: bool,
    quiet: bool,
    as_json: bool,
    write: Write,
) -> None:
    from ragqa.measure.drawn import EXPLAINED
    from ragqa.measure.inspection import inspect
    from ragqa.measure.report import summarize

    with asking_of_itself(settings, limit, seed, collections, where, quotes, quiet) as (run, asking):
        write(inspect(run, asking.names))
        about = _about("drawn", asking, seed)
    if not as_json:
        print(f"{EXPLAINED}\n")
    _print(summarize(run, seed=seed), {**about, "note": EXPLAINED}, as_json)


def _print(report: Report, about: JSON, as_json: bool) -> None:
    if as_json:
        print_json(evaluation_json(report, about))
    else:
        print_evaluation(report)


def _open(dataset: Dataset, settings: Settings, distractors: Path | None, quotes: bool, quiet: bool) -> Asking:
    """Index the documents, load the models: all that is needed before the first question."""
    from ragqa.index import update_index
    from ragqa.index.run import Run
    from ragqa.index.summary import Summary
    from ragqa.measure.evaluate import Asking
    from ragqa.measure.layout import keep_only, lay_out
    from ragqa.walk.roots import resolve_roots

    others = resolve_roots([distractors] if distractors else []).real
    say, summary = speaker(quiet), Summary()
    writing = None if quotes else open_writing(settings, None, say)  # before an hour of indexing is lost to a typo
    store, embedder = open_for_indexing(settings, say)
    folder = settings.db.with_name(settings.db.name + DOCUMENTS)
    places = lay_out(dataset.documents, folder)
    with indexing_progress(quiet) as progress:
        update_index(
            [folder.resolve(), *others],
            store=store,
            embedder=embedder,
            summary=summary,
            run=Run(max_file_size=settings.max_file_size),
            progress=progress,
        )
    names = keep_only(store, places, others)
    load(embedder, writing, lasting=True)
    calibrate_if_due(store, embedder, settings.passages, quiet)
    return Asking(embedder, store, writing, settings.passages, settings.quotes, settings.min_support, names)


def _about(name: str, asking: Asking, seed: int) -> JSON:
    """What was measured, for whoever compares two reports."""
    records = asking.store.known().values()
    return {
        "dataset": {
            "name": name,
            "documents": len(asking.names),
            "distractors": len(records) - len(asking.names),
            "passages": sum(record.passages for record in records),
        },
        "settings": {"passages": asking.k, "quotes": asking.quotes, "min_support": asking.min_support, "seed": seed}
        | ({"where": list(asking.where.terms)} if asking.where else {}),
        "models": {
            "embed": asking.embedder.name,
            "generate": asking.writing.generator.name if asking.writing else None,
        },
    }


@contextmanager
def _scratch(cache: Path | None) -> Iterator[Path]:
    """Where the index goes: a folder that is gone afterwards, or a file that stays.

    Raises:
        UsageError: The file is there and is not one that `eval` made: what it holds would be removed from it.
    """
    if cache is None:
        with tempfile.TemporaryDirectory(prefix="ragqa-eval-") as folder:
            yield Path(folder).resolve() / "index.db"
        return
    cache = cache.expanduser().absolute()
    if cache.exists() and not cache.with_name(cache.name + DOCUMENTS).is_dir():
        raise UsageError(f"{path_from_here(cache)} was not made by `ragqa eval`", "name another file with --cache")
    yield cache


@contextmanager
def _lines_to(path: Path | None, dataset: Path | None) -> Iterator[Write]:
    """Writes JSON lines into a file; it is opened at once, so that a wrong name costs no time."""
    if path is None:
        yield lambda lines: None
        return
    if dataset and path.exists() and dataset.exists() and path.samefile(dataset):
        raise UsageError(f"{path_from_here(path)} is the dataset itself", "name another file with --failures")
    # A lone surrogate from a document's JSON goes back to the escape that it was.
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        yield lambda lines: file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
