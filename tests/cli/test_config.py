"""`ragqa config`: what is set, by whom, and setting it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

import pytest

from ragqa.catalogue import DEFAULTS, Kind
from ragqa.manifest import Manifest, write_manifest
from ragqa.settings import CONFIGURABLE
from tests.conftest import Done, Ragqa

Quick = Callable[..., Done]
MINE = "# mine\r\npassages = 3  # few\r\n\r\nlog = true\r\n"


def config(ragqa: Ragqa, content: str = MINE) -> None:
    ragqa.home.mkdir(exist_ok=True)
    (ragqa.home / "config.toml").write_bytes(content.encode())


def kept(ragqa: Ragqa) -> str:
    return (ragqa.home / "config.toml").read_bytes().decode()


def test_every_setting_is_shown_with_the_place_that_says_so(
    quick: Quick, ragqa: Ragqa, monkeypatch: pytest.MonkeyPatch
):
    config(ragqa, "passages = 3\nquotes = 2\nbudget = 700\n")
    ragqa.write(".ragqa.toml", "quotes = 1\n")
    monkeypatch.setenv("RAGQA_THREADS", "2")
    shown = quick("config", "show", "--json").json
    assert list(shown) == ["home", "config", *CONFIGURABLE]
    assert shown["passages"] == {"value": 3, "from": str(ragqa.home / "config.toml")}
    assert shown["quotes"] == {"value": 1, "from": str(ragqa.cwd / ".ragqa.toml")}
    assert shown["threads"] == {"value": 2, "from": "RAGQA_THREADS"}
    assert shown["log"] == {"value": True, "from": "default"}
    assert shown["home"] == {"value": str(ragqa.home), "from": "RAGQA_HOME"}


def test_in_a_pipe_it_is_a_line_a_setting(quick: Quick):
    done = quick("config")
    assert done.out == quick("config", "show").out
    assert "log\ttrue\tdefault\n" in done.out


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("passages", "8", "passages = 8"),
        ("min_support", "0.25", "min_support = 0.25"),
        ("idle", "20", "idle = 20.0"),
        ("log", "off", "log = false"),
        ("template", "short", 'template = "short"'),
    ],
)
def test_a_value_is_written_with_its_type(quick: Quick, ragqa: Ragqa, name: str, value: str, line: str):
    assert quick("config", "set", name, value).code == 0
    assert kept(ragqa) == f"{line}\n"
    assert quick("config", "show").code == 0


def model(ragqa: Ragqa, name: str, kind: Kind) -> None:
    folder = ragqa.home / "models" / name
    folder.mkdir(parents=True)
    write_manifest(Manifest(name, kind, "llama.cpp", "MIT", "here", (), "ragqa", folder))


def test_a_model_that_is_there_can_be_set(quick: Quick, ragqa: Ragqa):
    model(ragqa, 'my "own"', "generate")
    assert quick("config", "set", "model", 'my "own"').code == 0
    assert kept(ragqa) == 'model = "my \\"own\\""\n'
    assert quick("config", "set", "model", DEFAULTS["generate"]).code == 0
    assert quick("config", "set", "model", "").code == 0


@pytest.mark.parametrize(
    ("name", "value", "code", "said"),
    [
        ("model", "nope", 12, "nope: no such model"),
        ("embed_model", "e5-small-v2", 12, "run `ragqa models pull e5-small-v2`"),
        ("model", "words", 12, "is made to embed, not to generate"),
        ("embed_model", DEFAULTS["generate"], 12, "is made to generate, not to embed"),
        ("template", "nope", 2, "known templates: answer, "),
        ("template", "nope.txt", 2, "no prompt template"),
    ],
)
def test_what_the_next_question_would_not_find_is_not_written(
    quick: Quick, ragqa: Ragqa, name: str, value: str, code: int, said: str
):
    config(ragqa)
    model(ragqa, "words", "embed")
    done = quick("config", "set", name, value)
    assert (done.code, said in done.err, kept(ragqa)) == (code, True, MINE)


def test_a_path_is_the_one_from_the_working_folder(quick: Quick, ragqa: Ragqa):
    quick("config", "set", "db", "mine.db")
    assert quick("config", "show", "--json").json["db"]["value"] == str(ragqa.cwd / "mine.db")


def test_all_else_in_the_file_stays_as_it_is(quick: Quick, ragqa: Ragqa):
    config(ragqa)
    (ragqa.home / "config.toml").chmod(0o640)
    quick("config", "set", "passages", "9")
    assert kept(ragqa) == MINE.replace("3", "9")
    quick("config", "unset", "log")
    assert kept(ragqa) == MINE.replace("3", "9").replace("log = true\r\n", "")
    assert stat.S_IMODE((ragqa.home / "config.toml").stat().st_mode) == 0o640


def test_a_new_file_is_its_owner_s_alone(quick: Quick, ragqa: Ragqa):
    before = os.umask(0o022)
    try:
        quick("config", "set", "passages", "9")
    finally:
        os.umask(before)
    assert stat.S_IMODE((ragqa.home / "config.toml").stat().st_mode) == 0o600
    assert [path.name for path in ragqa.home.iterdir()] == ["config.toml"]


def test_a_link_to_a_file_elsewhere_stays_a_link(quick: Quick, ragqa: Ragqa):
    ragqa.home.mkdir()
    elsewhere = ragqa.write("dotfiles/ragqa.toml", "passages = 3\n")
    (ragqa.home / "config.toml").symlink_to(elsewhere)
    quick("config", "set", "passages", "4")
    assert (ragqa.home / "config.toml").is_symlink()
    assert elsewhere.read_text() == "passages = 4\n"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("passages", "many", "is not a whole number"),
        ("passages", "0", "is out of range"),
        ("min_support", "2", "is out of range"),
        ("log", "perhaps", "is neither true nor false"),
        ("passage", "3", "did you mean 'passages'?"),
        ("home", "/tmp", "unknown setting 'home'"),
    ],
)
def test_what_could_not_be_loaded_is_not_written(quick: Quick, ragqa: Ragqa, name: str, value: str, said: str):
    config(ragqa)
    done = quick("config", "set", name, value)
    assert (done.code, said in done.err, kept(ragqa)) == (2, True, MINE)


@pytest.mark.parametrize("command", [["set", "log", "off"], ["unset", "log"], ["show"]])
def test_a_broken_file_is_refused_and_stays_as_it_is(quick: Quick, ragqa: Ragqa, command: list[str]):
    config(ragqa, "passages = = 3\n")
    done = quick("config", *command)
    assert (done.code, "cannot be read as TOML" in done.err, "at line 1, column 12" in done.err) == (2, True, True)
    assert f"mv {ragqa.home}/config.toml {ragqa.home}/config.toml.damaged" in done.err
    assert kept(ragqa) == "passages = = 3\n"


def test_a_misspelt_key_can_be_taken_out_and_a_wrong_value_set_right(quick: Quick, ragqa: Ragqa):
    config(ragqa, "pasages = 3\nthreads = 'x'\n")
    assert quick("config", "show").code == 2
    assert quick("config", "unset", "pasages").code == 0
    assert quick("config", "set", "threads", "2").code == 0
    assert quick("config", "show", "--json").json["threads"]["value"] == 2


def test_to_unset_what_is_not_set_changes_nothing(quick: Quick, ragqa: Ragqa):
    assert quick("config", "unset", "log").code == 0
    assert quick("config", "unset", "lgo").code == 2
    assert not ragqa.home.exists()


def test_path_is_printed_whatever_the_file_holds(ragqa: Ragqa):
    config(ragqa, "no toml")
    assert ragqa("config", "path").out == f"{ragqa.home}/config.toml\n"
