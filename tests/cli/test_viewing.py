"""A quote's file that no editor can show: the program that is run, and with which words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ragqa.cli import viewing
from ragqa.cli.opening import open_source
from ragqa.document import Place
from ragqa.errors import RagqaError, UsageError
from tests.cli.test_opening import FAKE

PAGE = Place(0, "page", 12)
SLIDE = Place(0, "slide", 2)


class Desk:
    """A PDF, a folder of programs, and what the last one was told."""

    def __init__(self, folder: Path) -> None:
        self.said = folder / "said"
        self.file = folder / "the notes" / "a $(touch evil).pdf"
        self.file.parent.mkdir()
        self.file.write_bytes(b"%PDF-1.7\n")
        self.tools = folder / "tools"
        self.tools.mkdir()
        for name in ("sh", "sleep"):
            (self.tools / name).symlink_to(shutil.which(name) or f"/bin/{name}")

    def program(self, name: str, text: str = FAKE) -> str:
        path = self.tools / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def open(self, place: Place | None = PAGE, **environ: str) -> list[str]:
        known = {"SAID": str(self.said), "PATH": str(self.tools), "DISPLAY": ":0"}
        open_source(self.file, 1, known | environ, place)
        return [word.replace(str(self.file), "FILE") for word in self.said.read_text().splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


FORMS = {
    **{name: ["--page-index=12", "FILE"] for name in ("evince", "papers", "atril", "xreader")},
    "okular": ["-p", "12", "FILE"],
    "zathura": ["-P", "12", "FILE"],
    "mupdf": ["FILE", "12"],
}


def test_every_viewer_that_is_known_has_its_form_here():
    assert set(FORMS) == set(viewing.VIEWERS)


@pytest.mark.parametrize("how", ["chosen", "installed"])
@pytest.mark.parametrize("name", FORMS)
def test_each_viewer_is_told_the_page_in_its_own_way(desk: Desk, name: str, how: str):
    program = desk.program(name)
    assert desk.open(**({"RAGQA_OPENER": program} if how == "chosen" else {})) == FORMS[name]


def test_a_viewer_that_takes_a_page_comes_before_the_choice_of_the_desktop(desk: Desk):
    desk.program(viewing.DESKTOP)
    assert desk.open() == ["FILE"]
    desk.program("zathura")
    assert desk.open()[0] == "-P"


def test_what_has_no_pages_is_shown_by_the_program_that_the_desktop_has_for_it(desk: Desk):
    desk.program("evince")
    desk.program(viewing.DESKTOP, FAKE.replace('"$@"', 'desktop "$@"'))
    assert desk.open(SLIDE) == ["desktop", "FILE"]


def test_the_choice_of_the_user_comes_first_with_its_options_and_no_shell_reads_it(desk: Desk):
    desk.program("evince")
    chosen = f"'{desk.program('lookat')}' --big $(touch evil) ;"
    assert desk.open(RAGQA_OPENER=chosen, DISPLAY="") == ["--big", "$(touch", "evil)", ";", "FILE"]
    assert desk.open(SLIDE, RAGQA_OPENER=f"{desk.program('okular')} --presentation") == ["--presentation", "FILE"]
    assert not list(desk.tools.parent.rglob("evil"))


def test_a_window_is_not_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(viewing, "SOON", 0.01)
    desk.program("evince", "#!/bin/sh\nexec sleep 60\n")
    open_source(desk.file, 1, {"PATH": str(desk.tools), "DISPLAY": ":0"}, PAGE)
    (running,) = [one for one in viewing._running if one.poll() is None]
    running.kill()
    assert running.wait() < 0


def test_a_program_that_fails_at_once_is_an_error(desk: Desk):
    desk.program("evince")
    with pytest.raises(RagqaError, match="evince ended with exit code 3"):
        desk.open(CODE="3")
    with pytest.raises(RagqaError, match="lookat ended with exit code 3"):
        desk.open(CODE="3", RAGQA_OPENER=desk.program("lookat"))


@pytest.mark.parametrize(
    "environ", [{"DISPLAY": ""}, {}, {"RAGQA_OPENER": "'half"}, {"RAGQA_OPENER": "no-such-program"}]
)
def test_where_nothing_can_show_it_the_way_out_is_said(desk: Desk, environ: dict[str, str]):
    with pytest.raises(RagqaError) as refused:
        desk.open(**environ)
    assert "RAGQA_OPENER" in refused.value.hint


def test_a_row_of_a_text_file_is_opened_in_the_editor_on_its_line(desk: Desk):
    desk.program("evince")
    desk.file.write_text("a,b\n")
    environ = {"SAID": str(desk.said), "PATH": str(desk.tools), "EDITOR": desk.program("vim")}
    open_source(desk.file, 14, environ, Place(0, "row", 13, line=14))
    assert desk.said.read_text().splitlines() == ["+14", str(desk.file)]


def test_what_is_no_text_is_not_opened_in_an_editor_even_without_a_place(desk: Desk):
    desk.program(viewing.DESKTOP)
    desk.file.write_bytes(b"PK\x03\x04\0\0")
    assert desk.open(None, EDITOR=desk.program("vim", "#!/bin/sh\nexit 9\n")) == ["FILE"]


def test_a_file_that_is_gone_is_shown_by_nothing(desk: Desk):
    desk.program("evince")
    desk.file.unlink()
    with pytest.raises(UsageError, match="No such file"):
        desk.open()
