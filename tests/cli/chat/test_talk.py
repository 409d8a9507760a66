"""A conversation as it goes on: what each question leaves behind, and what those leave that are stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ragqa.cli.chat.talk import Talk
from ragqa.errors import UsageError
from ragqa.history import open_history
from tests.cli.chat.conftest import BREAD, OPENED, PAINTED, Llama

Begin = Callable[..., Talk]


def recorded(talk: Talk) -> list[tuple[str, str]]:
    """Conversation and question of all that the history holds."""
    history = open_history(talk.asking.settings.logs, writable=False)
    found = [(one.conversation, one.turn.question) for one in history.latest(0)]
    history.close()
    return found


def test_what_was_asked_and_answered_is_kept_in_one_conversation(talk: Begin):
    one = talk()
    one.ask(OPENED)
    one.ask(BREAD)
    assert [turn.question for turn in one.turns] == [OPENED, BREAD]
    assert recorded(one) == [(one.conversation, OPENED), (one.conversation, BREAD)]
    assert one.conversation == one.turns[0].id


def test_a_follow_up_is_searched_with_what_it_follows_on_and_that_is_said(
    talk: Begin, capsys: pytest.CaptureFixture[str]
):
    one = talk()
    one.ask(PAINTED)
    one.ask("since when?")
    assert "searched: since when? (the iron bridge painted red)\n" in capsys.readouterr().out
    assert one.turns[-1].query == "since when? (the iron bridge painted red)"


def test_where_nobody_reads_along_only_answers_are_printed(talk: Begin, capsys: pytest.CaptureFixture[str]):
    one = talk(decorated=False)
    one.ask(PAINTED)
    one.ask("since when?")
    assert "searched" not in capsys.readouterr().out


# fault 53
@pytest.mark.parametrize("stop", [KeyboardInterrupt(), UsageError("no")], ids=["interrupted", "refused"])
def test_a_question_that_is_stopped_leaves_everything_as_it_was(talk: Begin, llama: Llama, stop: BaseException):
    one = talk()
    one.ask(OPENED)
    turns, answer, settings, kept = one.turns, one.answer, one.asking.settings, recorded(one)
    llama.stops_with = stop
    for ask in (lambda: one.ask(BREAD), one.retry):
        with pytest.raises(type(stop)):
            ask()
    assert (one.turns, one.answer, one.asking.settings, recorded(one)) == (turns, answer, settings, kept)


def test_a_first_question_that_is_stopped_begins_no_conversation(talk: Begin, llama: Llama):
    one = talk()
    llama.stops_with = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        one.ask(OPENED)
    assert (one.turns, one.conversation, one.answer) == ([], "", None)
    assert not one.asking.settings.logs.exists()


def test_the_same_again_takes_the_place_of_the_last_answer_and_looks_wider_each_time(
    talk: Begin, capsys: pytest.CaptureFixture[str]
):
    one = talk()
    one.ask(OPENED)
    one.ask(BREAD)
    capsys.readouterr()
    assert one.retry()
    assert "looking at 10 passages and quoting up to 8 sentences\n" in capsys.readouterr().out
    assert one.retry()
    assert "looking at 20 passages and quoting up to 16 sentences\n" in capsys.readouterr().out
    assert [turn.question for turn in one.turns] == [OPENED, BREAD]
    assert recorded(one) == [(one.conversation, OPENED), (one.conversation, BREAD)]
    assert one.asking.settings.passages == 5


def test_a_retry_after_another_choice_looks_no_wider(talk: Begin, capsys: pytest.CaptureFixture[str]):
    one = talk()
    one.ask(OPENED)
    one.asking.choose(["bread"])
    capsys.readouterr()
    assert one.retry()
    assert "looking at" not in capsys.readouterr().out


def test_without_a_question_there_is_nothing_to_ask_again(talk: Begin):
    assert not talk().retry()


def test_a_new_conversation_follows_on_nothing_and_leaves_the_old_one_in_the_history(talk: Begin):
    one = talk()
    one.ask(PAINTED)
    before = one.conversation
    one.reset()
    assert (one.turns, one.answer, one.conversation) == ([], None, "")
    one.ask("since when?")
    assert one.turns[0].query == "since when?"
    assert recorded(one) == [(before, PAINTED), (one.conversation, "since when?")]
    assert one.conversation != before


def test_what_was_said_in_another_session_is_gone_on_with(talk: Begin):
    before = talk()
    before.ask(PAINTED)
    one = talk(turns=before.turns, conversation=before.conversation)
    one.ask("since when?")
    assert one.turns[-1].query == "since when? (the iron bridge painted red)"
    assert recorded(one) == [(before.conversation, PAINTED), (before.conversation, "since when?")]


def test_a_turn_of_another_session_is_asked_again_no_wider(talk: Begin, capsys: pytest.CaptureFixture[str]):
    before = talk()
    before.ask(PAINTED)
    one = talk(turns=before.turns, conversation=before.conversation)
    capsys.readouterr()
    assert one.retry()
    assert "looking at" not in capsys.readouterr().out
    assert recorded(one) == [(before.conversation, PAINTED)]


def test_the_oldest_turns_that_have_no_room_are_dropped_and_that_is_said(
    talk: Begin, llama: Llama, capsys: pytest.CaptureFixture[str]
):
    one = talk()
    one.asking.use(replace(one.asking.settings, budget=120))
    for question in (OPENED, PAINTED, BREAD):
        one.ask(question)
    assert "the oldest 1 turn had no room in the prompt\n" in capsys.readouterr().out
    (told,) = [piece.text for piece in llama.prompts[-1].pieces if piece.text.startswith("Asked before: ")]
    assert PAINTED in told
    assert OPENED not in "".join(piece.text for piece in llama.prompts[-1].pieces)
