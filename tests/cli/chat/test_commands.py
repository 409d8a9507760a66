"""What begins with a slash in a conversation."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ragqa.cli.chat.commands import COMMANDS, Leave, run, suggestions
from ragqa.cli.chat.saving import as_markdown
from ragqa.cli.chat.talk import Talk
from ragqa.document import Place
from ragqa.errors import NothingFound, NotWritable, UsageError
from ragqa.manifest import Manifest
from ragqa.store.exact import ExactStore
from ragqa.turn import Source, Turn
from tests.cli.chat.conftest import BREAD, OPENED, PAINTED, keep, no_room

Begin = Callable[..., Talk]
HOSTILE = "\x1b[2J\x9b31m\u202e\x07[bold]# x"


@pytest.fixture
def said(talk: Begin, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command prints after one question was answered."""
    one = talk()
    one.ask(OPENED)
    capsys.readouterr()

    def run_it(line: str, talk: Talk = one) -> str:
        assert run(talk, line)
        return capsys.readouterr().out

    return run_it


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An editor that records its arguments; the file it records them in."""
    told = tmp_path / "told"
    program = tmp_path / "nano"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{told}\n')
    program.chmod(0o755)
    monkeypatch.setenv("RAGQA_EDITOR", str(program))
    return told


def test_help_names_every_command(said: Callable[..., str]):
    text = said("/help")
    assert all(f"/{row.name} {row.argument}".rstrip() + "\t" + row.does in text for row in COMMANDS)
    assert all(word in text for word in ("!multi", "!edit", "Ctrl-C", "Ctrl-D"))


def test_the_sources_are_quotes_with_number_and_place(said: Callable[..., str], tmp_path: Path):
    lines = said("/sources").splitlines()
    assert lines == [f"[1] {tmp_path}/bridge.md:1", "    The iron bridge was opened in 1894 by the mayor."]


def test_an_answer_without_sources_says_so(said: Callable[..., str], talk: Begin):
    bare = Turn(id="1", question="why?", query="why?", status="answered", answer="so")
    assert said("/sources", talk(turns=[bare])) == "the last answer has no sources\n"


def test_a_quote_is_indented_on_every_line_that_a_terminal_makes_of_it(
    talk: Begin, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    source = Source(1, "a#1", Path("/a"), 1, 1, "one two three four five six", ())
    one = talk(turns=[Turn(id="1", question="q", query="q", status="quoted", answer="a", sources=(source,))])
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")
    run(one, "/sources")
    assert capsys.readouterr().out.splitlines()[1:] == ["    one two three", "    four five six"]


def test_why_explains_the_last_answer(said: Callable[..., str]):
    assert "support" in said("/why")


def test_why_of_an_answer_of_another_session_is_not_known(talk: Begin):
    before = talk()
    before.ask(OPENED)
    with pytest.raises(UsageError) as refused:
        run(talk(turns=before.turns), "/why")
    assert "/retry" in refused.value.hint


@pytest.mark.parametrize("line", ["/open", "/open 1"])
def test_a_source_is_opened_on_its_line(
    said: Callable[..., str], editor: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
):
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    said(line)
    assert editor.read_text().splitlines() == ["+1", str(tmp_path / "bridge.md")]


def test_a_page_that_an_earlier_session_cited_is_shown_by_a_viewer(
    talk: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    path, told, viewer = tmp_path / "a.pdf", tmp_path / "told", tmp_path / "okular"
    path.write_bytes(b"%PDF")
    viewer.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{told}\n')
    viewer.chmod(0o755)
    monkeypatch.setenv("RAGQA_OPENER", str(viewer))
    source = Source(1, "a.pdf#2", path, 9, 9, "Built in 1957.", (), Place(0, "page", 12), "page 12")
    one = talk(turns=[Turn(id="1", question="q", query="q", status="quoted", answer="a", sources=(source,))])
    assert run(one, "/open")
    assert told.read_text().splitlines() == ["-p", "12", str(path)]
    assert f"1. {path}, page 12" in as_markdown(one.turns)


@pytest.mark.parametrize("number", ["0", "2", "one", "-1"])
def test_a_source_that_is_not_there_is_said_and_which_are(talk: Begin, number: str):
    one = talk()
    one.ask(OPENED)
    with pytest.raises(UsageError, match=f"no source {number}") as refused:
        run(one, f"/open {number}")
    assert refused.value.hint == "there are 1"


def test_a_collection_is_chosen_and_all_of_them_again(said: Callable[..., str], talk: Begin):
    one = talk()
    assert said("/collection", one) == "asking all collections; there are: bread, bridge\n"
    assert said("/collection bread", one) == "asking bread\n"
    one.ask(BREAD)
    assert {source.path.name for source in one.turns[-1].sources} == {"bread.md"}
    with pytest.raises(UsageError, match="no collection"):
        run(one, "/collection cake")
    assert one.asking.collections == ("bread",)
    for everything in ("*", "all"):
        one.asking.choose(["bread"])
        assert said(f"/collection {everything}", one).endswith("asking all collections\n")


def test_documents_are_chosen_by_what_they_are_and_all_of_them_again(said: Callable[..., str], talk: Begin):
    one = talk()
    assert said("/where", one) == "asking all documents: 2 documents\n"
    assert said("/where bread.md 'no such'", one) == "asking bread.md 'no such': 1 document\n"
    one.ask(BREAD)
    assert {source.path.name for source in one.turns[-1].sources} == {"bread.md"}
    for line, error in (("/where tag:none", NothingFound), ("/where after:x", UsageError), ("/where 'x", UsageError)):
        with pytest.raises(error):
            run(one, line)
    assert said("/collection bread", one).endswith("asking bread\n")
    assert one.asking.where == ("bread.md", "no such")
    assert said("/where *", one) == "asking all documents: 1 document\n"


@pytest.fixture
def strange(store: ExactStore, tmp_path: Path) -> ExactStore:
    """The documents, and collections whose names mean something else."""
    for n, name in enumerate(("my notes", "all", "*", "my", "it's")):
        keep(store, tmp_path / f"{n}.md", "The mill grinds rye.", collection=name)
    return store


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        ("my notes", ("my notes",)),
        ("it's", ("it's",)),
        ("'my notes' bread", ("my notes", "bread")),
        ("my bread", ("my", "bread")),
        ("all", ("all",)),
        ("*", ()),
        ("'*'", ("*",)),
    ],
)
def test_a_collection_may_have_any_name(
    strange: ExactStore, said: Callable[..., str], talk: Begin, typed: str, chosen: tuple[str, ...]
):
    one = talk()
    one.asking.choose(["bridge"])
    said(f"/collection {typed}", one)
    assert one.asking.collections == chosen


def test_a_quote_that_is_not_closed_is_said(talk: Begin):
    with pytest.raises(UsageError, match="No closing quotation"):
        run(talk(), "/collection 'my notes")


def test_another_template_is_asked_with(said: Callable[..., str], talk: Begin):
    one = talk()
    assert said("/template", one).startswith("asking with answer; there are: answer, ")
    assert said("/template bullets", one) == "asking with bullets\n"
    assert one.asking.settings.template == "bullets"
    with pytest.raises(UsageError, match="no prompt template"):
        run(one, "/template sonnet")
    assert one.asking.settings.template == "bullets"


def test_another_llama_writes(said: Callable[..., str], talk: Begin):
    one = talk()
    assert said("/model", one).startswith("smollm2-135m-instruct-q4_1 writes; there are: ")
    assert said("/model big", one) == "big writes\n"
    assert one.asking.settings.model == "big"


def test_a_conversation_is_written_into_a_new_file_that_is_private(said: Callable[..., str], tmp_path: Path):
    file = tmp_path / "talk.md"
    assert said(f"/save {file}") == f"1 turn written to {file}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert text.startswith(f"## {OPENED}\n\n“The iron bridge was opened in 1894 by the mayor.” [1]\n\n1. ")
    assert f"{tmp_path}/bridge.md:1" in text


def test_no_file_is_overwritten(talk: Begin, tmp_path: Path):
    file = tmp_path / "talk.md"
    file.write_text("mine")
    one = talk()
    one.ask(OPENED)
    with pytest.raises(UsageError, match="is there already"):
        run(one, f"/save {file}")
    assert file.read_text() == "mine"


def test_a_file_in_a_home_folder_may_begin_with_a_tilde(
    said: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    said("/save ~/my talk.md")
    assert (tmp_path / "my talk.md").exists()


def test_a_file_that_cannot_be_written_to_its_end_is_not_left_behind(talk: Begin, tmp_path: Path):
    one = talk()
    one.ask(OPENED)
    file = tmp_path / "talk.md"
    with no_room(), pytest.raises(NotWritable, match=f"{file}: File too large"):
        run(one, f"/save {file}")
    assert not file.exists()
    assert run(one, f"/save {file}")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("/save", UsageError),
        ("/save /no/such/folder/talk.md", NotWritable),
        ("/save ~no-such-user-7391/talk.md", UsageError),
    ],
)
def test_where_nothing_can_be_written_it_is_said(talk: Begin, line: str, error: type[Exception]):
    one = talk()
    one.ask(OPENED)
    with pytest.raises(error):
        run(one, line)


def test_no_text_in_a_saved_conversation_is_obeyed():
    source = Source(1, "a#1", Path(f"/{HOSTILE}\n# y"), 1, 1, HOSTILE, ())
    turn = Turn(id="1", question=f"{HOSTILE}\n# z", query="", status="quoted", answer=HOSTILE, sources=(source,))
    text = as_markdown([turn])
    assert not set(text) & set("\x1b\x9b\u202e\x07")
    assert [line for line in text.splitlines() if line.startswith("#")] == [text.splitlines()[0]]


def test_the_history_holds_questions_and_answers_with_a_line_between_them(said: Callable[..., str], talk: Begin):
    answer = "“The iron bridge was opened in 1894 by the mayor.” [1]\n"
    assert said("/history") == f"> {OPENED}\n{answer}"
    one = talk()
    one.ask(OPENED)
    one.ask(OPENED)
    assert said("/history", one).endswith(f"> {OPENED}\n{answer}\n> {OPENED}\n{answer}")


def test_retry_asks_the_last_question_again(said: Callable[..., str]):
    assert "The iron bridge was opened in 1894" in said("/retry")


def test_reset_begins_anew(said: Callable[..., str], talk: Begin):
    one = talk()
    one.ask(PAINTED)
    assert said("/reset", one).endswith("a new conversation\n")
    assert one.turns == []


@pytest.mark.parametrize("line", ["/quit", "/exit"])
def test_quit_leaves(talk: Begin, line: str):
    with pytest.raises(Leave):
        run(talk(), line)


@pytest.mark.parametrize("line", ["/sources", "/why", "/open", "/save talk.md", "/retry", "/history"])
def test_before_a_question_there_is_nothing_to_show(talk: Begin, line: str):
    with pytest.raises(UsageError, match="nothing was asked yet"):
        run(talk(), line)


@pytest.mark.parametrize(
    ("line", "hint"), [("/sorces", "did you mean /sources?"), ("/xyz", "/help lists them"), ("/hlep me", "/help")]
)
def test_what_is_no_command_is_said_and_what_was_perhaps_meant(talk: Begin, line: str, hint: str):
    with pytest.raises(UsageError, match="no command") as refused:
        run(talk(), line)
    assert hint in refused.value.hint


def test_a_command_that_takes_nothing_is_given_nothing(talk: Begin):
    with pytest.raises(UsageError, match="/sources takes nothing"):
        run(talk(), "/sources 1")


@pytest.mark.parametrize("line", ["/etc/hosts?", "/ what is that?", "/var/log is what?"])
def test_what_begins_with_a_path_is_a_question(talk: Begin, line: str):
    assert run(talk(), line) is False


# Completion


def test_names_of_commands_are_completed(talk: Begin):
    assert suggestions(talk(), "/so") == ["/sources"]
    assert suggestions(talk(), "/") == [f"/{row.name}" for row in COMMANDS]
    assert suggestions(talk(), "what is /so") == []


def test_what_a_command_takes_is_completed(talk: Begin):
    one = talk()
    one.ask(OPENED)
    assert suggestions(one, "/collection b") == ["bread", "bridge"]
    assert suggestions(one, "/collection bread br") == ["bread bread", "bread bridge"]
    assert suggestions(one, "/collection *") == ["*"]
    assert suggestions(one, "/where t") == ["type:text"]
    assert suggestions(one, "/where *.md t") == ["*.md type:text"]
    assert suggestions(one, "/template b") == ["bullets"]
    assert suggestions(one, "/open ") == ["1"]
    assert suggestions(one, "/nothing ") == []


def test_a_name_is_quoted_where_it_is_not_alone(strange: ExactStore, talk: Begin):
    assert suggestions(talk(), "/collection my") == ["my", "my notes"]
    assert suggestions(talk(), "/collection my n") == ["my notes"]
    assert suggestions(talk(), "/collection bread 'my") == ["bread 'my notes'"]


def test_names_of_llamas_are_completed(talk: Begin, monkeypatch: pytest.MonkeyPatch):
    big = Manifest("llama-big", "generate", "llama", "", "", (), "", Path("/models"))
    monkeypatch.setattr("ragqa.models.installed", lambda folder: [big, replace(big, name="llama-e5", kind="embed")])
    assert suggestions(talk(), "/model l") == ["llama-big"]


def test_before_a_question_no_source_is_offered(talk: Begin):
    assert suggestions(talk(), "/open ") == []


def test_paths_are_completed(talk: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "folder" / "deeper").mkdir(parents=True)
    for name in ("a b.md", ".hidden", "deeper/c.md"):
        (tmp_path / "folder" / name).write_text("")
    monkeypatch.chdir(tmp_path / "folder")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert suggestions(talk(), "/save ") == ["a b.md", "deeper/"]
    assert suggestions(talk(), "/save a b") == ["a b.md"]
    assert suggestions(talk(), "/save .") == [".hidden"]
    assert suggestions(talk(), "/save deeper/") == ["deeper/c.md"]
    assert suggestions(talk(), "/save ~/fol") == ["~/folder/"]
    assert suggestions(talk(), "/save no/such/") == []
    assert suggestions(talk(), "/save ~no-such-user-7391/") == []


def test_a_follow_up_can_be_asked_after_every_command_that_shows(said: Callable[..., str], talk: Begin):
    one = talk()
    one.ask(BREAD)
    before = one.turns[-1]
    for line in ("/help", "/sources", "/why", "/history", "/collection", "/template"):
        said(line, one)
    assert one.turns == [before]
    one.ask("why?")
    assert one.turns[-1].query.startswith("why? (")
