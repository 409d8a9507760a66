"""What shells are offered: through the protocol of each, and in a real bash."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from ulid import ULID

from ragqa.history import open_history
from ragqa.store.opening import create_index
from ragqa.turn import Turn
from ragqa.warm.client import is_handed_over
from tests.cli.test_care import index
from tests.cli.test_logs import asked
from tests.conftest import BREAD, LIGHTHOUSE, Done, Ragqa
from tests.fakes import WordEmbedder, document, passage

SHELLS = {"bash": "complete_bash", "zsh": "complete_zsh", "fish": "complete_fish"}


@pytest.fixture
def shelf(ragqa: Ragqa) -> Ragqa:
    ragqa.write("notes/light.md", LIGHTHOUSE)
    ragqa.write("kitchen/bread.md", BREAD)
    index(ragqa, ragqa.cwd / "notes", collection="notes")
    index(ragqa, ragqa.cwd / "kitchen", collection="kitchen")
    return ragqa


def complete(ragqa: Ragqa, line: str, shell: str = "bash", **env: str) -> Done:
    """What the shell's own function is told when Tab is pressed at the end of a line."""
    words = line.split(" ")
    typed = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    others = {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = ragqa(env={"_RAGQA_COMPLETE": SHELLS[shell]} | (typed if shell == "bash" else others) | env)
    assert done.err == ""
    return done


def offered(ragqa: Ragqa, line: str, **env: str) -> list[str]:
    done = complete(ragqa, line, **env)
    assert done.code == 0
    return done.out.split()


def test_commands_and_options_are_offered(ragqa: Ragqa):
    assert offered(ragqa, "ragqa sea") == ["search"]
    assert offered(ragqa, "ragqa logs o") == ["on", "off"]
    assert offered(ragqa, "ragqa search --n") == ["--number", "--nl"]
    assert offered(ragqa, "ragqa path ") == ["db", "logs", "models", "config"]


def test_behind_a_question_the_options_of_ask_are_offered(ragqa: Ragqa):
    assert offered(ragqa, "ragqa 'Who? --st") == []  # inside the quotation
    assert offered(ragqa, "ragqa 'Who?' --st") == ["--strict"]


@pytest.mark.parametrize("command", ["ragqa ask -c ", "ragqa similar ", "ragqa forget -c ", "ragqa Who? --collection "])
def test_collections_are_those_of_the_index(shelf: Ragqa, command: str):
    assert offered(shelf, command) == ["kitchen", "notes"]
    assert offered(shelf, f"{command}no") == ["notes"]


def test_the_index_that_is_named_is_looked_into(shelf: Ragqa):
    shelf.db.rename(shelf.cwd / "other.db")
    assert offered(shelf, "ragqa ask -c ") == []
    assert offered(shelf, "ragqa ask --db other.db -c ") == ["kitchen", "notes"]


@pytest.fixture
def tagged(ragqa: Ragqa) -> Ragqa:
    """An index of one document with two tags."""
    ragqa.home.mkdir()
    with closing(create_index(ragqa.db, fingerprint="f", model="words", dim=64)) as store:
        one = replace(document("Lit."), tags=("$(touch x)", "sea"), type="pdf")
        store.add(one, [passage("Lit.")], WordEmbedder().embed_passages(["Lit."]))
    return ragqa


def test_behind_where_the_tags_and_types_of_the_index_are_offered(tagged: Ragqa):
    assert offered(tagged, "ragqa ls --where ") == ["tag:sea", "type:pdf", "after:", "before:"]
    assert offered(tagged, "ragqa search x --where ta") == ["tag:sea"]
    assert complete(tagged, "ragqa ls --where tag:", "zsh").out == """_arguments '*: :(("tag\\\\:sea"))'\n"""


@pytest.mark.parametrize(("words", "rest"), [("tag :", "sea"), ("tag : s", "sea"), ("type : p", "pdf")])
def test_bash_divides_a_term_at_its_colon_and_is_given_what_stands_behind_it(tagged: Ragqa, words: str, rest: str):
    assert offered(tagged, f"ragqa ls --where {words}") == [rest]


def test_settings_and_their_values_are_offered(ragqa: Ragqa):
    ragqa.write("../home/prompts/mine.txt", "$question")
    assert offered(ragqa, "ragqa ask -o min") == ["min_support"]
    assert offered(ragqa, "ragqa config set m") == [
        *("model", "max_answer", "max_sentences", "min_support", "max_file_size"),
    ]
    assert offered(ragqa, "ragqa config set log ") == ["true", "false"]
    assert offered(ragqa, "ragqa config set template ") == ["answer", "bullets", "mine", "paragraph", "short"]
    assert offered(ragqa, "ragqa ask -t m") == ["mine"]


def test_models_are_offered_where_they_fit(ragqa: Ragqa):
    assert offered(ragqa, "ragqa ask -m ") == ["smollm2-135m-instruct-q4_1"]
    assert offered(ragqa, "ragqa ask --embed-model ") == ["multilingual-e5-small-q4"]
    assert "smollm2-135m-instruct-q4_1" in offered(ragqa, "ragqa models default ")
    assert "llama-3.2-3b-instruct" in offered(ragqa, "ragqa models pull llama")


def test_conversations_are_offered_by_id_the_latest_first_and_shown_with_their_question(ragqa: Ragqa):
    first, second = asked(ragqa.home, "When was it lit?"), asked(ragqa.home, "Who kept it?")
    assert offered(ragqa, "ragqa logs --cid ") == [second.id, first.id]
    assert (
        complete(ragqa, "ragqa logs --cid ", "fish").out == f"{second.id}\tWho kept it?\n{first.id}\tWhen was it lit?\n"
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_is_answered_in_its_way(ragqa: Ragqa, shell: str):
    explained = "Remove questions with their answers and..."
    lines = complete(ragqa, "ragqa logs fo", shell).out.splitlines()
    assert (
        lines
        == {
            "bash": ["forget"],
            "zsh": [f"""_arguments '*: :(("forget":"{explained}"))'"""],
            "fish": [f"forget\t{explained}"],
        }[shell]
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_that_a_shell_could_obey_is_offered(ragqa: Ragqa, shell: str):
    hostile = "$(touch x) `touch x` [/bold] \\$(touch x) '\" ; \x1b[31m"
    ragqa.write("notes/light.md", LIGHTHOUSE)
    for name in (hostile, "two words", "a:b", "safe"):
        ragqa.write("notes/light.md", f"{LIGHTHOUSE} {name}")
        index(ragqa, ragqa.cwd / "notes", collection=name)
    with closing(open_history(ragqa.home / "logs.db")) as history:
        history.record(Turn(str(ULID()), hostile, hostile, "quoted", ""), conversation="01AB")
    collections = complete(ragqa, "ragqa ask -c ", shell).out
    conversations = complete(ragqa, "ragqa logs --cid ", shell).out
    assert "touch" not in collections
    assert not set("$`\\;[\x1b") & set(conversations)


@pytest.mark.parametrize("how", ["none", "damaged", "config"])
def test_where_nothing_can_be_found_out_nothing_is_said(ragqa: Ragqa, how: str):
    ragqa.home.mkdir()
    if how == "damaged":
        for name in ("index.db", "logs.db"):
            (ragqa.home / name).write_bytes(bytes(range(1, 256)) * 40)
    if how == "config":
        (ragqa.home / "config.toml").write_text("no toml")
    before = sorted(ragqa.home.iterdir())
    for line in ("ragqa ask -c ", "ragqa logs --cid ", "ragqa ask --db /nowhere/x.db -c "):
        assert offered(ragqa, line, RAGQA_DEBUG="1") == []
    assert sorted(ragqa.home.iterdir()) == before


def test_a_warm_process_is_not_asked():
    assert not is_handed_over([])  # all is in the environment


def script(ragqa: Ragqa, shell: str, tmp_path: Path) -> Path:
    """The script that the shell of this name is shown. Which shell it is, the names of processes say."""
    link = tmp_path / shell
    link.symlink_to(shutil.which("bash") or "bash")
    done = ragqa.shell(f"{link} -c 'ragqa --show-completion; true'")
    target = tmp_path / f"completion.{shell}"
    target.write_text(done.out)
    return target


def test_a_real_bash_completes_what_is_typed(shelf: Ragqa, tmp_path: Path):
    source = script(shelf, "bash", tmp_path)
    done = shelf.shell(
        f"source {source}; complete -p ragqa;"
        "COMP_WORDS=(ragqa ask -c ''); COMP_CWORD=3; _ragqa_completion ragqa; echo \"${COMPREPLY[@]}\";"
        'COMP_WORDS=(ragqa logs fo); COMP_CWORD=2; _ragqa_completion ragqa; echo "${COMPREPLY[@]}"'
    )
    assert done.out == "complete -o default -F _ragqa_completion ragqa\nkitchen notes\nforget\n"
    assert done.err == ""


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_for_another_shell_is_one(ragqa: Ragqa, tmp_path: Path, shell: str):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    done = ragqa.shell(f"{shell} -c 'ragqa --show-completion; true' > script.{shell} && {shell} -n script.{shell}")
    assert (done.code, done.err) == (0, "")
    assert "_RAGQA_COMPLETE" in (ragqa.cwd / f"script.{shell}").read_text()


def test_it_is_installed_for_the_shell_that_asks(ragqa: Ragqa, tmp_path: Path):
    done = ragqa.shell("ragqa --install-completion; true", HOME=str(tmp_path))
    installed = tmp_path / ".bash_completions" / "ragqa.sh"
    assert str(installed) in done.out
    assert "_RAGQA_COMPLETE=complete_bash" in installed.read_text()
    assert str(installed) in (tmp_path / ".bashrc").read_text()
