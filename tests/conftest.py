"""The real command, run as a user runs it; and, for the slow tests, the real models, made ready once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from ragqa.catalogue import DEFAULTS

# No test depends on the clock, nor on luck: every run tries the same examples. `pytest --hypothesis-profile explore`
# tries others.
settings.register_profile("same", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("explore", settings.get_profile("same"), derandomize=False, print_blob=True)
settings.load_profile("same")

# A shell that runs the tests in the background has them ignore Ctrl-C, and every program that they start inherits it.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

ROOT = Path(__file__).resolve().parent.parent
RAGQA = Path(sys.executable).parent / "ragqa"
CORPUS = ROOT / "corpus"
LIGHTHOUSE = "The lighthouse was first lit in 1894. It burned colza oil.\n"
BREAD = "Bread keeps longest in a wooden box with holes for the air.\n"


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Ragqa:
    """`ragqa` as a process of its own, in folder `cwd`, with everything it keeps in `home`."""

    home: Path
    cwd: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def db(self) -> Path:
        return self.home / "index.db"

    def environment(self, **env: str) -> dict[str, str]:
        own = {
            k: v for k, v in os.environ.items() if not k.startswith(("RAGQA_", "LC_", "COLUMNS", "PYTHONUNBUFFERED"))
        }
        # Two threads of llama.cpp wait for each other busily; on a machine with other work to do one is faster.
        return own | {"RAGQA_HOME": str(self.home), "RAGQA_THREADS": "1", "LANG": "C.UTF-8"} | self.env | env

    def __call__(
        self, *arguments: object, stdin: str | bytes = b"", cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> Done:
        """Run to the end. Whatever happens, no traceback."""
        command = [os.fsencode(RAGQA), *map(_bytes, arguments)]
        done = self.run(command, stdin=stdin, cwd=cwd, env=env)
        assert "Traceback" not in done.err, done.err
        return done

    def shell(self, script: str, **env: str) -> Done:
        """Run a line of bash in which `ragqa` is the command under test."""
        path = f"{RAGQA.parent}{os.pathsep}{os.environ['PATH']}"
        return self.run(["bash", "-c", script], env={"PATH": path} | env)

    def run(
        self,
        command: Sequence[str | bytes],
        *,
        stdin: str | bytes = b"",
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> Done:
        done = subprocess.run(
            command,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=cwd or self.cwd,
            env=self.environment(**(env or {})),
            timeout=240,
        )
        return Done(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def write(self, name: str, content: str | bytes) -> Path:
        """A file below the working folder."""
        path = self.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_bytes(content))
        return path


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else os.fsencode(str(value))


@pytest.fixture
def ragqa(tmp_path: Path) -> Ragqa:
    """The command with an empty home: for all that needs no model."""
    (tmp_path / "work").mkdir()
    return Ragqa(tmp_path / "home", tmp_path / "work")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both embedded models, ready. RAGQA_TEST_MODELS names a folder that has them, to save half a minute."""
    given = os.environ.get("RAGQA_TEST_MODELS")
    if given and all((Path(given) / name / "manifest.json").is_file() for name in DEFAULTS.values()):
        return Path(given).resolve()
    home = tmp_path_factory.mktemp("prepared")
    command = Ragqa(home, home)
    alone = ["unshare", "-rn"] if command.shell("unshare -rn true").code == 0 else []  # it needs no network
    done = command.run([*alone, str(RAGQA), "models", "prepare"])
    assert (done.code, done.err) == (0, "")
    return home / "models"


def home_with(models: Path, home: Path) -> Path:
    """A home that shares models which were made ready elsewhere."""
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "models").symlink_to(models)
    return home


@pytest.fixture
def prepared(ragqa: Ragqa, models: Path) -> Ragqa:
    """The command with models and no index yet."""
    home_with(models, ragqa.home)
    return ragqa


@pytest.fixture(scope="session")
def library(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Ragqa:
    """The command with the sample library indexed. For reading only: it is shared by all tests."""
    home = home_with(models, tmp_path_factory.mktemp("library") / "home")
    command = Ragqa(home, ROOT)
    done = command("index", CORPUS, "-c", "corpus", env={"RAGQA_THREADS": "0"})
    assert done.code == 0, done.err
    return command


@pytest.fixture(scope="session")
def _notes(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Ragqa:
    folder = tmp_path_factory.mktemp("notes")
    (folder / "work").mkdir()
    command = Ragqa(home_with(models, folder / "home"), folder / "work")
    command.write("notes/light.md", f"# The light\n\n{LIGHTHOUSE}")
    command.write("kitchen/bread.md", BREAD)
    assert command("index", "notes", "-c", "notes").code == 0
    assert command("index", "kitchen", "-c", "kitchen").code == 0
    return command


@pytest.fixture
def notes(_notes: Ragqa, tmp_path: Path) -> Ragqa:
    """Two indexed documents in two collections, a copy of its own for every test.

    The index remembers the files of the first copy by their absolute paths; they are there, too.
    """
    home = home_with((_notes.home / "models").resolve(), tmp_path / "home")
    shutil.copy(_notes.db, home / "index.db")
    return Ragqa(home, _notes.cwd)
