from __future__ import annotations

from dataclasses import replace
from math import log2

import pytest

from ragqa.measure.evaluate import Outcome, Run
from ragqa.measure.report import Report, marked, shown, shown_sentences, summarize
from ragqa.types import Sentence
from tests.conftest import ROOT
from tests.fakes import evidence
from tests.measure.made import ABSENT, GOLD, answer, outcome

RIGHT, WRONG = "It was lit in 1894.", "It burned oil."


def report(*outcomes: Outcome) -> Report:
    return summarize(Run(outcomes), seed=1)


def test_documents_are_ranked_for_answerable_questions_only():
    figures = report(
        outcome(answer(RIGHT)), outcome(answer(RIGHT), ranking=["x", "light"]), outcome(answer(WRONG), ABSENT)
    ).figures["retrieval"]
    assert {figure.n for figure in figures.values()} == {2}
    assert (figures["recall@1"].value, figures["recall@3"].value, figures["mrr@10"].value) == (0.5, 1, 0.75)
    assert figures["ndcg@10"].value == pytest.approx((1 + 1 / log2(3)) / 2)


def test_evidence_holds_the_answer_in_its_best_sentences():
    figures = report(outcome(answer(RIGHT)), outcome(answer(WRONG, WRONG, RIGHT))).figures["evidence"]
    assert [figures[f"evidence@{n}"].value for n in (1, 2, 3)] == [0.5, 0.5, 1]


def test_a_refused_answer_holds_nothing():
    refused = answer(RIGHT, status="abstained")
    figures = report(outcome(answer(RIGHT)), outcome(answer(WRONG)), outcome(refused)).figures["answer"]
    assert shown(refused) == ""
    assert figures["contains"].value == figures["refused"].value == pytest.approx(1 / 3)


def test_words_are_counted_without_the_numbers_of_the_quotes():
    assert shown(answer(RIGHT)) == RIGHT
    assert report(outcome(answer(RIGHT))).figures["answer"]["words"].value == 5


def test_marked_words_are_compared_with_the_gold_answer():
    with_span = replace(evidence(RIGHT), span=(11, 18))
    assert marked(answer(WRONG, with_span)) == "in 1894"
    figures = report(outcome(answer(with_span)), outcome(answer(RIGHT))).figures["answer"]
    assert figures["span_marked"].value == 0.5
    assert (figures["span_exact"].value, figures["span_exact"].n) == (0, 1)
    assert figures["span_f1"].value == pytest.approx(2 / 3)


def test_without_marked_words_nothing_is_compared():
    assert "span_f1" not in report(outcome(answer(RIGHT))).figures["answer"]


def test_of_the_llama_is_counted_what_was_shown():
    said = [Sentence("In 1894.", (1,), "verbatim"), Sentence("By me.", (), "unsupported")]
    answered = answer(RIGHT, status="answered", said=said)
    quoted = answer(RIGHT, said=said[1:])
    assert [sentence.text for sentence in shown_sentences(answered)] == ["In 1894."]
    figures = report(outcome(answered), outcome(quoted)).figures["llama"]
    assert (figures["answered"].value, figures["answered"].n) == (0.5, 2)
    assert (figures["sentences_shown"].value, figures["sentences_shown"].n) == (pytest.approx(1 / 3), 3)
    assert (figures["shown_verbatim"].value, figures["answered_contains"].value) == (1, 1)


def test_an_answer_where_there_is_none_counts_against_the_llama():
    said = [Sentence("In 1998.", (1,), "supported")]
    figures = report(outcome(answer(WRONG, status="answered", said=said), ABSENT)).figures["llama"]
    assert figures["answered_contains"].value == 0


def test_without_a_llama_nothing_is_said_of_one():
    assert report(outcome(answer(RIGHT))).figures["llama"] == {}


def test_refusing_is_judged_over_held_out_questions_too():
    held_out = answer(WRONG, status="abstained", support=0.3)
    result = report(outcome(answer(RIGHT), held_out=held_out), outcome(answer(WRONG, support=0.95), ABSENT))
    figures = result.figures["abstention"]
    assert result.counts["held_out"] == 1
    assert figures["auroc"].value == 0.5  # above the one and below the other
    assert (figures["precision"].value, figures["recall"].value) == (1, 0.5)
    assert (figures["balanced_accuracy"].value, figures["best_balanced_accuracy"].value) == (0.75, 0.75)
    assert figures["refused_at_2%_lost"].value == 0.5
    assert figures["answer_elsewhere"].value == 0


def test_an_answer_left_in_other_documents_is_counted():
    figures = report(outcome(answer(RIGHT), held_out=answer(RIGHT))).figures["abstention"]
    assert figures["answer_elsewhere"].value == 1


def test_an_answer_far_down_among_other_sentences_is_not_left():
    held_out = answer(WRONG, WRONG, WRONG, RIGHT)
    figures = report(outcome(answer(RIGHT), held_out=held_out)).figures["abstention"]
    assert figures["answer_elsewhere"].value == 0


def test_where_everything_is_answerable_refusing_has_no_figures():
    result = report(outcome(answer(RIGHT)))
    assert result.figures["abstention"] == {}
    assert result.risk_coverage == ()


def test_risk_grows_with_what_is_answered():
    result = report(outcome(answer(RIGHT)), outcome(answer(WRONG, support=0.2), ABSENT))
    assert result.risk_coverage[0] == (0.5, 0)
    assert result.risk_coverage[-1] == (1, 0.5)


def test_without_gold_answers_a_quote_of_a_relevant_document_is_right():
    unknown = replace(GOLD, answers=())
    absent = outcome(answer(WRONG, support=0.2), ABSENT)
    assert report(outcome(answer(WRONG), unknown, cites_relevant=True), absent).risk_coverage[0] == (0.5, 0)
    assert report(outcome(answer(WRONG), unknown), absent).risk_coverage[0] == (0.5, 1)


def test_a_quote_of_a_relevant_document_is_counted_whatever_it_says():
    figures = report(outcome(answer(WRONG), cites_relevant=True), outcome(answer(RIGHT))).figures["answer"]
    assert figures["document_quoted"].value == 0.5


def test_every_figure_is_defined_in_the_documentation():
    marked_right = replace(evidence(RIGHT), span=(15, 19))
    said = answer(marked_right, status="answered", said=[Sentence("In 1894.", (1,), "supported")])
    figures = report(outcome(said, held_out=answer(WRONG, status="abstained"))).figures
    page = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
    names = [name for section in figures.values() for name in section]
    assert len(names) == 29
    assert [name for name in names if f"`{name}`" not in page] == []


def test_each_figure_has_an_interval_over_groups():
    other = replace(GOLD, group="other")
    figure = report(outcome(answer(RIGHT)), outcome(answer(WRONG), other)).figures["answer"]["contains"]
    assert (figure.low, figure.value, figure.high, figure.n) == (0, 0.5, 1, 2)


def test_stages_are_timed_by_median_and_95th_percentile():
    timed = [outcome(answer(RIGHT, timing_ms={"total": ms, "embed": 1})) for ms in range(101)]
    assert report(*timed).timing_ms == {
        "embed": {"median": 1, "p95": 1},
        "total": {"median": 50, "p95": 95},
    }


def test_nothing_asked_gives_an_empty_report():
    result = summarize(Run((), ((GOLD, "too long"),)), seed=1)
    assert result.counts["unasked"] == 1
    assert not any(result.figures.values())
