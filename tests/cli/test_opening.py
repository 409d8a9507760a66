"""A quote's file in the editor of one's choice: the words it is run with, and what it is not run with."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ragqa.cli.opening import open_source
from ragqa.errors import RagqaError, UsageError

# Writes each word that it was given on a line of its own.
FAKE = '#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done >"$SAID"\nexit "${CODE:-0}"\n'


class Desk:
    """A file to open, a folder of editors, and what the last one was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = folder / "said"
        self.file = folder / "the notes" / "a.md"
        self.file.parent.mkdir()
        self.file.write_text("one\ntwo\n")
        self.tools = folder / "tools"
        self.tools.mkdir()
        (self.tools / "sh").symlink_to(shutil.which("sh") or "/bin/sh")

    def editor(self, name: str) -> str:
        path = self.tools / name
        path.write_text(FAKE)
        path.chmod(0o755)
        return str(path)

    def open(self, line: int = 2, file: Path | None = None, **environ: str) -> list[str]:
        open_source(file or self.file, line, {"SAID": str(self.said), "PATH": str(self.tools)} | environ)
        return self.said.read_text().splitlines()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        *((name, ["+2", "FILE"]) for name in ("vi", "vim", "nvim", "nano", "emacs", "micro", "kak")),
        *((name, ["--goto", "FILE:2"]) for name in ("code", "codium")),
        *((name, ["FILE:2"]) for name in ("subl", "zed", "hx")),
        ("my-editor", ["FILE"]),
    ],
)
def test_each_editor_is_told_the_line_in_its_own_way(desk: Desk, name: str, form: list[str]):
    expected = [word.replace("FILE", str(desk.file)) for word in form]
    assert desk.open(EDITOR=desk.editor(name)) == expected


def test_ragqa_s_own_choice_beats_visual_beats_editor(desk: Desk):
    one, two, three = (desk.editor(name) for name in ("one", "vim", "code"))
    assert desk.open(RAGQA_EDITOR=one, VISUAL=two, EDITOR=three) == [str(desk.file)]
    assert desk.open(RAGQA_EDITOR=" ", VISUAL=two, EDITOR=three)[0] == "+2"
    assert desk.open(EDITOR=three)[0] == "--goto"


def test_the_options_of_an_editor_stand_before_the_file(desk: Desk):
    chosen = f"'{desk.editor('code')}' --wait --user-data-dir 'a folder'"
    assert desk.open(EDITOR=chosen) == ["--wait", "--user-data-dir", "a folder", "--goto", f"{desk.file}:2"]


def test_no_shell_reads_the_choice_or_the_name(desk: Desk):
    file = desk.folder / "$(touch evil); `touch evil` *.md"
    file.write_text("x")
    assert desk.open(file=file, EDITOR=f"{desk.editor('ed')} $(touch evil) ; | *") == [
        *("$(touch", "evil)", ";", "|", "*"),
        str(file),
    ]
    assert not list(desk.folder.rglob("evil"))


def test_where_none_is_chosen_one_that_is_installed_is_taken(desk: Desk):
    desk.editor("nano")
    assert desk.open() == ["+2", str(desk.file)]


def test_where_there_is_none_the_way_out_is_said(desk: Desk):
    with pytest.raises(UsageError, match="no editor") as caught:
        desk.open()
    assert "RAGQA_EDITOR" in caught.value.hint


@pytest.mark.parametrize("chosen", ["no-such-editor", "'half a quotation", "''"])
def test_an_editor_that_cannot_be_run_is_an_error(desk: Desk, chosen: str):
    with pytest.raises(RagqaError):
        desk.open(EDITOR=chosen)


def test_an_editor_that_fails_is_an_error(desk: Desk):
    with pytest.raises(RagqaError, match="vim ended with exit code 3"):
        desk.open(EDITOR=desk.editor("vim"), CODE="3")


@pytest.mark.parametrize("kind", ["gone", "folder", "pipe", "option", "stdin"])
def test_only_a_file_that_is_there_is_opened(desk: Desk, kind: str):
    os.mkfifo(desk.folder / "pipe")
    file = {"gone": desk.folder / "gone.md", "folder": desk.folder, "pipe": desk.folder / "pipe"}.get(kind)
    with pytest.raises(UsageError):
        desk.open(file=file or Path("-c" if kind == "option" else "-"), EDITOR=desk.editor("vim"))
    assert not desk.said.exists()
