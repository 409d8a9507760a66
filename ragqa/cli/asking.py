"""Asking on the command line: index and models are opened when they are needed, and the wait is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ragqa.cli.given import open_given
from ragqa.cli.open import load, open_embedder_of, open_to_read, open_writing
from ragqa.cli.options import speaker, warn_if_exposed
from ragqa.cli.progress import waiting
from ragqa.cli.where import documents_filter
from ragqa.settings import Settings
from ragqa.types import Answer

if TYPE_CHECKING:
    from ragqa.answer import Stopwatch
    from ragqa.cli.answers import Growing
    from ragqa.condense import Condensed
    from ragqa.embed import Embedder
    from ragqa.turn import Turn
    from ragqa.write import Writing


class Asking:
    """Answers one question after the other from an index, or from documents that were given with the question.

    The index is opened now, or made of what was given; the models when a question first needs them: counting does not.

    Args:
        documents: Names of files, or `-`, that are asked in place of the index.
        quotes: Only quotations are wanted, so no Llama is loaded.
        many: More than one question will come: what they all want is kept.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        documents: Sequence[str] = (),
        collections: Sequence[str] = (),
        where: Sequence[str] = (),
        quotes: bool = False,
        system: str | None = None,
        quiet: bool = False,
        many: bool = False,
    ) -> None:
        from ragqa.answer import Stopwatch

        self._opening: Stopwatch | None = Stopwatch()  # what is opened is counted to the first question
        self._quotes, self._system, self._quiet, self._many = quotes, system, quiet, many
        self._say = speaker(quiet)
        if not documents:
            warn_if_exposed(settings.db, quiet)
        self.store = (
            open_given(documents, settings, self._say, quiet) if documents else open_to_read(settings, self._say)
        )
        self._models: tuple[Embedder, Writing | None] | None = None
        self.settings = settings
        self.collections: tuple[str, ...] = ()
        self.where: tuple[str, ...] = ()
        self.choose(collections, where)
        self._opening.lap("open")

    def choose(self, collections: Sequence[str], where: Sequence[str] = ()) -> None:
        """Ask only these from now on; all where nothing is named.

        Args:
            where: Terms as `--where` takes them.

        Raises:
            UsageError: The index has no such collection, or a term makes no sense. What was chosen before stays.
            NothingFound: No document fulfils them; the same.
        """
        self._where = documents_filter(self.store, collections, where)
        self.collections, self.where = tuple(collections), tuple(where)

    def count_documents(self) -> int:
        """How many documents are asked."""
        return self.store.count_documents(self._where)

    def use(self, settings: Settings) -> None:
        """Ask with other settings from now on; what cannot be used changes nothing."""
        from ragqa.answer import Stopwatch

        models = self._open_models(settings, Stopwatch())
        self.settings, self._models = settings, models

    def load(self) -> None:
        """Open the models now, not at the first question."""
        if not self._models:
            self._models = self._open_models(self.settings, self._opening)

    def follow(self, question: str, turns: Sequence[Turn]) -> Condensed | None:
        """The question joined with what it follows on; None where it stands by itself."""
        from ragqa.chat import followed

        if not turns:
            return None
        self.load()
        assert self._models
        return followed(question, turns, embedder=self._models[0], store=self.store, where=self._where)

    def __call__(
        self,
        question: str,
        *,
        growing: Growing | None = None,
        follows: Condensed | None = None,
        turns: Sequence[Turn] = (),
    ) -> Answer:
        """Answer, and show meanwhile what is being done and what is found.

        Args:
            growing: Shows the answer as it is written.
        """
        from ragqa.answer import Stopwatch, answer_by_counting, answer_question

        watch, self._opening = self._opening or Stopwatch(), None
        query = follows.query if follows else question
        if counted := answer_by_counting(query, store=self.store, where=self._where, watch=watch):
            return replace(counted, question=question)
        if not self._models:
            self._models = self._open_models(self.settings, watch)
        embedder, writing = self._models
        with waiting(self._quiet) as shown:

            def grow(text: str) -> None:
                if growing:
                    shown.end()  # both are on one terminal
                    growing.show(text)

            return answer_question(
                question,
                embedder=embedder,
                store=self.store,
                writing=writing,
                k=self.settings.passages,
                quotes=self.settings.quotes,
                min_support=self.settings.min_support,
                follows=follows,
                turns=turns,
                where=self._where,
                max_file_size=self.settings.max_file_size,
                watch=watch,
                say=shown.stage,
                on_evidence=shown.quotes,
                on_sentence=grow,
            )

    def _open_models(self, settings: Settings, watch: Stopwatch | None) -> tuple[Embedder, Writing | None]:
        lap: Callable[[str], None] = watch.lap if watch else lambda stage: None
        embedder = open_embedder_of(self.store, settings, self._say)
        writing = None if self._quotes else open_writing(settings, self._system, self._say)
        lap("open")
        load(embedder, writing, lasting=self._many)
        lap("load")
        return embedder, writing
