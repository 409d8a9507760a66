"""Everything that is printed. Text of documents, names, models and errors is shown, never obeyed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragqa.errors import RagqaError
from ragqa.files import readable
from ragqa.types import JSON

if TYPE_CHECKING:
    from rich.console import Console

    from ragqa.index.summary import Summary
    from ragqa.manifest import Manifest
    from ragqa.measure.bench.report import Report as Benchmark
    from ragqa.measure.report import Figure, Report

# C0 and C1 controls but newline and tab; what turns or hides text: bidi marks, zero-width and tag characters.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f\ud800-\udfff]"
)


def shown(text: str) -> str:
    """Text with every character that a terminal could obey spelled out: ESC as `\\x1b`, RLO as `<U+202E>`."""
    return _UNSAFE.sub(_spelled, text.replace("\r\n", "\n"))


def in_line(text: str) -> str:
    """The same for what stands inside a line, such as a name: a line break in it is spelled out, too."""
    return shown(text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t"))


_FILLED = re.compile(r" +$", re.MULTILINE)  # what a table fills its last column with


def _spelled(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"<U+{code:04X}>"


def console(*, stderr: bool = False, plain: bool = False) -> Console:
    """A console that takes nothing in a text for markup, emoji or a link."""
    from ragqa.cli.terminal import Terminal

    return Terminal(
        stderr=stderr,
        markup=False,
        emoji=False,
        highlight=False,
        no_color=plain or None,
        force_terminal=False if plain else None,
        soft_wrap=plain or not (sys.stderr if stderr else sys.stdout).isatty(),
    )


def path_from_here(path: Path) -> str:
    """A path that opens from the working directory: relative below it, absolute elsewhere."""
    try:
        here = Path.cwd()
    except FileNotFoundError:  # it was removed
        return readable(path)
    return readable(path.relative_to(here) if path.is_relative_to(here) else path)


def numbers(values: Any) -> str:
    """Scores by name, as `--explain` prints them."""
    return ", ".join(f"{name} {value:.3f}" for name, value in values.items() if name != "bias")


def print_json(value: Any) -> None:
    """One document, indented."""
    sys.stdout.write(_json(value, indent=2) + "\n")


def print_lines(values: Iterable[Any]) -> None:
    """One line a value, each flushed: a reader down the pipe need not wait for the last."""
    for value in values:
        sys.stdout.write(_json(value) + "\n")
        sys.stdout.flush()


def print_csv(rows: Sequence[JSON]) -> None:
    """The flat fields of each row, under a line of their names."""
    import csv

    fields = [name for name, value in rows[0].items() if not isinstance(value, dict)] if rows else ["id"]
    writer = csv.DictWriter(sys.stdout, fields, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        flat = {name: " > ".join(value) if isinstance(value, list) else value for name, value in row.items()}
        writer.writerow({name: shown(value) if isinstance(value, str) else value for name, value in flat.items()})


def _json(value: Any, indent: int | None = None) -> str:
    """JSON that any terminal can show: controls are escaped, other scripts are not."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    escaped = _UNSAFE.sub(lambda m: json.dumps(m.group())[1:-1], text)
    encoding = sys.stdout.encoding or "utf-8"
    try:
        escaped.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return escaped


def summary_line(summary: Summary) -> str:
    """`indexed N, unchanged U, removed R, skipped S (reason×count)`."""
    reasons = ", ".join(f"{reason}×{count}" for reason, count in sorted(summary.reasons.items()))
    moved = f", moved {summary.moved}" if summary.moved else ""
    line = f"indexed {summary.indexed}, unchanged {summary.unchanged}{moved}, removed {summary.removed}"
    line += f", skipped {len(summary.skipped)}" + (f" ({reasons})" if reasons else "")
    if summary.reused is None:
        return line
    return f"{line}; vectors reused {summary.reused}, embedded {summary.passages - summary.reused}"


def reindexed_line(summary: Summary, before: str, model: str) -> str:
    """What `reindex` did, in a line."""
    if not summary.indexed + summary.unchanged:
        return f"nothing to do: the index is made with {model}"
    reasons = ", ".join(f"{reason}×{count}" for reason, count in sorted(summary.reasons.items()))
    skipped = f", skipped {len(summary.skipped)} ({reasons})" if summary.skipped else ""
    earlier = f", {summary.unchanged} of them in an earlier run" if summary.unchanged else ""
    made = f"made anew with {model} (before: {before}): {summary.indexed + summary.unchanged} documents"
    return f"{made}{earlier}{skipped}"


