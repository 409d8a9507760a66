"""The shell scripts, in a copy of the repository whose environment is a stand-in: nothing is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import RAGQA, ROOT, Ragqa

SCRIPTS = [path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file()]  # no bytecode of Python
SHELL_SCRIPTS = [path for path in SCRIPTS if b"bash" in path.read_bytes()[:40]]
TOOLS = ["bash", "cat", "cksum", "dirname", "readlink", "df", "awk", "tail", "sleep", "env", "rm", "mkdir"]
# Says each argument on a line of its own, quoted so that bash would read it back; `path db` says where the index is.
STAND_IN = """#!/usr/bin/env bash
if [[ $1 == path ]]; then echo "$INDEX"; exit; fi
if [[ $1 == index ]]; then echo "indexing $2" >&2; touch "${@: -1}"; exit "${STOPPED:-0}"; fi
printf '%s\\0' "$@"
exit "${CODE:-0}"
"""


@dataclass(frozen=True)
class Checkout:
    """A copy of the repository with nothing in it but what the scripts look at."""

    root: Path

    def program(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run(self, script: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"INDEX": str(self.root / "pyproject.toml")} | env
        command = [str(script), *arguments]
        return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, timeout=60)

    def tools(self, names: Iterable[str]) -> str:
        """A PATH that holds these tools and no others."""
        folder = self.root / "tools"
        folder.mkdir(exist_ok=True)
        for name in names:
            (folder / name).symlink_to(shutil.which(name) or pytest.skip(f"{name} is not here"))
        return str(folder)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "a checkout"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    for name in ("constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    return Checkout(root)


@pytest.fixture
def ready(checkout: Checkout) -> Checkout:
    """A checkout that looks as if it had been set up."""
    checkout.program(".venv/bin/ragqa", STAND_IN)
    pinned = (checkout.root / "constraints.txt").read_bytes() + (checkout.root / "pyproject.toml").read_bytes()
    stamp = subprocess.run(["cksum"], input=pinned, capture_output=True, check=True).stdout
    (checkout.root / ".venv" / ".installed").write_bytes(stamp)
    return checkout


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda path: path.name)
def test_bash_can_read_it(script: Path):
    assert subprocess.run(["bash", "-n", script]).returncode == 0
    assert os.access(script, os.X_OK)


def test_ask_passes_every_argument_on_unchanged(ready: Checkout):
    arguments = ["two  words", 'it\'s "quoted"', "$(touch x) `touch y` $HOME", "line\nbreak", "*", "", "-n", "--", "\\"]
    done = ready.run(ready.root / "scripts" / "ask", *arguments)
    assert done.stdout == "\0".join(["ask", *arguments, ""])
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("code", [2, 4, 141])
def test_ask_ends_with_the_exit_code_of_ragqa(ready: Checkout, code: int):
    assert ready.run(ready.root / "scripts" / "ask", "Is it lit?", CODE=str(code)).returncode == code


def test_ask_works_through_links_from_another_folder(ready: Checkout, tmp_path: Path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "first").symlink_to(ready.root / "scripts" / "ask")
    (tmp_path / "bin" / "second").symlink_to("first")
    done = ready.run(tmp_path / "bin" / "second", "Is it lit?")
    assert (done.returncode, done.stdout) == (0, "ask\0Is it lit?\0")


def test_without_an_index_the_sample_library_is_indexed_first(ready: Checkout, tmp_path: Path):
    done = ready.run(ready.root / "scripts" / "ask", "Is it lit?", INDEX=str(tmp_path / "none.db"))
    assert done.stderr == f"indexing {ready.root / 'corpus'}\n"
    assert done.stdout == "ask\0Is it lit?\0"
    assert (tmp_path / "none.db").exists()


def test_indexing_the_sample_library_is_taken_up_again_after_a_stop(ready: Checkout, tmp_path: Path):
    ask = ready.root / "scripts" / "ask"
    assert ready.run(ask, "Is it lit?", INDEX=str(tmp_path / "none.db"), STOPPED="130").returncode == 130
    assert ready.run(ask, "Is it lit?", INDEX=str(tmp_path / "none.db")).stderr.startswith("indexing")


def test_an_index_of_ones_own_is_not_touched(ready: Checkout, tmp_path: Path):
    done = ready.run(ready.root / "scripts" / "ask", "--db", "mine.db", "Is it lit?", INDEX=str(tmp_path / "none.db"))
    assert done.stderr == ""


def test_set_up_does_nothing_twice(ready: Checkout):
    path = ready.tools(["bash", "cat", "cksum", "dirname", "env"])
    done = ready.run(ready.root / "scripts" / "setup", PATH=path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("missing", ["no C compiler", "no C++ compiler"])
def test_a_missing_compiler_is_said_in_one_line(checkout: Checkout, missing: str):
    path = checkout.tools(TOOLS)
    if missing == "no C++ compiler":
        checkout.program("tools/cc", "#!/bin/sh\n")
    done = checkout.run(checkout.root / "scripts" / "ask", "Is it lit?", PATH=path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"ragqa: {missing}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("python", [None, "#!/bin/sh\nexit 1\n"], ids=["none", "too old"])
def test_a_missing_python_is_said_in_one_line(checkout: Checkout, python: str | None):
    path = checkout.tools(name for name in TOOLS if name != "df")
    checkout.program("tools/df", "#!/bin/sh\necho head\necho disk 9999999 0 9999999 0% /\n")
    for name in ("cc", "c++"):
        checkout.program(f"tools/{name}", "#!/bin/sh\n")
    if python:
        checkout.program("tools/python3", python)
    done = checkout.run(checkout.root / "scripts" / "setup", PATH=path, PYTHON="")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ragqa: no Python of version 3.11 or newer")
    assert done.stderr.count("\n") == 1


def test_a_full_disk_is_said_in_one_line(checkout: Checkout):
    path = checkout.tools(name for name in TOOLS if name != "df")
    for name in ("cc", "c++"):
        checkout.program(f"tools/{name}", "#!/bin/sh\n")
    checkout.program("tools/df", "#!/bin/sh\necho head\necho disk 9999999 0 102400 0% /\n")
    done = checkout.run(checkout.root / "scripts" / "setup", PATH=path)
    assert done.returncode == 1
    assert "has 100 MB free" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_step_that_fails_says_where_its_story_is(checkout: Checkout):
    path = checkout.tools(name for name in TOOLS if name != "df")
    for name in ("cc", "c++"):
        checkout.program(f"tools/{name}", "#!/bin/sh\n")
    checkout.program("tools/df", "#!/bin/sh\necho head\necho disk 9999999 0 9999999 0% /\n")
    checkout.program("tools/python3", "#!/bin/sh\nexit 0\n")
    checkout.program(".venv/bin/python", "#!/bin/sh\necho no such wheel\nexit 1\n")
    done = checkout.run(checkout.root / "scripts" / "setup", PATH=path)
    assert done.returncode == 1
    assert "no such wheel" in done.stderr
    assert "setup.log" in done.stderr.splitlines()[-1]
    assert not (checkout.root / ".venv" / ".installed").exists()


# Stand-ins for what `scripts/bench` runs: ragqa lists `$ROOMS` or says what it is told to measure.
BENCH_RAGQA = """#!/usr/bin/env bash
if [[ $2 == --list ]]; then printf '%s\\n' "$ROOMS"; exit "${CODE:-0}"; fi
if [[ $1 == index ]]; then touch "$4"; echo "$RAGQA_HOME ${RAGQA_EMBED_MODEL:-}" >"$4.home"; exit; fi
echo "$@"
"""
BENCH_PYTHON = """#!/usr/bin/env bash
if [[ $2 == *load_settings* ]]; then echo "$MODELS"; exit; fi
if [[ $2 == *open_index* ]]; then echo "$PASSAGES" >"$4"; exit; fi
mkdir "$3"
"""
BENCH_LLM = """#!/usr/bin/env bash
if [[ $1 == embed-multi ]]; then echo "$3" >>"$BENCHED"; echo vectors >"${@: -1}"; exit "${STOPPED:-0}"; fi
"""


@pytest.fixture
def bench(ready: Checkout) -> Checkout:
    """A checkout in which the peer of `scripts/bench` is installed and nothing is embedded."""
    ready.program(".venv/bin/ragqa", BENCH_RAGQA)
    ready.program(".venv/bin/python", BENCH_PYTHON)
    return ready


@dataclass(frozen=True)
class Benched:
    checkout: Checkout

    def __call__(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        root = self.checkout.root
        given = {"ROOMS": "cold", "PASSAGES": "one", "MODELS": str(root / "models"), "BENCHED": str(root / "benched")}
        return self.checkout.run(root / "scripts" / "bench", *arguments, **given | env)

    @property
    def embedded(self) -> int:
        """How often passages were embedded."""
        benched = self.checkout.root / "benched"
        return len(benched.read_text().splitlines()) if benched.exists() else 0


@pytest.fixture
def benched(bench: Checkout) -> Benched:
    bench.program(".bench/venv/bin/llm", BENCH_LLM)
    bench.program(".bench/venv/.installed", "")
    return Benched(bench)


def test_what_bench_refuses_is_refused_before_the_peer_is_set_up(bench: Checkout):
    assert Benched(bench)("--rounds", "none", CODE="2").returncode == 2
    assert not (bench.root / ".bench").exists()


def test_without_a_room_that_uses_it_no_peer_is_set_up(bench: Checkout):
    done = Benched(bench)("limits", ROOMS="limits")
    assert (done.returncode, done.stdout) == (0, "bench limits\n")
    assert not (bench.root / ".bench").exists()


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not here")
def test_passages_are_embedded_once_and_again_when_they_are_others(benched: Benched):
    peer = benched.checkout.root / ".bench"
    assert benched("cold").stdout == f"bench --peer {peer} cold\n"
    benched("cold")
    assert benched.embedded == 1
    benched("cold", PASSAGES="two")
    assert (benched.embedded, (peer / "passages.jsonl").read_text()) == (2, "two\n")


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not here")
def test_embedding_that_was_stopped_is_done_again(benched: Benched):
    assert benched("cold", STOPPED="1").returncode == 1
    assert not (benched.checkout.root / ".bench" / "passages.jsonl").exists()
    assert benched("cold").returncode == 0
    assert benched.embedded == 2


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not here")
def test_the_peers_passages_are_made_without_settings_of_the_users_own(benched: Benched):
    benched("cold", RAGQA_EMBED_MODEL="mine", RAGQA_HOME="/mine")
    bench = benched.checkout.root / ".bench"
    assert (bench / "index.db.home").read_text() == f"{bench / 'home'} \n"
    assert (bench / "home" / "models").resolve() == benched.checkout.root / "models"


# The article's way. `ragqa` says what it was asked, and so does what is asked of `similar`; jq is the real one.
ARTICLE = """#!/usr/bin/env bash
printf '%s\\0' "$@" >>"$ASKED"
printf '\\1' >>"$ASKED"
if [[ $1 == similar ]]; then
  [[ ${CODE:-} ]] && exit "$CODE"
  printf '%s\\n' '{"id": "a#1", "score": 0.9, "content": "It is \\"lit\\".", "metadata": null}' '{"content": "Second."}'
