"""What a Llama that is told the turns before has to read of each prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ragqa.cli.open import open_writing
from ragqa.settings import Settings
from ragqa.turn import Turn
from ragqa.write import Writing, write
from tests.conftest import Ragqa
from tests.fakes import evidence

pytestmark = pytest.mark.model

LIGHT = evidence("The lighthouse was first lit in 1894. It burned colza oil.")
BRIDGE = evidence("The iron bridge was opened by the mayor, who came by boat.")


class Counted:
    """A Llama that is given whole passages and the turns before, as larger ones are, and what it was given to read."""

    def __init__(self, library: Ragqa) -> None:
        settings = Settings(library.home, library.home / "config.toml", library.db, threads=1)
        writing = open_writing(settings, None, lambda text: None)
        self.writing: Writing = replace(writing, excerpt=0, max_tokens=1)
        self.turns: list[Turn] = []
        self.read = 0
        writing.generator.load(lasting=True)
        model = writing.generator._model
        evaluate = model.eval

        def counting(tokens: Sequence[int]) -> None:
            self.read += len(tokens)
            evaluate(tokens)

        model.eval = counting

    def ask(self, question: str, found: object) -> tuple[int, list[int]]:
        """How many tokens were read, and those of the prompt up to each of its pieces."""
        before = self.read
        prompt = write(question, [found.hit], [found], self.writing, turns=self.turns).prompt
        self.turns.append(Turn(str(len(self.turns)), question, question, "quoted", "It says so. [1]"))
        sizes = [self.writing.generator.count_tokens(piece) for piece in prompt.pieces]
        self.told = prompt.turns
        return self.read - before, [sum(sizes[:n]) for n in range(1, len(sizes) + 1)]


def test_what_was_read_of_a_conversation_is_not_read_again(library: Ragqa):
    llama = Counted(library)
    llama.ask("When was the lighthouse lit?", LIGHT)
    read, upto = llama.ask("Who opened the bridge?", BRIDGE)
    fixed = len(upto) - llama.told - 3  # behind what is fixed: the turns, and the question with its two marks
    assert read <= upto[-1] - upto[fixed - 1] + 1  # and the word that is written
    read, upto = llama.ask("What did the lighthouse burn?", LIGHT)
    assert llama.told == 2
    assert read <= upto[-1] - upto[fixed] + 1  # the first turn was told before
