"""An index asked about itself."""

from __future__ import annotations

from ragqa.draw import FOREIGN
from ragqa.measure.drawn import ask_about_itself, self_test
from ragqa.measure.evaluate import Asking
from ragqa.store.exact import ExactStore
from tests.fakes import ORIGIN, WordEmbedder, document, passage

TEXTS = {
    "n/bridge.md": "The iron bridge across the quiet river was opened for carts in 1894.",
    "n/bread.md": "Rye bread keeps longest in a wooden box with holes for fresh air.",
}


def library() -> ExactStore:
    embedder, store = WordEmbedder(), ExactStore("words", ORIGIN)
    for id, text in TEXTS.items():
        store.add(document(text, id=id), [passage(text, document=id)], embedder.embed_passages([text]))
    return store


def test_each_question_knows_its_document_and_its_answer():
    test = self_test(library(), TEXTS, 9, 0)
    assert {(*one.relevant, *one.answers) for one in test.sentences} == {
        ("n/bridge.md", "1894"),
        ("n/bread.md", "fresh air"),
    }
    assert test.headings == ()
    assert [one.question for one in test.foreign] == list(FOREIGN[:9])
    assert not any(one.answerable for one in test.foreign)


def test_only_the_chosen_documents_are_drawn_from():
    test = self_test(library(), ["n/bread.md"], 9, 0)
    assert [list(one.relevant) for one in test.sentences] == [["n/bread.md"]]


def test_questions_of_sentences_are_asked_with_and_without_their_document():
    store, told = library(), []
    asking = Asking(WordEmbedder(), store, None, 5, 3, 0.35, {id: id for id in TEXTS})
    run = ask_about_itself(self_test(store, TEXTS, 3, 0), asking, lambda done, total: told.append((done, total)))
    drawn = [outcome for outcome in run.outcomes if outcome.example.answerable]
    assert [outcome.ranking[0] for outcome in drawn] == [next(iter(outcome.example.relevant)) for outcome in drawn]
    for outcome in drawn:
        assert outcome.held_out is not None
        assert outcome.held_out.support < outcome.answer.support
    assert len(run.outcomes) == 5
    assert told[-1] == (5, 5)
    assert set(store.known()) == set(TEXTS)