else
  [[ " $* " == *" --with - "* ]] && cat
  echo "an answer"
fi
"""


@dataclass(frozen=True)
class Blog:
    """The article's script beside a `ragqa` that writes down what it is asked."""

    checkout: Checkout

    @property
    def asked(self) -> list[list[str]]:
        log = self.checkout.root / "asked"
        calls = log.read_bytes().decode().split("\1")[:-1] if log.exists() else []
        return [call.split("\0")[:-1] for call in calls]

    def run(self, *arguments: str, tools: Iterable[str] = ("jq",), **env: str) -> subprocess.CompletedProcess[str]:
        path = self.checkout.tools([*("bash", "cat", "env"), *tools])
        (self.checkout.root / "tools" / "ragqa").write_text(ARTICLE)
        (self.checkout.root / "tools" / "ragqa").chmod(0o755)
        script = self.checkout.root / "scripts" / "blog-answer.sh"
        return self.checkout.run(script, *arguments, PATH=path, ASKED=str(self.checkout.root / "asked"), **env)


@pytest.fixture
def blog(checkout: Checkout) -> Blog:
    return Blog(checkout)


HARD = 'It\'s "lit", $(touch hacked) `touch hacked` \\n *\nand on two lines; -x'


def test_the_passages_of_similar_are_what_the_llama_is_asked_about(blog: Blog):
    done = blog.run("When was it lit?")
    assert (done.returncode, done.stdout) == (0, 'It is "lit".\n\nSecond.\nan answer\n')
    similar, ask = blog.asked
    assert similar == ["similar", "-n", "5", "-c", "query: When was it lit?"]
    assert ask[-2:] == ["--", "When was it lit?"]
    assert ask[:-3] == ["ask", "--with", "-", "-t", "paragraph", "-s"]


