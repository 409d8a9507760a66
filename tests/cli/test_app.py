"""The door that all commands share: names, settings, streams, exit codes. No model is needed here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ragqa.cli.app import app
from ragqa.errors import ModelError
from tests.conftest import CORPUS, RAGQA, Done, Ragqa

HEAVY = ("torch", "onnxruntime", "llama_cpp", "sentence_transformers", "tiktoken", "transformers", "apsw")


def commands() -> list[tuple[str, ...]]:
    """Every command by its words: ("ask",), ("models", "list"), …"""
    top = typer.main.get_command(app).commands
    families = {name: command.commands for name, command in top.items() if hasattr(command, "commands")}
    single = [(name,) for name in top if name not in families]
    return single + [(family, name) for family, members in families.items() for name in members]


def config(ragqa: Ragqa, text: str) -> None:
    ragqa.home.mkdir(exist_ok=True)
    (ragqa.home / "config.toml").write_text(text)


def project(ragqa: Ragqa, text: str) -> None:
    ragqa.write(".ragqa.toml", text)


@pytest.mark.parametrize("name", ["index", "watch"])
def test_a_path_that_may_not_be_read_is_no_wrong_usage(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):  # fault 5
    (tmp_path / "a.md").write_text("Text.")
    monkeypatch.setenv("RAGQA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(os, "access", lambda path, mode, **how: Path(path) != tmp_path / "a.md")
    done = CliRunner().invoke(app, [name, str(tmp_path / "a.md"), "--embed-model", "nowhere"])
    assert isinstance(done.exception, ModelError)


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_help_of_every_command_holds_an_example(command: tuple[str, ...]):
    help = " ".join(CliRunner().invoke(app, [*command, "--help"]).output.split())
    assert re.search(rf"Example: .*\bragqa {' '.join(command)}\b", help)


def test_help_loads_no_heavy_package(ragqa: Ragqa):
    program = (
        "import atexit, os, sys; os._exit = sys.exit; sys.argv = ['ragqa', '--help'];"
        f"atexit.register(lambda: print('loaded', set({HEAVY}) & set(sys.modules), file=sys.stderr));"
        "from ragqa.cli.app import main; main()"
    )
    done = ragqa.run([sys.executable, "-c", program])
    assert "Usage" in done.out
    assert "loaded set()" in done.err


def test_version_is_printed(ragqa: Ragqa):
    assert ragqa("--version").out.startswith("ragqa 0.")


def test_without_arguments_the_next_step_and_the_way_to_help_are_shown(ragqa: Ragqa):
    done = ragqa()
    assert (done.code, done.err) == (0, "")
    assert "ragqa --help" in done.out


def test_anything_that_is_no_command_is_a_question(ragqa: Ragqa):
    ask, short = ragqa("ask", "Who built the bridge?"), ragqa("Who built the bridge?")
    assert (short.code, short.err) == (ask.code, ask.err) == (10, ask.err)


def test_a_question_may_begin_with_an_option(ragqa: Ragqa):
    assert ragqa("--json", "Who built the bridge?").code == 10


def test_a_mistyped_command_is_not_taken_for_a_question(ragqa: Ragqa):
    done = ragqa("serach", "bridge")
    assert done.code == 2
    assert "did you mean `ragqa search`?" in done.err


def test_the_family_of_models_is_reached(ragqa: Ragqa):
    done = ragqa("models", "list")
    assert (done.code, done.err) == (0, "")
    assert "smollm2-135m-instruct-q4_1 *\tgenerate" in done.out


def test_no_index_is_one_line_and_a_hint(ragqa: Ragqa):
    done = ragqa("ask", "Who built the bridge?")
    assert (done.code, done.out) == (10, "")
    assert done.err == (
        f"ragqa: {ragqa.db}: no index yet\n  hint: run `ragqa index FOLDER` first; a sample library lies in {CORPUS}\n"
    )


def test_a_command_to_come_is_not_taken_for_a_question(ragqa: Ragqa):
    done = ragqa("cluster")
    assert (done.code, done.err.splitlines()[0]) == (2, "ragqa: `ragqa cluster` is not in this version")


def test_a_question_without_quotation_marks_is_told_to_use_them(ragqa: Ragqa):
    assert "put the question in quotes" in ragqa("what", "is", "this").err


@pytest.mark.parametrize("command", [["search", "x"], ["similar", "notes", "-c", "x"], ["ls"], ["status"], ["check"]])
def test_every_reading_command_says_that_there_is_no_index(quick: Callable[..., Done], command: list[str]):
    assert quick(*command).code == 10


@pytest.mark.parametrize(
    "arguments",
    [
        ["index", ".", "--embed-model", "e6"],
        ["models", "path", "e6"],
        ["models", "default", "e6"],
        ["models", "verify", "e6"],
        ["models", "pull", "e6"],
    ],
    ids=" ".join,
)
def test_an_unknown_model_is_named(ragqa: Ragqa, quick: Callable[..., Done], arguments: list[str]):
    done = quick(*arguments)
    assert done.code == 12
    assert done.err.startswith("ragqa: e6: ")


def test_a_model_that_is_not_here_says_how_to_get_it(ragqa: Ragqa):
    done = ragqa("index", ".", "--embed-model", "e5-base-v2")
    assert done.code == 12
    assert "ragqa models pull e5-base-v2" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["index"],
        ["ask"],
        ["ask", ""],
        ["ask", "one", "two"],
        ["ask", "--bogus", "x"],
        ["ask", "x", "-n", "0"],
        ["ask", "x", "-n", "many"],
        ["ask", "x", "--min-support", "2"],
        ["ask", "x", "--json", "--plain"],
        ["ask", "x", "--batch", "questions.txt"],
        ["search"],
        ["similar", "notes"],
        ["similar", "notes", "an id", "-c", "a text"],
        ["path", "nowhere"],
        ["models", "nothing"],
        ["--bogus"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_one_line(ragqa: Ragqa, quick: Callable[..., Done], arguments: list[str]):
    done = quick(*arguments)
    assert (done.code, done.out) == (2, "")
    assert [line[:7] for line in done.err.splitlines()] in (["ragqa: "], ["ragqa: ", "  hint:"])


def test_an_unknown_setting_is_an_error_with_the_nearest_name(ragqa: Ragqa):
    done = ragqa("path", "db", "-o", "buget", "800")
    assert done.code == 2
    assert "unknown setting 'buget'" in done.err
    assert "did you mean 'budget'?" in done.err


@pytest.mark.parametrize(
    "option", ["budget", "budget=much", "budget=-1", "min_support=2", "min_support=nan", "threads=1.5", "quotes=true"]
)
def test_a_setting_that_makes_no_sense_is_refused(quick: Callable[..., Done], option: str):
    done = quick("path", "db", "-o", option)
    assert (done.code, done.out) == (2, "")


def test_an_option_takes_name_and_value_as_two_words_or_one(ragqa: Ragqa):
    db = str(ragqa.cwd / "x.db")
    spellings = [["-o", "db", "x.db"], ["-o", "db=x.db"], ["--option", "db", "x.db"], ["--db", "x.db"]]
    assert {ragqa("path", "db", *spelling).out for spelling in spellings} == {f"{db}\n"}


def test_home_holds_everything(ragqa: Ragqa):
    found = [ragqa("path", which).out.strip() for which in ("db", "logs", "models", "config")]
    assert found == [str(ragqa.home / name) for name in ("index.db", "logs.db", "models", "config.toml")]


def test_without_a_home_data_and_config_lie_where_the_platform_wants_them(ragqa: Ragqa):
    script = "unset RAGQA_HOME; ragqa path db; ragqa path config"
    done = ragqa.shell(script, XDG_DATA_HOME="/data", XDG_CONFIG_HOME="/config")
    assert done.out.split() == ["/data/ragqa/index.db", "/config/ragqa/config.toml"]


def test_a_flag_beats_the_environment_beats_the_project_beats_the_user(ragqa: Ragqa):
    config(ragqa, "db = 'user.db'")
    found = [ragqa("path", "db").out]
    project(ragqa, "db = 'project.db'")
    found.append(ragqa("path", "db").out)
    env = {"RAGQA_DB": "environment.db"}
    found += [ragqa("path", "db", env=env).out, ragqa("path", "db", "--db", "flag.db", env=env).out]
    assert [Path(path.strip()) for path in found] == [
        ragqa.home / "user.db",
        ragqa.cwd / "project.db",
        ragqa.cwd / "environment.db",
        ragqa.cwd / "flag.db",
    ]


def test_a_project_counts_in_the_folders_below_it(ragqa: Ragqa):
    project(ragqa, "db = 'project.db'")
    (ragqa.cwd / "a" / "b").mkdir(parents=True)
    assert ragqa("path", "db", cwd=ragqa.cwd / "a" / "b").out == f"{ragqa.cwd}/project.db\n"


@pytest.mark.parametrize(
    "setting",
    [
        "model = 'smollm2-135m-instruct-q4_1'",
        "embed_model = 'e5-base-v2'",
        "db = '../index.db'",
        "db = '/tmp/index.db'",
        "db = '~/index.db'",
        "template = '/tmp/prompt.txt'",
        "template = '../prompt.txt'",
    ],
)
def test_a_project_names_no_model_and_no_path_outside_its_folder(
    ragqa: Ragqa, quick: Callable[..., Done], setting: str
):
    project(ragqa, setting)
    done = quick("path", "db")
    assert (done.code, done.out) == (2, "")
    assert ".ragqa.toml" in done.err


def test_a_project_does_not_reach_outside_through_a_link(ragqa: Ragqa):
    (ragqa.cwd / "link").symlink_to(ragqa.cwd.parent)
    project(ragqa, "db = 'link/index.db'")
    assert ragqa("path", "db").code == 2


@pytest.mark.parametrize("text", ["budgett = 800", "budget = 'much'", "budget =", "\xff\x00"])
def test_a_bad_configuration_is_named_in_one_line(ragqa: Ragqa, quick: Callable[..., Done], text: str):
    config(ragqa, text)
    done = quick("path", "db")
    assert (done.code, done.out) == (2, "")
    assert f"{ragqa.home}/config.toml: " in done.err.splitlines()[0]


def test_closed_stderr_harms_nothing(ragqa: Ragqa):
    done = ragqa.shell("ragqa path db 2>&-; echo $?; ragqa ls 2>&-; echo $?")
    assert done.out.split() == [str(ragqa.db), "0", "10"]


def test_closed_stdin_is_an_empty_question(ragqa: Ragqa):
    assert ragqa.shell("ragqa path db <&-").code == 0


def test_closed_stdout_is_not_success(ragqa: Ragqa):
    done = ragqa.shell("ragqa path db >&-")
    assert done.code == 14
    assert done.err.startswith("ragqa: standard output")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["path db", "--help", "models list"])
def test_a_full_disk_under_stdout_is_not_success(ragqa: Ragqa, command: str, unbuffered: str):
    done = ragqa.shell(f"ragqa {command} >/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert done.code == 14
    assert done.err.startswith("ragqa: standard output: No space left on device")


def test_an_error_that_names_no_file_is_not_blamed_on_stdout(ragqa: Ragqa):
    planted = (
        "from ragqa.cli import models; models.installed = lambda folder: (_ for _ in ()).throw(OSError(28, 'Full'))"
    )
    program = f"import sys; {planted}; sys.argv[1:] = ['models', 'verify']; from ragqa.cli.app import main; main()"
    done = ragqa.run([sys.executable, "-c", program])
    assert (done.code, done.err.splitlines()[0]) == (14, "ragqa: Full")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["path db", "--help", "models list --json"])
def test_a_reader_that_went_away_ends_it_silently(ragqa: Ragqa, command: str, unbuffered: str):
    reading, writing = os.pipe()
    os.close(reading)
    environment = ragqa.environment(PYTHONUNBUFFERED=unbuffered)
    done = subprocess.run([RAGQA, *command.split()], stdout=writing, stderr=subprocess.PIPE, env=environment)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    "env", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}]
)
def test_a_poor_encoding_costs_characters_not_the_command(ragqa: Ragqa, env: dict[str, str]):
    assert ragqa("path", "db", "--db", "Überblick.db", env=env).code == 0
    assert ragqa("ask", "Où est la mémoire?", env=env).code == 10


def test_a_path_is_printed_byte_for_byte(ragqa: Ragqa):
    assert ragqa.shell("ragqa path db --db $'\\xff.db' | od -An -c").out.split()[-5:] == ["377", ".", "d", "b", "\\n"]


def test_a_message_never_obeys_what_it_quotes(ragqa: Ragqa):
    done = ragqa("path", "db", "-o", "\x1b[2J\x9b\u202egone\nragqa: all is well")
    assert done.code == 2
    assert "\\x1b[2J" in done.err
    assert not {"\x1b", "\x9b", "\u202e"} & set(done.err)
    assert len(done.err.splitlines()) == 2


def test_debug_shows_the_traceback(ragqa: Ragqa):
    done = ragqa.run([sys.executable, "-m", "ragqa", "ls"], env={"RAGQA_DEBUG": "1"})
    assert done.code == 10
    assert "Traceback" in done.err


def test_a_path_that_is_missing_is_refused_before_any_model_is_made_ready(ragqa: Ragqa):
    done = ragqa("index", "missing")
    assert done.code == 2
    assert not (ragqa.home / "models").exists()


def test_a_folder_that_is_gone_is_one_line(ragqa: Ragqa):
    done = ragqa.shell("mkdir gone && cd gone && rmdir ../gone && ragqa path db")
    assert (done.code, done.out) == (0, f"{ragqa.db}\n")


@pytest.mark.parametrize("content", [b"SQLite format 3\0" + bytes(4000), b"no database" * 1000, b"x"])
@pytest.mark.parametrize("command", ["status", "check", "ls"])
def test_a_file_that_is_no_index_is_refused_and_left_alone(ragqa: Ragqa, content: bytes, command: str):
    ragqa.home.mkdir()
    ragqa.db.write_bytes(content)
    done = ragqa(command)
    assert done.code == 13
    assert ragqa.db.read_bytes() == content
