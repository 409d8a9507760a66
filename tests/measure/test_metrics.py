from __future__ import annotations

import random
import re
import string
from collections import Counter
from math import isnan, log2

import numpy as np
import pytest
import pytrec_eval
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from ragqa.measure.metrics import (
    answer_tokens,
    auroc,
    balanced_accuracy,
    best_balanced_accuracy,
    bootstrap_interval,
    contains,
    count_words,
    exact_match,
    ndcg,
    recall,
    reciprocal_rank,
    refusal_precision,
    refusal_recall,
    refused_at_loss,
    risk_coverage,
    token_f1,
)

SUPPORT = np.array([0.9, 0.8, 0.4, 0.6, 0.2, 0.1])
ANSWERABLE = np.array([True, True, True, False, False, False])


def test_recall_is_the_share_of_relevant_documents_found():
    assert recall(["a", "x", "b"], {"a": 1, "b": 1}, 1) == 0.5
    assert recall(["a", "x", "b"], {"a": 1, "b": 1}, 3) == 1


def test_the_reciprocal_rank_is_of_the_first_relevant_document():
    assert reciprocal_rank(["x", "a", "b"], {"a": 1, "b": 1}) == 0.5


def test_a_document_beyond_the_tenth_has_no_reciprocal_rank():
    assert reciprocal_rank([*"0123456789", "a"], {"a": 1}) == 0


def test_ndcg_falls_with_the_logarithm_of_the_rank():
    assert ndcg(["a", "x"], {"a": 1}) == 1
    assert ndcg(["x", "a"], {"a": 1}) == pytest.approx(1 / log2(3))
    assert ndcg(["b", "a"], {"a": 3, "b": 1}) == pytest.approx((1 + 3 / log2(3)) / (3 + 1 / log2(3)))


@pytest.mark.parametrize("seed", range(20))
def test_rankings_are_measured_as_trec_eval_measures_them(seed: int):
    dice = random.Random(seed)
    documents = [f"d{n}" for n in range(30)]
    relevant = {document: dice.randint(1, 3) for document in dice.sample(documents, dice.randint(1, 12))}
    ranking = dice.sample(documents, dice.randint(1, 30))
    run = {"q": {document: -float(place) for place, document in enumerate(ranking)}}
    # trec_eval's own reciprocal rank looks at the whole run, so it is given ten documents.
    short = {"q": {document: -float(place) for place, document in enumerate(ranking[:10])}}
    names = {"recall.1,3,5,10", "ndcg_cut.10"}
    theirs = pytrec_eval.RelevanceEvaluator({"q": relevant}, names).evaluate(run)["q"]
    rank = pytrec_eval.RelevanceEvaluator({"q": relevant}, {"recip_rank"}).evaluate(short)["q"]["recip_rank"]
    for k in (1, 3, 5, 10):
        assert recall(ranking, relevant, k) == pytest.approx(theirs[f"recall_{k}"])
    assert ndcg(ranking, relevant) == pytest.approx(theirs["ndcg_cut_10"])
    assert reciprocal_rank(ranking, relevant) == pytest.approx(rank)


def test_answers_are_compared_without_case_articles_and_punctuation():
    assert answer_tokens("The  Eiffel-Tower, a “wonder”!") == ["eiffeltower", "wonder"]
    assert exact_match("the Eiffel Tower.", ["Big Ben", "Eiffel tower"]) == 1
    assert exact_match("Eiffel", ["Eiffel tower"]) == 0


def test_f1_counts_each_shared_word_as_often_as_both_have_it():
    assert token_f1("new york new york", ["new york city"]) == pytest.approx(2 * 2 / 7)
    assert token_f1("Rome", ["Paris"]) == 0
    assert token_f1("in 1894", ["1901", "1894"]) == pytest.approx(2 / 3)


def test_chinese_is_compared_character_by_character():
    assert answer_tokens("在1894年，巴黎。") == ["在", "1894", "年", "巴", "黎"]
    assert token_f1("法国巴黎", ["巴黎"]) == pytest.approx(2 * 2 / 6)
    assert exact_match("「巴黎」", ["巴黎"]) == 1


def test_korean_and_german_keep_their_words():
    assert answer_tokens("서울 타워") == ["서울", "타워"]
    assert answer_tokens("Über die Brücke") == ["über", "die", "brücke"]


def squad_normal(text: str) -> str:
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def squad_f1(given: str, gold: str) -> float:
    ours, theirs = squad_normal(given).split(), squad_normal(gold).split()
    same = sum((Counter(ours) & Counter(theirs)).values())
    if not ours or not theirs:
        return float(ours == theirs)
    if not same:
        return 0
    precision, found = same / len(ours), same / len(theirs)
    return 2 * precision * found / (precision + found)