def test_the_short_way_is_one_command(blog: Blog):
    done = blog.run("--short", "-c", "notes", "When?", tools=())
    assert (done.returncode, done.stdout) == (0, "an answer\n")
    assert blog.asked == [["ask", "--plain", "-c", "notes", "--", "When?"]]


@pytest.mark.parametrize("form", [[], ["--short"]], ids=["long", "short"])
@pytest.mark.parametrize("question", [HARD, "-x", "--helpless", "*"])
def test_no_question_is_read_by_the_shell_or_taken_for_an_option(blog: Blog, form: list[str], question: str):
    assert blog.run(*form, question).returncode == 0
    assert [call[-1].removeprefix("query: ") for call in blog.asked] == [question] * len(blog.asked)
    assert blog.asked[-1][-2] == "--"
    assert not list(blog.checkout.root.rglob("hacked"))


@pytest.mark.parametrize("form", [[], ["--short"]], ids=["long", "short"])
def test_without_a_ragqa_on_the_path_the_checkout_s_own_is_taken(blog: Blog, form: list[str]):
    blog.checkout.program(".venv/bin/ragqa", ARTICLE)
    (blog.checkout.root / "ragqa").mkdir()
    (blog.checkout.root / "linked").symlink_to("scripts/blog-answer.sh")
    env = os.environ | {"PATH": blog.checkout.tools(["bash", "cat", "env", "jq", "readlink"])}
    env["ASKED"] = str(blog.checkout.root / "asked")
    for script in ("scripts/blog-answer.sh", "./linked"):
        done = subprocess.run(
            [script, *form, "When?"], env=env, cwd=blog.checkout.root, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stdout.splitlines()[-1], done.stderr) == (0, "an answer", "")