NARROWEST = 6  # characters of a table's column


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on a terminal; tab-separated lines without a head in a pipe.

    Args:
        columns: The head; there is none where all of them are empty.
        rows: Cells that are a `Text` keep their style and their link.
    """
    if not sys.stdout.isatty():
        for row in rows:
            sys.stdout.write("\t".join(in_line(str(cell)) for cell in row) + "\n")
        return
    from rich.table import Table
    from rich.text import Text

    texts = [[cell if isinstance(cell, Text) else Text(in_line(str(cell))) for cell in row] for row in rows]
    out = console()
    if out.width < NARROWEST * len(columns):  # a column would have no room for its letters
        for cells in texts:
            out.print(Text("  ").join(cells), overflow="fold")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    for cells in texts:
        table.add_row(*cells)
    with out.capture() as drawn:
        out.print(table)
    sys.stdout.write(_FILLED.sub("", drawn.get()))


def print_evaluation(report: Report) -> None:
    """The figures with their 95 % intervals, then risk by coverage, then milliseconds by stage."""
    rows = [
        (section, name, *_figure_cells(figure))
        for section, figures in report.figures.items()
        for name, figure in figures.items()
    ]
    print_table(("", "measure", "value", "95 % interval", "n"), rows)
    if report.risk_coverage:
        points = ", ".join(f"{coverage:.0%}: {risk:.3f}" for coverage, risk in report.risk_coverage)
        print(f"\nwrong, where so many are answered: {points}")
    print()
    timing = [(stage, ms["median"], ms["p95"]) for stage, ms in report.timing_ms.items()]
    print_table(("stage", "median ms", "p95 ms"), timing)


def print_benchmark(report: Benchmark) -> None:
    """The machine, the rows, and what they have to be read with."""
    from ragqa.measure.bench.report import COLUMNS, cells

    print_table(("", ""), report.facts.items())
    print()
    print_table(COLUMNS, cells(report))
    for note in report.notes:
        print(f"\n{in_line(note)}")


def _figure_cells(figure: Figure) -> tuple[object, ...]:
    interval = "" if figure.low is None else f"{figure.low:.3f} to {figure.high:.3f}"
    return f"{figure.value:.3f}", interval, figure.n


def model_rows(installed: Sequence[Manifest], defaults: Sequence[str], room: int) -> Iterator[tuple[str, ...]]:
    """Known and added models: name, use, state, size, licence, source, note, and whether it fits `room` bytes."""
    from ragqa.catalogue import MODELS
    from ragqa.memory import need_of

    manifests = {manifest.name: manifest for manifest in installed}
    for name in dict.fromkeys([*MODELS, *manifests]):
        row, manifest = MODELS.get(name), manifests.get(name)
        state = "ready" if manifest else "installed" if row and row.wheel else "not here"
        size = manifest.size if manifest else row.size if row else 0
        source = manifest.source if manifest else f"hub {row.repo}" if row and row.repo else "package"
        licence = row.licence if row else manifest.licence if manifest else ""
        kind = row.kind if row else manifest.kind if manifest else ""
        strange = kind == "generate" and manifest and manifest.chat_format == "plain"
        note = "no known chat template: asked in plain text" if strange else row.note if row else ""
        need = need_of(kind, size, backend=manifest.backend if manifest else "onnx" if row and row.wheel else "").whole
        yield (
            f"{name} *" if name in defaults else name,
            kind,
            state,
            f"{size / 1e6:.0f} MB",
            licence,
            source,
            note,
            "fits" if need <= room else f"needs {need / 1e6:.0f} MB",
        )


def error_lines(error: RagqaError) -> str:
    """The error as the one door prints it: thing and cause on a line, the next step on another."""
    lines = [f"ragqa: {_one_line(error.message)}"]
    if error.hint:
        lines.append(f"  hint: {_one_line(error.hint)}")
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return shown(" ".join(text.split()))
