"""Whole commands, as they are typed: processes started, libraries imported, models loaded, for one question."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ragqa.measure.bench import Measurement, Progress, in_turn
from ragqa.measure.bench.processes import Run, measured

QUOTATION = "“"  # what ragqa begins a quotation with
MEGA = 1e6


@dataclass(frozen=True, slots=True)
class Taken:
    """Something that a run took: its name in the report, its unit, and how it is read from the run.

    Attributes:
        beside: How what compares with it is read from another program's run, where that is something else.
    """

    name: str
    unit: str
    of: Callable[[Run], float]
    beside: Callable[[Run], float] | None = None


FIRST_QUOTATION = Taken(
    "first quotation", "s", lambda run: run.first_of(QUOTATION), lambda run: min(run.first, run.first_of(QUOTATION))
)
FIRST_OF_ANSWER = Taken("first word of the answer", "ms", lambda run: run.first * 1000)
FIRST_WORD = Taken("first word", "s", lambda run: run.first)
LAST_WORD = Taken("last word", "s", lambda run: run.last)
CPU = Taken("processor time", "s", lambda run: run.cpu)
MEMORY = Taken("peak memory", "MB", lambda run: run.peak / MEGA)
END = Taken("end", "s", lambda run: run.wall)

SEEN = (FIRST_QUOTATION, FIRST_OF_ANSWER, LAST_WORD)
ASKED = (FIRST_QUOTATION, LAST_WORD, CPU, MEMORY)
WRITTEN = (FIRST_WORD, LAST_WORD, CPU, MEMORY)


@dataclass(frozen=True, slots=True)
class Command:
    """A command to be measured, and where.

    Attributes:
        taken: What is reported of it.
        beside: Name of the command it is held against.
        codes: Exit codes with which it has done its work.
        staged: It prints `ask --json`, and its stages are reported.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    taken: Sequence[Taken] = WRITTEN
    beside: str = ""
    codes: Collection[int] = (0,)
    staged: bool = False

    def reported(self, taken: Sequence[Taken], beside: str = "", *, staged: bool = False) -> Command:
        """The same command with other rows in the report."""
        return replace(self, taken=taken, beside=beside, staged=staged)

    def run(self) -> Run:
        return measured(self.words, environment=self.environment, folder=self.folder, codes=self.codes)


def measure_commands(commands: Mapping[str, Command], rounds: int, progress: Progress) -> list[Measurement]:
    """The rows of commands, run in turn; each is run once before, uncounted, so that files are in memory for all."""
    for command in commands.values():
        command.run()
    runs = in_turn({name: command.run for name, command in commands.items()}, rounds, progress)
    return [row for name in commands for row in rows_of(name, commands, runs)]


def rows_of(name: str, commands: Mapping[str, Command], runs: Mapping[str, Sequence[Run]]) -> list[Measurement]:
    """What the runs of a command took, a row each, beside what another one's took."""
    command = commands[name]
    rows = stages(runs[name]) if command.staged else []
    for taken in command.taken:
        samples = [taken.of(run) for run in runs[name]]
        references = [(taken.beside or taken.of)(run) for run in runs.get(command.beside, ())]
        rows.append(Measurement(f"{name}, {taken.name}", taken.unit, samples, command.beside, references))
    return rows


def stages(runs: Sequence[Run]) -> list[Measurement]:
    """Milliseconds by stage as `ask --json` says them, and what Python takes before and after them."""
    timed = [json.loads(run.output)["timing_ms"] for run in runs]
    outside = [run.wall * 1000 - ms["total"] for run, ms in zip(runs, timed, strict=True)]
    names = [stage for stage in dict.fromkeys(stage for ms in timed for stage in ms) if stage != "total"]
    rows = [Measurement(f"stage {name}", "ms", [float(ms.get(name, 0)) for ms in timed]) for name in names]
    return [Measurement("stage Python itself", "ms", outside), *rows]