@pytest.mark.parametrize("form", [[], ["--short"]], ids=["long", "short"])
def test_without_any_ragqa_the_way_out_is_said_in_one_line(checkout: Checkout, form: list[str]):
    (checkout.root / "ragqa").mkdir()
    env = os.environ | {"PATH": checkout.tools(["bash", "env", "jq"])}
    script = ["scripts/blog-answer.sh", *form, "When?"]
    done = subprocess.run(script, env=env, cwd=checkout.root, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr == "blog-answer.sh: ragqa is not installed; scripts/setup does that\n"


def test_a_collection_is_passed_on(blog: Blog):
    assert blog.run("-c", "my notes", "When?").returncode == 0
    assert blog.asked[0][:2] == ["similar", "my notes"]


@pytest.mark.parametrize("code", ["4", "10", "12"])
def test_where_similar_fails_nothing_is_asked_and_its_exit_code_is_the_script_s(blog: Blog, code: str):
    done = blog.run("When?", CODE=code)
    assert (done.returncode, done.stdout) == (int(code), "")
    assert len(blog.asked) == 1


def test_without_jq_the_way_out_is_said_in_one_line(blog: Blog):
    done = blog.run("When?", tools=())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "blog-answer.sh: jq is not installed; --short does without it\n"


@pytest.mark.parametrize("arguments", [[], [""], ["-c", "notes", "--short"], ["--long", "When?"], ["--help"]], ids=str)
def test_a_call_that_makes_no_sense_is_told_the_usage(blog: Blog, arguments: list[str]):
    done = blog.run(*arguments)
    assert (done.returncode, done.stdout, blog.asked) == (2, "", [])
    assert done.stderr == "usage: blog-answer.sh [--short] [-c COLLECTION] QUESTION\n"


@pytest.mark.model
@pytest.mark.parametrize("form", [[], ["--short"]], ids=["long", "short"])
def test_the_article_s_script_answers_from_the_notes(notes: Ragqa, form: list[str]):
    script = [str(ROOT / "scripts" / "blog-answer.sh"), *form, "-c", "notes", "When was the lighthouse first lit?"]
    path = f"{RAGQA.parent}{os.pathsep}{os.environ['PATH']}"
    done = notes.run(script, env={"PATH": path})
    assert (done.code, done.err) == (0, "")
    assert "1894" in done.out
    assert ("light.md:3" if form else "-:") in done.out
