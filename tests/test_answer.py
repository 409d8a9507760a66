"""Question → answer, with a Llama that says what it is told to."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from ragqa.answer import LISTED, NOT_HERE, Stopwatch, answer_by_counting, answer_question, require_question
from ragqa.errors import UsageError
from ragqa.interaction import signs_of
from ragqa.prompt import BudgetTooSmall, Template
from ragqa.store.exact import ExactStore
from ragqa.types import Answer, Evidence, Filter, Prompt
from ragqa.write import Writing
from tests.fakes import ORIGIN, EchoGenerator, WordEmbedder, document, passage

TEXT = "The iron bridge was opened in 1894. It is painted red each spring. Boats pass under it at noon."
QUESTION = "When was the iron bridge opened?"
TEMPLATE = Template("test", "", "$passages $question")
LIST = replace(TEMPLATE, sentences=8, layout="list")


@pytest.fixture
def store(tmp_path: Path) -> ExactStore:
    path = tmp_path / "a.md"
    path.write_text(TEXT)
    kept = ExactStore(centre=ORIGIN)
    vectors, (tokens,) = WordEmbedder().passage_tokens([TEXT])
    kept.add(document(TEXT, path=path), [passage(TEXT)], vectors, [signs_of(tokens, ORIGIN)])
    return kept


def _writing(generator: EchoGenerator, template: Template, excerpt: int) -> Writing:
    return Writing(generator, template, 100, 50, sentences=template.sentences, excerpt=excerpt)


def ask(
    store: ExactStore,
    generator: EchoGenerator | None = None,
    question: str = QUESTION,
    min_support: float = 0.25,
    **more,
) -> Answer:
    template, excerpt = more.pop("template", TEMPLATE), more.pop("excerpt", 0)
    writing = _writing(generator, template, excerpt) if generator else None
    options = {"k": 3, "quotes": 2} | more
    return answer_question(
        question, embedder=WordEmbedder(), store=store, writing=writing, min_support=min_support, **options
    )


def test_what_the_evidence_carries_is_answered_with_its_citation(store: ExactStore):
    answer = ask(store, EchoGenerator("The iron ", "bridge was opened", " in 1894 [7]."))
    assert answer.status == "answered"
    assert answer.text == "The iron bridge was opened in 1894. [1]"
    assert answer.citations[0].evidence.quote == "The iron bridge was opened in 1894."
    assert (answer.citations[0].n, answer.citations[0].fresh) == (1, "same")
    assert answer.completion_tokens == 3


def test_a_small_llama_is_stopped_at_a_word_that_no_quote_has(store: ExactStore):
    words = "The iron bridge was painted green by forty men who came from far away .".split()
    script = [f" {word}" for word in words]
    assert ask(store, EchoGenerator(*script), excerpt=2).completion_tokens == 7
    assert ask(store, EchoGenerator(*script), excerpt=0).completion_tokens == len(words)


def test_what_a_small_llama_said_before_it_strayed_stays(store: ExactStore):
    said = EchoGenerator("The iron bridge was opened in 1894. ", "It ", "cost ", "twelve ", "million ", "euros.")
    answer = ask(store, said, excerpt=2)
    assert answer.text == "The iron bridge was opened in 1894. [1]"
    assert answer.completion_tokens < 6


def test_a_sentence_without_support_is_kept_but_not_shown(store: ExactStore):
    answer = ask(store, EchoGenerator("The iron bridge was opened in 1894. It cost 12 million euros."))
    assert answer.text == "The iron bridge was opened in 1894. [1]"
    assert [one.verdict for one in answer.written] == ["verbatim", "unsupported"]


def test_when_nothing_written_is_supported_the_documents_are_quoted(store: ExactStore):
    answer = ask(store, EchoGenerator("It was opened in 1993."))
    assert answer.status == "quoted"
    assert answer.text.startswith("“The iron bridge was opened in 1894.” [1]")
    assert answer.written[0].reason


def test_a_llama_that_writes_nothing_leaves_the_quotes(store: ExactStore):
    assert ask(store, EchoGenerator()).status == "quoted"


def test_without_a_llama_the_documents_are_quoted(store: ExactStore):
    answer = ask(store)
    assert (answer.status, answer.prompt, answer.models["generate"]) == ("quoted", None, None)


def test_a_question_the_documents_do_not_answer_is_not_given_to_the_llama(store: ExactStore):
    generator = EchoGenerator("Bananas are yellow.")
    answer = ask(store, generator, "What colour has a banana?")
    assert (answer.status, answer.text) == ("abstained", NOT_HERE)
    assert (generator.prompts, generator.loads, answer.written) == ([], 0, ())
    assert answer.support < 0.25


def test_an_empty_store_abstains_even_where_no_support_is_wanted():
    generator = EchoGenerator("Anything.")
    answer = ask(ExactStore(centre=ORIGIN), generator, min_support=0)
    assert (answer.status, answer.citations, answer.of_documents, generator.prompts) == ("abstained", (), 0, [])


def test_the_best_quotes_come_first_and_as_many_as_wanted(store: ExactStore):
    answer = ask(store, quotes=1)
    assert [one.evidence.quote for one in answer.citations] == ["The iron bridge was opened in 1894."]


def test_a_quote_beyond_the_best_is_cited_beside_one_of_them(store: ExactStore):
    generator = EchoGenerator("The iron bridge was opened in 1894. Boats pass under it at noon.")
    answer = ask(store, generator, quotes=1)
    assert answer.text == "The iron bridge was opened in 1894. [1] Boats pass under it at noon. [2]"
    assert [one.n for one in answer.citations] == [1, 2]


def test_true_words_that_answer_something_else_are_not_the_answer(store: ExactStore):
    answer = ask(store, EchoGenerator("Boats pass under it at noon."), quotes=1)
    assert answer.status == "quoted"


def test_the_answer_is_told_sentence_by_sentence(store: ExactStore):
    told: list[str] = []
    script = ("The iron bridge was opened in 1894. ", "Boats pass ", "under it at noon.")
    answer = ask(store, EchoGenerator(*script), on_sentence=told.append)
    assert told == ["The iron bridge was opened in 1894. [1]", answer.text]
    assert answer.text.endswith(" Boats pass under it at noon. [2]")


def test_the_quotes_are_told_before_the_llama_is_asked_for_anything(store: ExactStore):
    told: list[str] = []

    class Watched(EchoGenerator):
        def log_likelihoods(self, prompt: str, texts: Sequence[str], *, head: str = "") -> list[float]:
            assert told
            return super().log_likelihoods(prompt, texts, head=head)

        def generate(self, prompt: Prompt, *, max_tokens: int) -> Iterator[str]:
            assert told
            return super().generate(prompt, max_tokens=max_tokens)

    def tell(evidence: Sequence[Evidence]) -> None:
        told.extend(one.quote for one in evidence)

    answer = ask(store, Watched("Nothing that holds."), excerpt=2, on_evidence=tell)
    assert told == [citation.evidence.quote for citation in answer.citations]
    assert ask(store, question="What does a horse eat?", on_evidence=tell, min_support=1.0).status == "abstained"
    assert len(told) == len(answer.citations)


def test_a_sentence_is_told_before_the_next_one_is_written(store: ExactStore):
    told: list[str] = []

    class Watched(EchoGenerator):
        def generate(self, prompt: Prompt, *, max_tokens: int) -> Iterator[str]:
            yield "The iron bridge was opened in 1894. Boats"
            assert told == ["The iron bridge was opened in 1894. [1]"]
            yield " pass under it at noon."

    ask(store, Watched(), on_sentence=told.append)
    assert len(told) == 2


def test_what_is_unsupported_is_never_told(store: ExactStore):
    told: list[str] = []
    ask(store, EchoGenerator("It was opened in 1993. Boats fly over it."), on_sentence=told.append)
    ask(store, EchoGenerator("It cost 9 euros. The iron bridge was opened in 1894."), on_sentence=told.append)
    assert told == ["The iron bridge was opened in 1894. [1]"]


def test_nothing_is_told_until_a_sentence_rests_on_the_best_quotes(store: ExactStore):
    told: list[str] = []
    script = ("Boats pass under it at noon. ", "The iron bridge was opened in 1894.")
    answer = ask(store, EchoGenerator(*script), quotes=1, on_sentence=told.append)
    assert told == [answer.text] == ["Boats pass under it at noon. [2] The iron bridge was opened in 1894. [1]"]
    told.clear()
    assert ask(store, EchoGenerator(script[0]), quotes=1, on_sentence=told.append).status == "quoted"
    assert told == []


def test_a_number_does_not_change_when_a_sentence_is_added(store: ExactStore):
    told: list[str] = []
    script = ("The iron bridge was opened in 1894. ", "Boats pass under it at noon. ", "It is painted red each spring.")
    answer = ask(store, EchoGenerator(*script), quotes=1, on_sentence=told.append, template=LIST)
    assert all(later.startswith(earlier) for earlier, later in pairwise(told))
    assert [one.n for one in answer.citations] == list(range(1, len(answer.citations) + 1))


def test_a_small_llama_is_asked_which_words_to_mark(store: ExactStore):
    generator, said = EchoGenerator("1894"), []
    answer = ask(store, generator, excerpt=2, say=said.append)
    assert len(generator.weighed) == 2
    assert QUESTION in generator.weighed[0]
    assert said == ["searching", "marking", "writing"]
    assert answer.citations[0].evidence.span


def test_a_large_llama_is_not_asked_which_words_to_mark(store: ExactStore):
    generator, said = EchoGenerator("1894"), []
    ask(store, generator, say=said.append)
    assert (generator.weighed, said) == ([], ["searching", "writing"])


def test_what_is_not_answered_is_not_weighed(store: ExactStore):
    generator, said = EchoGenerator("1894"), []
    assert ask(store, generator, excerpt=2, min_support=1.1, say=said.append).status == "abstained"
    assert (generator.weighed, said) == ([], ["searching"])


def test_a_list_keeps_its_marks_and_its_lines(store: ExactStore):
    script = "1. The iron bridge was opened in 1894.\n\n2. It cost 9 euros.\n* Boats pass under it at noon"
    answer = ask(store, EchoGenerator(script), template=LIST)
    assert answer.text == "- The iron bridge was opened in 1894. [1]\n- Boats pass under it at noon [2]"
    assert [one.verdict for one in answer.written] == ["verbatim", "unsupported", "verbatim"]


def test_a_llama_that_goes_in_circles_is_stopped(store: ExactStore):
    script = ["- The iron bridge was opened in 1894.\n", "- Boats pass under it at noon.\n"] * 20
    answer = ask(store, EchoGenerator(*script), template=LIST)
    assert (len(answer.written), answer.completion_tokens) == (2, 4)


def test_a_list_that_is_none_is_taken_apart_into_its_sentences(store: ExactStore):
    answer = ask(
        store, EchoGenerator("The iron bridge was opened in 1894. Boats pass under it at noon."), template=LIST
    )
    assert answer.text == "- The iron bridge was opened in 1894. [1]\n- Boats pass under it at noon. [2]"


def test_a_sentence_that_the_limit_cut_off_is_not_shown(store: ExactStore):
    answer = ask(store, EchoGenerator("The iron bridge was opened in 1894. ", *["The iron bridge "] * 60))
    assert answer.text == "The iron bridge was opened in 1894. [1]"


def test_the_second_paragraph_is_not_waited_for(store: ExactStore):
    answer = ask(store, EchoGenerator("The iron bridge was opened in 1894.", "\n", "\n", "More.", "More."))
    assert answer.completion_tokens == 3


def test_the_prompt_keeps_room_for_the_answer_in_a_small_context(store: ExactStore):
    generator = EchoGenerator("x", context=90)
    ask(store, generator)
    assert generator.prompts[0].budget == 90 - 50
    with pytest.raises(BudgetTooSmall):
        ask(store, EchoGenerator("x", context=52))


def test_a_moved_a_changed_and_a_deleted_file_are_told(store: ExactStore):
    path = store.known()["notes/a.md"].path
    path.write_text(f"# Bridges\n\n{TEXT}")
    moved = ask(store).citations[0]
    assert (moved.fresh, moved.line_start, moved.line_end, moved.evidence.line_start) == ("moved", 3, 3, 1)
    path.write_text("Something else.")
    assert ask(store).citations[0].fresh == "changed"
    path.unlink()
    assert ask(store).citations[0].fresh == "deleted"


def test_other_collections_are_not_asked(store: ExactStore):
    answer = ask(store, where=Filter(("office",)))
    assert (answer.status, answer.of_documents) == ("abstained", 0)


def test_an_answer_tells_its_stages_models_and_context(store: ExactStore):
    answer = ask(store, EchoGenerator("x"))
    assert {"search", "evidence", "generate", "total"} <= set(answer.timing_ms)
    assert answer.models == {"embed": "words", "generate": "echo"}
    assert answer.context == 2048
    assert len({ask(store).id for _ in range(3)}) == 3


def test_the_same_question_gets_the_same_answer(store: ExactStore):
    first, second = (replace(ask(store), id="", timing_ms={}) for _ in range(2))
    assert first == second


class NoEmbedder(WordEmbedder):
    """One that must not be asked."""

    def count_tokens(self, text: str) -> int:
        raise AssertionError(text)

    embed_query = embed_passages = count_tokens  # type: ignore[assignment]


def test_what_counting_answers_is_counted_and_no_model_is_asked(store: ExactStore):
    generator = EchoGenerator("About five.")
    answer = answer_question(
        "How many documents mention the bridge?",
        embedder=NoEmbedder(),
        store=store,
        writing=Writing(generator, TEMPLATE, 100, 50),
        k=3,
        quotes=2,
        min_support=0.25,
    )
    assert (answer.status, answer.written, answer.support, generator.prompts) == ("answered", (), 1.0, [])
    assert answer.text == "1 of 1 document mentions “bridge” (searched: bridge)\nnotes/a.md, 1 passage [1]"
    assert answer.tally
    assert (answer.tally.count, answer.of_documents, answer.whole_corpus) == (1, 1, False)
    assert [(one.n, one.fresh, one.evidence.quote) for one in answer.citations] == [
        (1, "same", "The iron bridge was opened in 1894.")
    ]
    assert answer.models == {"embed": None, "generate": None}


def test_a_count_of_nothing_abstains(store: ExactStore):
    answer = ask(store, EchoGenerator("x"), "Which documents mention sourdough?")
    assert (answer.status, answer.citations, answer.support) == ("abstained", (), 0.0)
    assert answer.text == "No document mentions “sourdough” (searched: sourdough)"


def test_a_long_list_ends_with_a_number(store: ExactStore):
    for n in range(LISTED + 2):
        id = f"n/{n:02}.md"
        store.add(
            document("A fig.", id=id), [passage("A fig.", document=id)], WordEmbedder().embed_passages(["A fig."])
        )
    lines = ask(store, question="Which notes mention fig?").text.splitlines()
    assert (len(lines), lines[1], lines[LISTED], lines[-1]) == (
        LISTED + 2,
        "n/00.md, 1 passage [1]",
        "n/19.md, 1 passage",
        "and 2 more",
    )


def test_a_collection_that_is_not_there_leaves_an_ordinary_question(store: ExactStore):
    assert ask(store, question="How many documents are in collection garden?").tally is None


def test_a_question_about_the_whole_says_so_and_is_answered_from_passages(store: ExactStore):
    answer = ask(store, question="Summarise all my notes about the iron bridge", min_support=0)
    assert (answer.whole_corpus, answer.tally, answer.status) == (True, None, "quoted")
    assert len(answer.read) == 1
    assert ask(store).whole_corpus is False


def test_an_empty_question_is_not_counted(store: ExactStore):
    assert answer_by_counting(" \0", store=store) is None


def test_a_stage_that_comes_twice_is_added_up():
    watch = Stopwatch(started=0.0, last=time.perf_counter() - 1)
    watch.lap("open")
    watch.last -= 1
    watch.lap("open")
    assert 2000 <= watch.ms["open"] < 3000


@pytest.mark.parametrize("question", ["", " \n\t", "\0"])
def test_an_empty_question_is_refused(question: str):
    with pytest.raises(UsageError):
        require_question(question, WordEmbedder())


@pytest.mark.parametrize("question", ["word " * 20, "x" * 10_000_000])
def test_a_question_too_long_for_the_embedder_is_refused(question: str):
    with pytest.raises(UsageError) as refused:
        require_question(question, WordEmbedder(max_tokens=16))
    assert "16 can be read" in refused.value.message


def test_a_question_becomes_one_line_of_valid_text():
    assert require_question(" When\n\0was \udce9 it? ", WordEmbedder()) == "When was ? it?"
