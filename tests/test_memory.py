"""How much memory a model needs and what there is, from the files in which Linux says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ragqa import memory
from ragqa.catalogue import MODELS
from ragqa.errors import ModelError
from ragqa.memory import MB, Limit, Need, available_memory, limits, need_of, require_room
from tests.conftest import RAGQA, Ragqa

GIB = 2**30


def group(folder: Path, **values: object) -> None:
    """The files of a control group; `__` in a name stands for a full stop."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        (folder / name.replace("__", ".")).write_text(f"{value}\n")


def process(folder: Path, membership: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup").write_text(membership)
    (folder / "status").write_text("Name:\tragqa\nVmSize:\t  1000 kB\nVmData:\t   500 kB\nRssAnon:\t  200 kB\n")
    return folder


def lefts(found: list[Limit]) -> list[int]:
    return [limit.left for limit in found if limit.name == "cgroup"]


def test_a_llama_needs_its_weights_and_what_it_remembers():
    small, large = need_of("generate", 100 * MB, tokens=100), need_of("generate", 2000 * MB, tokens=100)
    assert small.whole - small.private > 100 * MB
    assert large.whole - 2000 * MB > small.whole - 100 * MB
    assert need_of("generate", 100 * MB, tokens=200).private == small.private + 100 * memory.STATE


def test_an_embedder_that_wants_torch_needs_more():
    assert need_of("embed", 100 * MB).whole > need_of("embed", 100 * MB, backend="onnx").whole > 100 * MB


def test_an_8_billion_llama_wants_more_than_5_and_less_than_6_gigabytes():
    assert 5000 * MB < need_of("generate", MODELS["llama-3.1-8b-instruct"].size).whole < 6000 * MB


def test_the_tightest_group_above_a_process_counts_and_what_files_hold_does_not(tmp_path: Path):
    groups = tmp_path / "groups"
    group(groups / "user" / "shell", memory__max="max", memory__current=5, memory__stat="file 0")
    group(groups / "user", memory__max=GIB, memory__current=700 * MB, memory__stat="anon 1\nfile 300000000")
    found = limits(process(tmp_path / "self", "0::/user/shell\n"), groups)
    assert lefts(found) == [GIB - 400 * MB]


def test_groups_of_the_first_version_are_read_too(tmp_path: Path):
    group(
        tmp_path / "groups" / "memory" / "job",
        memory__limit_in_bytes=GIB,
        memory__usage_in_bytes=600 * MB,
        memory__stat="cache 5\ntotal_cache 100000000",
    )
    membership = "7:blkio:/\n4:memory:/job\n0::/\n"
    assert lefts(limits(process(tmp_path / "self", membership), tmp_path / "groups")) == [GIB - 500 * MB]


def test_where_nothing_is_said_the_machines_memory_is_the_limit(tmp_path: Path):
    assert [limit.name for limit in limits(tmp_path, tmp_path)] == ["all there is"]
    assert available_memory(tmp_path / "none") == memory.total_memory() // 2


def test_what_does_not_fit_is_refused_with_both_figures(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "limits", lambda: [Limit("cgroup", 300 * MB), Limit("data", 50 * MB, private=True)])
    require_room("mine", Need(300 * MB, 50 * MB), "")
    with pytest.raises(ModelError) as refused:
        require_room("mine", Need(301 * MB, 0), "ask for less")
    assert refused.value.message == "mine: needs about 301 MB of memory, has 300 MB (cgroup)"
    with pytest.raises(ModelError):
        require_room("mine", Need(60 * MB, 60 * MB), "")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what is used")
@pytest.mark.parametrize("name", ["AS", "DATA"])
def test_a_limit_of_the_shell_is_seen(name: str):
    code = (
        "import resource as r, ragqa.memory as m;"
        f"r.setrlimit(r.RLIMIT_{name}, (1 << 30, 1 << 30));"
        "print([l.left < 1 << 30 for l in m.limits() if 'RLIMIT' in l.name])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[True]\n"


# fault 49
@pytest.mark.parametrize("limit", ["--as=100000000", "--data=50000000"])
def test_too_little_memory_for_the_program_itself_is_one_line(ragqa: Ragqa, limit: str):
    done = ragqa.run(["prlimit", limit, str(RAGQA), "ls"], env={"RAGQA_WARM": "0"})
    assert (done.code, done.out, done.err.count("\n")) == (12, "", 2)
    assert "needs about" in done.err


@pytest.mark.model
@pytest.mark.parametrize("limit", ["--as=170000000", "--as=400000000", "--data=90000000", "--data=200000000"])
def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(notes: Ragqa, limit: str):
    done = notes.run(["prlimit", limit, str(RAGQA), "ask", "When was it lit?"], env={"RAGQA_WARM": "0"})
    assert (done.code, done.out, done.err.count("\n")) == (12, "", 2)
    assert "needs about" in done.err


@pytest.mark.model
def test_quotes_are_given_in_memory_too_small_for_a_llama(notes: Ragqa):
    command = ["prlimit", "--as=400000000", str(RAGQA), "ask", "When was the lighthouse lit?", "--quotes"]
    assert notes.run(command, env={"RAGQA_WARM": "0"}).code == 0


@pytest.mark.model
@pytest.mark.parametrize("limit", ["--as=350000000", "--as=600000000", "--data=250000000"])
def test_indexing_is_refused_where_it_would_be_cut_short(notes: Ragqa, limit: str):
    done = notes.run(["prlimit", limit, str(RAGQA), "index", "notes", "--db", "new.db"], env={"RAGQA_WARM": "0"})
    assert (done.code, done.out, done.err.count("\n")) == (12, "", 2)
    assert "needs about" in done.err
    assert not (notes.cwd / "new.db").exists()


def test_the_list_of_models_says_which_fit(ragqa: Ragqa):
    models = {one["name"].split()[0]: one["memory"] for one in ragqa("models", "list", "--json").json}
    assert all(text == "fits" or text.startswith("needs ") for text in models.values())
    command = ["prlimit", "--as=2000000000", str(RAGQA), "models", "list"]
    rows = [line.split("\t") for line in ragqa.run(command, env={"RAGQA_WARM": "0"}).out.splitlines()]
    fits = {row[0].split()[0]: row[-1] for row in rows}
    assert fits["smollm2-135m-instruct-q4_1"] == "fits"
    assert fits["llama-3.1-8b-instruct"].startswith("needs 5")