@pytest.mark.parametrize("seed", range(50))
def test_english_answers_are_scored_as_squads_script_scores_them(seed: int):
    dice = random.Random(seed)
    words = ["the", "a", "An", "Bridge", "bridge,", "1,894", "U.S.", "$5", "of", "O'Hara", "-", "north-east"]
    given, *gold = (" ".join(dice.choices(words, k=dice.randint(0, 5))) for _ in range(4))
    assert token_f1(given, gold) == pytest.approx(max(squad_f1(given, one) for one in gold))
    assert exact_match(given, gold) == max(squad_normal(given) == squad_normal(one) for one in gold)


def test_an_answer_is_contained_whatever_its_case_and_line_breaks():
    assert contains("Built in the\n  EARLY 1890s.", ["early 1890s"])
    assert not contains("Built in 1890.", ["1891", " "])


def test_words_are_counted_in_scripts_without_spaces_too():
    assert count_words("Two words, 法国") == 4


def test_auroc_is_the_share_of_pairs_in_the_right_order():
    assert auroc(SUPPORT, ANSWERABLE) == pytest.approx(8 / 9)
    assert auroc(np.array([0.5, 0.5]), np.array([True, False])) == 0.5
    assert isnan(auroc(np.array([0.5]), np.array([True])))


@pytest.mark.parametrize("seed", range(10))
def test_support_is_judged_as_scikit_learn_judges_it(seed: int):
    random_ = np.random.default_rng(seed)
    support = random_.integers(0, 8, 40) / 8
    answerable = np.append(random_.random(38) < 0.5, [True, False])
    assert auroc(support, answerable) == pytest.approx(roc_auc_score(answerable, support))
    accuracies = [balanced_accuracy_score(answerable, support >= t) for t in [*np.unique(support), 2]]
    assert balanced_accuracy(support < 0.5, answerable) == pytest.approx(
        balanced_accuracy_score(answerable, support >= 0.5)
    )
    assert best_balanced_accuracy(support, answerable) == pytest.approx(max(accuracies))


def test_balanced_accuracy_is_the_mean_of_two_shares():
    assert balanced_accuracy(SUPPORT < 0.5, ANSWERABLE) == pytest.approx(2 / 3)
    assert best_balanced_accuracy(SUPPORT, ANSWERABLE) == pytest.approx(5 / 6)


def test_refusals_have_precision_and_recall():
    refused = SUPPORT < 0.5  # one that could be answered, two that could not
    assert refusal_precision(refused, ANSWERABLE) == pytest.approx(2 / 3)
    assert refusal_recall(refused, ANSWERABLE) == pytest.approx(2 / 3)
    assert isnan(refusal_precision(SUPPORT < 0, ANSWERABLE))


def test_refused_at_a_loss_gives_up_that_share_of_answers_and_no_more():
    support = np.array([*np.arange(1, 101) / 100, 0.015, 0.025, 0.045, 0.9])
    answerable = np.arange(104) < 100
    assert refused_at_loss(support, answerable, 0.0) == 0
    assert refused_at_loss(support, answerable, 0.02) == 0.5  # the threshold is .03
    assert refused_at_loss(support, answerable, 0.05) == 0.75


def test_risk_is_the_share_of_wrong_answers_among_those_given():
    right = np.array([True, False, True, True])
    assert risk_coverage(np.array([0.9, 0.8, 0.3, 0.2]), right, (0.25, 0.5, 1)) == [(0.25, 0), (0.5, 0.5), (1, 0.25)]
    assert risk_coverage(np.array([]), np.array([], bool), (1,)) == []


def test_whole_groups_are_drawn_again():
    values = np.array([1.0, 1, 1, 0, 0, 0])
    low, high = bootstrap_interval("aaabbb", lambda drawn: values[drawn].mean(), seed=1) or (0, 0)
    assert (low, high) == (0, 1)  # two groups: all of one, all of the other, or both


def test_the_interval_is_that_of_the_mean_where_groups_are_single_questions():
    values = np.random.default_rng(0).random(400)
    names = [str(n) for n in range(400)]
    low, high = bootstrap_interval(names, lambda drawn: values[drawn].mean(), seed=1) or (0, 0)
    error = values.std() / 400**0.5
    assert (values.mean() - low) / error == pytest.approx(1.96, abs=0.25)
    assert (high - values.mean()) / error == pytest.approx(1.96, abs=0.25)


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(0).random(20)

    def interval(seed: int) -> tuple[float, float] | None:
        return bootstrap_interval("abcdefghijklmnopqrst", lambda drawn: values[drawn].mean(), seed)

    assert interval(3) == interval(3) != interval(4)


def test_one_group_has_no_interval():
    assert bootstrap_interval("aaa", lambda drawn: 1.0, seed=1) is None
