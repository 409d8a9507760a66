"""Which value wins, and which are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragqa.config_file import write_setting
from ragqa.errors import UsageError
from ragqa.settings import PROJECT_FILE, Settings, load_settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "deep").mkdir(parents=True)
    return folder


def load(home: Path, directory: Path, environ: dict[str, str] | None = None, **flags: object) -> Settings:
    return load_settings({"RAGQA_HOME": str(home)} | (environ or {}), directory, flags)


def test_without_files_the_defaults_hold(home: Path, project: Path):
    settings = load(home, project)
    assert settings == Settings(home=home, config=home / "config.toml", db=home / "index.db")
    assert (settings.models, settings.logs) == (home / "models", home / "logs.db")


def test_each_layer_overrules_the_one_below(home: Path, project: Path):
    (home / "config.toml").write_text("passages = 1\nthreads = 1\nquotes = 1\nbudget = 1\n")
    (project / PROJECT_FILE).write_text("threads = 2\nquotes = 2\nbudget = 2\n")
    settings = load(home, project / "deep", {"RAGQA_THREADS": "3"}, budget=4, quotes=None)
    assert (settings.passages, settings.quotes, settings.threads, settings.budget) == (1, 2, 3, 4)


def test_a_path_is_relative_to_where_it_is_written(home: Path, project: Path):
    (project / PROJECT_FILE).write_text('db = "mine.db"\n')
    assert load(home, project / "deep").db == project / "mine.db"
    assert load(home, project / "deep", {"RAGQA_DB": "other.db"}).db == project / "deep" / "other.db"
    assert load(home, project, {"RAGQA_DB": "~/x.db"}).db == Path("~/x.db").expanduser()


@pytest.mark.parametrize("line", ['model = "x"', 'embed_model = "x"'])
def test_a_project_can_name_no_model(home: Path, project: Path, line: str):
    (project / PROJECT_FILE).write_text(line)
    with pytest.raises(UsageError):
        load(home, project)


@pytest.mark.parametrize("db", ["../x.db", "/tmp/x.db", "deep/../../x.db", "link/x.db", "~/x.db"])
def test_a_project_can_name_no_index_outside_its_folder(home: Path, project: Path, db: str):
    (project / "link").symlink_to("/tmp")
    (project / PROJECT_FILE).write_text(f'db = "{db}"')
    with pytest.raises(UsageError):
        load(home, project)


@pytest.mark.parametrize("template", ["/etc/passwd.txt", "../x.txt", "~/x.txt"])
def test_a_project_can_name_no_template_outside_its_folder(home: Path, project: Path, template: str):
    (project / PROJECT_FILE).write_text(f'template = "{template}"')
    with pytest.raises(UsageError):
        load(home, project)


def test_an_unknown_key_is_refused_with_the_nearest_known_one(home: Path, project: Path):
    (home / "config.toml").write_text("pasages = 3\n")
    with pytest.raises(UsageError) as refused:
        load(home, project)
    assert "'passages'" in refused.value.hint
    assert "config.toml" in refused.value.message


@pytest.mark.parametrize("name", ["home", "config"])
def test_a_file_cannot_move_the_home(home: Path, project: Path, name: str):
    (home / "config.toml").write_text(f'{name} = "/tmp"\n')
    with pytest.raises(UsageError):
        load(home, project)


@pytest.mark.parametrize(
    "line",
    [
        'passages = "many"',
        "passages = -1",
        "passages = true",
        "passages = 2.5",
        "passages = inf",
        "passages = []",
        "min_support = 1.5",
        "min_support = -0.1",
        "min_support = nan",
        "template = 3",
        "db = 3",
        "not toml",
        "a = '\ufffe\n",
    ],
)
def test_a_value_of_the_wrong_kind_or_range_is_refused(home: Path, project: Path, line: str):
    (home / "config.toml").write_text(line)
    with pytest.raises(UsageError):
        load(home, project)


@pytest.mark.parametrize(("said", "meant"), [("0", False), ("off", False), ("No", False), ("1", True), ("TRUE", True)])
def test_yes_and_no_may_be_said_in_several_ways(home: Path, project: Path, said: str, meant: bool):
    assert load(home, project, {"RAGQA_LOG": said}).log is meant
    (home / "config.toml").write_text(f"log = {str(meant).lower()}")
    assert load(home, project).log is meant


@pytest.mark.parametrize("line", ["log = 1", "log = 0.0", "log = 'perhaps'", "log = []", "threads = true"])
def test_what_is_neither_yes_nor_no_is_refused(home: Path, project: Path, line: str):
    (home / "config.toml").write_text(line)
    with pytest.raises(UsageError):
        load(home, project)


def test_a_file_that_is_not_text_is_refused(home: Path, project: Path):
    (home / "config.toml").write_bytes(b"template = '\xff'")
    with pytest.raises(UsageError):
        load(home, project)


def test_an_unknown_home_of_somebody_is_refused(home: Path, project: Path):
    with pytest.raises(UsageError):
        load(home, project, {"RAGQA_DB": "~nobody-of-that-name/x.db"})


def test_an_index_and_a_history_that_are_links_are_the_files_they_name(home: Path, project: Path):  # fault 64
    """What lies beside them, a lock or a log, is found by whoever comes by either name."""
    (project / "named.db").symlink_to(project / "real.db")
    (home / "logs.db").symlink_to("elsewhere.db")
    settings = load_settings({"RAGQA_HOME": str(home)}, project, {"db": "named.db"})
    assert (settings.db, settings.logs) == ((project / "real.db").resolve(), (home / "elsewhere.db").resolve())
    (home / "index.db").symlink_to(project / "real.db")
    assert load_settings({"RAGQA_HOME": str(home)}, project).db == (project / "real.db").resolve()


def test_a_path_that_cannot_be_one_is_refused(home: Path, project: Path):
    (home / "config.toml").write_text('db = "a\\u0000b"')
    with pytest.raises(UsageError, match="is not a path"):
        load_settings({"RAGQA_HOME": str(home)}, project)


def test_an_empty_variable_counts_as_not_set(home: Path, project: Path):
    assert load(home, project, {"RAGQA_THREADS": "", "RAGQA_MODEL": ""}).threads == 0


def test_cores_are_the_threads_asked_for_or_those_there_are(home: Path, project: Path):
    assert load(home, project, threads=3).cores == 3
    assert load(home, project).cores >= 1


def test_a_setting_is_written_beside_what_is_there(home: Path, project: Path):
    config = home / "config.toml"
    config.write_text("# mine\npassages = 3  # few\n")
    write_setting(config, "model", 'my "own"')
    assert config.read_text().startswith("# mine\npassages = 3  # few\n")
    assert (load(home, project).model, load(home, project).passages) == ('my "own"', 3)
    assert [path.name for path in home.iterdir()] == ["config.toml"]
