"""The prompt has a budget: what does not fit is left out, and never the question."""

from __future__ import annotations

import re

import pytest

from tests.cli.test_ask import LIT
from tests.conftest import LIGHTHOUSE, Ragqa

pytestmark = pytest.mark.model


@pytest.mark.parametrize("budget", [250, 160, 120])
def test_what_does_not_fit_is_left_out_and_the_question_is_whole(library: Ragqa, budget: int):
    question = "What does E5 want in front of a passage, and why should a question have something else in front of it?"
    limits = ["-o", f"budget={budget}", "-o", "max_answer=24", "-o", "max_sentences=20"]
    document = library("ask", question, *limits, "--json", "--explain").json
    ledger, prompt = document["explain"]["ledger"], document["explain"]["prompt"]
    assert document["tokens"]["prompt"] <= budget
    assert ledger["prompt"] == document["tokens"]["prompt"]
    assert len(ledger["kept"]) == (0 if document["tokens"]["dropped"] else 1)
    assert question in prompt


def test_a_passage_longer_than_the_prompt_may_be_costs_no_answer(prepared: Ragqa):
    prepared.write("long.md", f"{LIGHTHOUSE} " + "The keeper wrote down the wind of each hour in his book. " * 20)
    prepared("index", "long.md")
    done = prepared("ask", LIT, "--json", "-o", "budget=180", "-o", "max_answer=24")
    assert (done.code, done.err) == (0, "")
    assert done.json["tokens"]["prompt"] <= 180
    assert "1894" in done.json["answer"]


def test_a_question_is_never_cut_to_fit(notes: Ragqa):
    done = notes("ask", LIT, "-o", "budget=20", "-o", "max_answer=24")
    assert (done.code, done.out) == (2, "")
    assert re.search(r"budget|fit", done.err)
