"""Retrieval and evidence on data that does not come with ragqa.

RAGQA_TEST_SQUAD names a file in SQuAD 1.1's shape (XQuAD's have it), RAGQA_TEST_NOTES a folder of other
documents to hide its paragraphs among. Without them there is nothing to measure.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ragqa.cli.open import open_for_indexing
from ragqa.evidence import select
from ragqa.index import Summary, update_index
from ragqa.retrieve import retrieve
from ragqa.settings import load_settings
from tests.conftest import Ragqa

SQUAD, NOTES = os.environ.get("RAGQA_TEST_SQUAD"), os.environ.get("RAGQA_TEST_NOTES")

pytestmark = [
    pytest.mark.model,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not (SQUAD and NOTES), reason="RAGQA_TEST_SQUAD and RAGQA_TEST_NOTES are not set"),
]


def questions(folder: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Question, its document and its answers; each paragraph becomes a file."""
    for article in json.loads(Path(str(SQUAD)).read_text(encoding="utf-8"))["data"]:
        for number, paragraph in enumerate(article["paragraphs"]):
            name = f"{article['title'].replace('/', '_')}-{number}.txt"
            (folder / name).write_text(paragraph["context"], encoding="utf-8")
            for qa in paragraph["qas"]:
                yield qa["question"], f"{folder.name}/{name}", [answer["text"] for answer in qa["answers"]]


def test_the_paragraph_is_in_the_best_five_and_the_answer_in_the_two_quotes(tmp_path: Path, library: Ragqa):
    paragraphs = tmp_path / "squad"
    paragraphs.mkdir()
    asked = list(questions(paragraphs))
    settings = load_settings({"RAGQA_HOME": str(library.home), "RAGQA_DB": str(tmp_path / "index.db")}, tmp_path)
    store, embedder = open_for_indexing(settings, print)
    summary = Summary()
    roots = [paragraphs, Path(str(NOTES))]
    update_index(roots, store=store, embedder=embedder, summary=summary, max_file_size=settings.max_file_size)

    found = quoted = 0
    for question, document, answers in asked:
        retrieved = retrieve(question, embedder=embedder, store=store, k=5)
        found += document in {hit.passage.document_id for hit in retrieved.hits}
        quotes = " ".join(one.quote for one in select(retrieved, embedder=embedder, k=2))
        quoted += any(answer.lower() in quotes.lower() for answer in answers)
    print(f"\n{len(asked)} questions, {summary.indexed} documents: recall@5 {found / len(asked):.3f}, ", end="")
    print(f"answer in two quotes {quoted / len(asked):.3f}")
    assert found >= 0.98 * len(asked)
    assert quoted >= 0.85 * len(asked)
