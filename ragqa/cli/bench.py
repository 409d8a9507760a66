"""`ragqa bench`: what ragqa costs on this machine, beside the machine's limits and beside other programs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragqa.catalogue import DEFAULTS
from ragqa.cli.as_json import benchmark_json
from ragqa.cli.options import Quiet, advise, settle, speaker
from ragqa.cli.progress import counting_progress
from ragqa.cli.render import print_benchmark, print_json
from ragqa.cli.rooms import ROOMS, WITH_PEER, chosen
from ragqa.cli.workbench import Workbench, ended_by_signals, require_notes, require_peer, require_same_notes
from ragqa.errors import UsageError
from ragqa.settings import Settings

if TYPE_CHECKING:
    from ragqa.measure.bench.report import Report

QUESTION = "What does E5 want in front of a passage?"  # the sample library answers it
ROUNDS, ROUNDS_QUICKLY = 5, 3


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ragqa bench cold embed --json")(bench)


def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help=f"Of {', '.join(ROOMS)}.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer sizes, and three rounds.")] = False,
    rounds: Annotated[int | None, typer.Option(min=1, help="How often everything is measured; else 5 times.")] = None,
    notes: Annotated[Path | None, typer.Option(help="Notes to measure on, in place of the sample library.")] = None,
    question: Annotated[str | None, typer.Option(help="A question that the notes answer.")] = None,
    peer: Annotated[Path | None, typer.Option(help="Where `scripts/bench` has set up llm, to compare with.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Draw how costs grow, as PNG files into this folder.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Say what would be measured, and measure nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    quiet: Quiet = False,
) -> None:
    """Measure what ragqa costs here, in time and memory, beside the machine's limits.

    All of it works in a folder of its own, with the default models; your index is not touched. Ctrl-C ends it, and the
    rooms that were measured to their end are shown.
    """
    rooms, folder = chosen(names or []), _notes(notes, question)
    if plots:
        from ragqa.measure.bench.plots import require_drawing

        require_drawing(plots)
    settings, peer = settle(), require_peer(peer)
    if listed:
        print(*rooms, sep="\n")
        return
    with (
        _drawn(plots, quiet) as report,
        _printed(report, as_json),  # outside of all else: a bar that is shown would take what is printed for its own
        _workbench(settings, folder, question, rounds, quick, peer, quiet) as work,
        _observed(work, report),
    ):
        if any(name in WITH_PEER for name in rooms):
            require_same_notes(work)
        for name, room in rooms.items():
            work.say(f"measuring {name}")
            report.rooms[name] = room(work)


def _notes(notes: Path | None, question: str | None) -> Path:
    """The notes to measure on.

    Raises:
        UsageError: They cannot be read, or nothing is asked of them.
    """
    from ragqa.prompt import shipped

    if notes and not question:
        raise UsageError("--notes wants a --question that they answer")
    return require_notes(notes or shipped("corpus"))


@contextmanager
def _workbench(
    settings: Settings,
    notes: Path,
    question: str | None,
    rounds: int | None,
    quick: bool,
    peer: Path | None,
    quiet: bool,
) -> Iterator[Workbench]:
    with (
        ended_by_signals(),
        tempfile.TemporaryDirectory(prefix="ragqa-bench-") as scratch,
        _progress(quiet) as progress,
    ):
        yield Workbench(
            folder=Path(scratch).resolve(),
            given=settings,
            notes=notes,
            question=question or QUESTION,
            rounds=rounds or (ROUNDS_QUICKLY if quick else ROUNDS),
            quick=quick,
            peer=peer,
            say=speaker(quiet),
            progress=progress,
        )


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str], Callable[[int, int], None]]]:
    """One bar, for the rounds of what is being measured."""
    with counting_progress("measuring", quiet) as count:
        yield lambda name: lambda done, total: count(done, total)


@contextmanager
def _drawn(plots: Path | None, quiet: bool) -> Iterator[Report]:
    """A report that is drawn at the end, however that comes, if a folder for pictures is named."""
    from ragqa.measure.bench.report import Report

    report = Report()
    try:
        yield report
    finally:
        if plots:
            from ragqa.measure.bench.plots import draw

            drawn = draw(report, plots)
            advise(f"drawn: {', '.join(map(str, drawn)) or 'nothing; no room with a picture was measured'}", quiet)


@contextmanager
def _printed(report: Report, as_json: bool) -> Iterator[None]:
    """Print the report at the end, however that comes, if anything was measured."""
    try:
        yield
    finally:
        if report.rooms and as_json:
            print_json(benchmark_json(report))
        elif report.rooms:
            print_benchmark(report)


@contextmanager
def _observed(work: Workbench, report: Report) -> Iterator[None]:
    """What the figures of a report have to be read with: the machine, and what else it did meanwhile."""
    from ragqa.measure.bench import machine

    begun, load = machine.now(), os.getloadavg()[0]
    models = {"embedder": DEFAULTS["embed"], "Llama": DEFAULTS["generate"]}
    about = {"notes": work.notes.name, "question": work.question, "rounds": str(work.rounds)}
    report.facts = machine.facts(work.given.cores) | models | about | {"load before": f"{load:.2f}"}
    try:
        yield
    finally:
        others = machine.cores_of_others(begun, machine.now())
        if others is not None:
            report.facts["used by others"] = f"{others:.2f} cores"
        report.notes = [*work.remarks, *machine.warnings(load, others)]
