"""Every command that the documentation shows is run, page by page, as a reader would type it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from ragqa.catalogue import DEFAULTS
from tests.conftest import RAGQA, ROOT, Ragqa
from tests.pages import GUIDES, MANUAL, TUTORIAL, Command, Ran, blocks_to_run, like, run

# Why blocks are not run, and how many there are of each: a new one has to be thought about here, too.
NOT_RUN = {
    "it needs the network": 4,
    "it runs these tests": 1,
    "it installs into an environment": 1,
    "it needs a collection of llm": 1,
    "it waits for a key": 2,
    "it takes a minute, and its own tests run it": 1,
    "the folders are the reader's": 1,
    "it changes the shell's own files": 1,
}
# What the reader has beside the tutorial's notes, and the manual's further notes.
HAS = {
    "recipes/bread.md": "# Bread\n\nThe dough rests for 18 hours at room temperature.\n",
    "recipes/kettle.md": "# Kettle\n\nDescale the kettle when it takes more than four minutes to boil.\n",
}
SHOWN = [page for page in [*GUIDES, *MANUAL] if blocks_to_run(page)]
BEFORE_THE_MANUAL = [
    "mkdir ~/library && cd ~/library",
    "cp -r ../ragqa/{scripts,.venv,corpus/embeddings,constraints.txt,pyproject.toml} .",
    "grep embeddings/ ../ragqa/corpus/questions.jsonl | head -n 5 > questions.jsonl",
    "echo 'Who built the bridge?' > questions.txt",
    "for day in {1..99}; do echo 'Bread keeps in a wooden box.'; echo; done > ~/notes/bread.md",
    "ragqa index ~/notes -c notes",
    "echo 'The lease ends on 30 June 2027.' > lease.txt; echo 'Thank you for the flowers.' > letter.txt",
    "echo '# The function load was renamed.' > names.py; git init -q; git add names.py",
    "echo '# The function load was renamed: it is called read_all now.' > names.py",
]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_what_is_not_run_has_a_reason_that_is_known_here():
    reasons = [block.reason for page in SHOWN for block in blocks_to_run(page) if block.reason]
    assert {reason: reasons.count(reason) for reason in reasons} == NOT_RUN


@pytest.mark.parametrize("page", SHOWN, ids=name)
def test_bash_can_read_every_command(page: Path):
    for block in blocks_to_run(page):
        assert block.commands()


@pytest.mark.parametrize(
    ("shown", "printed", "alike"),
    [
        ("lit in 1894", "lit in 1894\n", True),
        ("lit in 1894", "lit in 1895\n", False),
        ("lit in …", "lit in 1895\n", True),
        ("lit in …", "lit in 1895\nand put out\n", False),
        ("lit\n…\nout", "lit\na\nb\nout\n", True),
        ("a.b", "a+b\n", False),
    ],
)
def test_an_ellipsis_stands_for_the_rest_of_a_line_and_alone_for_lines(shown: str, printed: str, alike: bool):
    assert like(shown, printed) is alike


@pytest.fixture
def reader(library: Ragqa, tmp_path: Path) -> Ragqa:
    """Somebody with a clone of the project in which `scripts/ask` has answered once, and with the tutorial's notes."""
    home, clone = tmp_path / "home", tmp_path / "home" / "ragqa"
    data = home / ".local" / "share" / "ragqa"
    (data / "models").mkdir(parents=True)
    data.chmod(0o700)
    for model in (library.home / "models").iterdir():
        (data / "models" / model.name).symlink_to(model.resolve())
    shutil.copy(library.db, data)
    shutil.copytree(ROOT / "scripts", clone / "scripts")
    pinned = [Path(shutil.copy(ROOT / name, clone)).read_bytes() for name in ("constraints.txt", "pyproject.toml")]
    (clone / "corpus").symlink_to(ROOT / "corpus")
    (clone / ".venv").mkdir()
    (clone / ".venv" / "bin").symlink_to(RAGQA.parent)
    stamp = subprocess.run(["cksum"], input=b"".join(pinned), capture_output=True, check=True).stdout
    (clone / ".venv" / ".installed").write_bytes(stamp)
    (home / "recipes").mkdir()
    for path, text in HAS.items():
        (home / path).write_text(text)
    (home / "Llama-3.2-3B-Instruct-Q4_K_M.gguf").symlink_to(embedded_llama(library))  # stands in for a larger one
    return Ragqa(home, clone, {"HOME": str(home), "PATH": f"{RAGQA.parent}{os.pathsep}{os.environ['PATH']}"})


def embedded_llama(library: Ragqa) -> Path:
    return Path(library("models", "path", DEFAULTS["generate"]).out.strip())


def notes_of_the_tutorial() -> list[Command]:
    return next(block.commands() for block in blocks_to_run(TUTORIAL) if "cat >" in block.text)


@pytest.mark.model
@pytest.mark.parametrize("page", SHOWN, ids=name)
def test_every_command_of_the_page_does_what_the_page_says(page: Path, reader: Ragqa, tmp_path: Path):
    if "jq " in page.read_text() and not shutil.which("jq"):
        pytest.skip("jq is not here")
    before = [Command(0, "unset RAGQA_HOME"), *notes_of_the_tutorial()]
    if page in MANUAL:
        before += [Command(0, line) for line in BEFORE_THE_MANUAL]
    typed = [command for block in blocks_to_run(page) if not block.reason for command in block.commands()]
    ran = run([*before, *typed, Command(0, afterwards(typed))], reader, tmp_path / "typed")
    faults = "".join(fault(page, one) for one in ran)
    if faults:
        pytest.fail(faults, pytrace=False)


def afterwards(typed: Sequence[Command]) -> str:
    """Ends the warm process; where a question starts one by itself, that may only be there in a moment."""
    stop = "ragqa serve --stop >/dev/null || true"
    beside = any("RAGQA_WARM=1" in command.text for command in typed)
    return f"for n in 1 2 3 4 5 6; do sleep 1; {stop}; done" if beside else stop


def fault(page: Path, ran: Ran) -> str:
    """What is wrong with how a command of the page ended or with what it printed; nothing where all is well."""
    printed = ran.printed.replace(f"{ROOT}/corpus/", "corpus/")  # where the sample library was indexed, seen from there
    said = ran.code == ran.command.code, ran.command.shown is None or like(ran.command.shown, printed)
    return "" if all(said) else f"\n{page.name}:{ran.command.line}: $ {ran.command.text}\n{printed}exit {ran.code}\n"
