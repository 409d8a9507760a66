"""What commands take, measured on commands that take hardly anything."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ragqa.measure.bench.cold import ASKED, END, Command, Taken, measure_commands, rows_of
from ragqa.measure.bench.processes import CommandFailed, Run, measured

BIG = 200_000_000  # bytes


def python(program: str, *, codes: tuple[int, ...] = (0,), folder: Path = Path("/")) -> Run:
    return measured([sys.executable, "-c", program], environment=os.environ, folder=folder, codes=codes)


def test_a_command_takes_time_and_memory():
    run = python("print('here')")
    assert run.code == 0
    assert run.output.split() == [b"here"]
    assert run.cpu > 0
    assert 0 < run.first <= run.last <= run.wall
    assert run.peak > 1_000_000


def test_memory_of_whoever_measures_is_not_counted():
    held = bytearray(BIG)
    held[::4096] = b"x" * len(held[::4096])  # in use, not just promised
    assert python("pass").peak < BIG


def test_processes_that_a_command_starts_and_waits_for_count_too():
    child = f"bytearray({BIG})[::4096] and len(bytes({BIG}).replace(b'0', b'1'))"
    assert python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])").peak > BIG


def test_output_is_noted_when_it_comes():
    come = run(2.0, (1.0, "Answer “"), (1.5, "quoted"), (1.75, "” [1]"))
    assert (come.first, come.first_of("“quoted”"), come.last) == (1.0, 1.75, 1.75)


def test_what_is_shown_while_one_waits_counts_for_what_is_seen_first_but_not_as_output():
    waited = replace(run(2.0, (1.5, "“quoted”")), shown=((0.25, b"searching"), (0.5, "“quoted”".encode())))
    assert (waited.first_of("“"), waited.first, waited.last) == (0.5, 1.5, 1.5)
    assert waited.output.decode() == "“quoted”"


def test_what_never_comes_counts_until_the_end():
    run = python("pass")
    assert run.first == run.last == run.first_of("“") == run.wall


def test_output_and_error_are_terminals_and_input_is_empty():
    run = python("import sys; print(sys.stdout.isatty(), sys.stderr.isatty(), repr(sys.stdin.read()))")
    assert run.output.split() == [b"True", b"True", b"''"]


def test_output_and_error_are_told_apart():
    run = python("import sys; print('out'); print('err', file=sys.stderr)")
    assert (run.output.strip(), b"".join(piece for _second, piece in run.shown).strip()) == (b"out", b"err")


def test_a_command_runs_where_it_is_told_to(tmp_path: Path):
    assert python("import os; print(os.getcwd())", folder=tmp_path).output.strip() == os.fsencode(tmp_path.resolve())


def test_exit_codes_that_mean_work_done_are_kept():
    assert python("raise SystemExit(4)", codes=(0, 4)).code == 4


def test_a_command_that_fails_is_named_with_what_it_said():
    with pytest.raises(CommandFailed, match=r"ended with 7: no such thing") as error:
        python("import sys; print('no such thing', file=sys.stderr); sys.exit(7)")
    assert error.value.hint


def test_a_command_that_was_killed_is_no_measurement():
    with pytest.raises(CommandFailed, match="ended with -9"):
        python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")


def test_a_command_that_is_not_there_is_named():
    with pytest.raises(CommandFailed, match="no-such-command: cannot be started: No such file"):
        measured(["no-such-command"], environment=os.environ, folder=Path("/"))


def test_an_interrupted_command_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    note = tmp_path / "process"
    program = (
        f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); print('x', flush=True); time.sleep(60)"
    )

    def interrupted(terminals: Sequence[int]) -> None:
        os.read(terminals[0], 1)
        raise KeyboardInterrupt

    monkeypatch.setattr("ragqa.measure.bench.processes._read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        python(program)
    process = int(note.read_text())
    for _ in range(500):
        if not _runs(process):
            break
        time.sleep(0.01)
    assert not _runs(process)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def run(wall: float, *arrivals: tuple[float, str]) -> Run:
    return Run(0, wall, wall / 2, 100_000_000, tuple((second, text.encode()) for second, text in arrivals))


COMMANDS = {
    "ask": Command(["ask"], {}, Path("/"), ASKED, beside="pipeline"),
    "pipeline": Command(["pipeline"], {}, Path("/"), (END,)),
    "stages": Command(["ask", "--json"], {}, Path("/"), (), staged=True),
}
RUNS = {
    "ask": [run(2.0, (1.0, "Answer "), (1.5, "“quoted”"), (1.75, "end"))],
    "pipeline": [run(10.0, (8.0, "words"), (9.5, "words"))],
    "stages": [run(2.0, (1.9, '{"timing_ms": {"open": 40, "embed": 60, "total": 1200}}'))],
}


def test_the_first_quotation_is_held_against_the_first_word_of_a_program_that_quotes_nothing():
    first, last, cpu, memory = rows_of("ask", COMMANDS, RUNS)
    assert (first.name, first.samples, first.beside, first.references) == (
        "ask, first quotation",
        [1.5],
        "pipeline",
        [8.0],
    )
    assert (last.samples, last.references) == ([1.75], [9.5])
    assert (cpu.samples, cpu.references) == ([1.0], [5.0])
    assert (memory.unit, memory.samples) == ("MB", [100.0])


def test_beside_another_ragqa_its_first_quotation_counts_wherever_it_was_seen():
    cold = replace(run(2.0, (1.5, "“quoted”")), shown=((0.5, "“quoted”".encode()),))
    commands = {"warm": Command(["ask"], {}, Path("/"), ASKED[:1], beside="cold"), "cold": COMMANDS["ask"]}
    (row,) = rows_of("warm", commands, {"warm": RUNS["ask"], "cold": [cold]})
    assert row.references == [0.5]


def test_a_command_beside_nothing_has_rows_of_its_own():
    (row,) = rows_of("pipeline", COMMANDS, RUNS)
    assert (row.name, row.samples, row.beside) == ("pipeline, end", [10.0], "")


def test_stages_are_those_of_the_answer_and_what_python_took_besides():
    assert [(row.name, row.samples) for row in rows_of("stages", COMMANDS, RUNS)] == [
        ("stage Python itself", [800.0]),
        ("stage open", [40.0]),
        ("stage embed", [60.0]),
    ]


def test_commands_are_run_once_before_they_are_measured(tmp_path: Path):
    program = "open('runs', 'a').write('x')"
    code = Taken("code", "share", lambda run: float(run.code))
    rows = measure_commands(
        {"a": Command([sys.executable, "-c", program], os.environ, tmp_path, (code,))}, 2, lambda done, total: None
    )
    assert (tmp_path / "runs").read_text() == "xxx"
    assert [(row.name, list(row.samples)) for row in rows] == [("a, code", [0.0, 0.0])]
