"""A conversation as it goes on: what was said, what is being asked, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ragqa.cli.answers import Growing, print_answer
from ragqa.cli.render import console, in_line
from ragqa.condense import says_nothing
from ragqa.errors import UsageError
from ragqa.turn import Turn, turn_of
from ragqa.types import Answer

if TYPE_CHECKING:
    from rich.console import Console

    from ragqa.cli.asking import Asking
    from ragqa.cli.recording import Recording

WIDER = 2  # so many times more passages and quotes are looked at when the same is asked again


class Talk:
    """Questions and answers, oldest first.

    Args:
        conversation: Its id in the history; empty until something was answered in a new one.
        decorated: Whether a person reads along, who is shown what was searched for.

    Attributes:
        turns: What was said.
        answer: The last answer; None where it was given in another session.
    """

    def __init__(
        self,
        asking: Asking,
        recording: Recording,
        *,
        turns: list[Turn],
        conversation: str,
        decorated: bool,
    ) -> None:
        self.asking = asking
        self.recording = recording
        self.turns = turns
        self.conversation = conversation
        self.decorated = decorated
        self.answer: Answer | None = None
        self._asked_with: object = None
        self._width = 1

    @property
    def out(self) -> Console:
        """Made anew each time: the terminal may have another size."""
        return console()

    def ask(self, question: str) -> None:
        """Answer a question, print and keep it. One that is interrupted or refused leaves all as it was.

        Raises:
            UsageError: Nothing is asked: together with what came before, it would get the last answer again.
        """
        if says_nothing(question):
            raise UsageError(f"“{question[:40]}” asks nothing", "ask your documents something, or /help")
        self._tell(question, self.turns)
        self._keep()

    def retry(self) -> bool:
        """Ask the last question again, in its place; each time wider where nothing else has changed.

        False: there is none.
        """
        if not self.turns:
            return False
        last = self.turns[-1]
        self._tell(last.question, self.turns[:-1], width=self._width * WIDER if self._asked_with == self._with() else 1)
        self._keep(instead_of=last.id)
        return True

    def reset(self) -> None:
        """Begin anew; what was said stays in the history."""
        self.turns, self.conversation, self.answer, self._asked_with, self._width = [], "", None, None, 1

    def remark(self, text: str) -> None:
        """Say something beside the conversation, to a person."""
        from rich.text import Text

        if self.decorated:
            self.out.print(Text(in_line(text), style="dim"))

    def _tell(self, question: str, before: list[Turn], width: int = 1) -> None:
        asked_with = self._with()
        answer = self._answer(question, before, width)
        if answer.prompt and answer.prompt.turns_dropped:
            self.remark(f"the oldest {how_many(answer.prompt.turns_dropped)} had no room in the prompt")
        self.turns = [*before, turn_of(answer)]
        self.answer, self._asked_with, self._width = answer, asked_with, width

    def _answer(self, question: str, before: list[Turn], width: int) -> Answer:
        """Answer and print, having looked at so many times more."""
        follows = self.asking.follow(question, before)
        if follows:
            self.remark(f"searched: {follows.query}")
        out = self.out
        growing = Growing(out) if self.decorated else None
        try:
            with self._wider(width):
                answer = self.asking(question, growing=growing, follows=follows, turns=before)
        except BaseException:
            if growing and (growing.printed or out.is_dumb_terminal):
                out.print()  # what is said next has a line of its own
            raise
        print_answer(answer, plain=False, growing=growing)
        return answer

    @contextmanager
    def _wider(self, width: int) -> Iterator[None]:
        settings = self.asking.settings
        wider = replace(settings, passages=settings.passages * width, quotes=settings.quotes * width)
        if width > 1:
            self.remark(f"looking at {wider.passages} passages and quoting up to {wider.quotes} sentences")
        self.asking.settings = wider
        try:
            yield
        finally:
            self.asking.settings = settings

    def _keep(self, instead_of: str = "") -> None:
        assert self.answer
        self.conversation = self.conversation or self.answer.id
        self.recording.keep(self.answer, self.asking, conversation=self.conversation, instead_of=instead_of)

    def _with(self) -> object:
        """What an answer depends on beside the question."""
        return self.asking.settings, self.asking.collections, self.asking.where


def how_many(turns: int) -> str:
    return "1 turn" if turns == 1 else f"{turns} turns"
