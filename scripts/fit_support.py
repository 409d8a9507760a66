"""Fits the logistic regression behind `ragqa.evidence.support` and prints its weights and how well they do.

Questions whose documents are in the index are answerable; the same questions with those documents' passages taken
out of what was found are not, and neither are the questions of corpus/questions.jsonl that nothing answers.
Each set is judged by weights fitted on the other.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from ragqa.cli.open import open_for_indexing
from ragqa.cli.options import settle
from ragqa.evidence import SUPPORT_WEIGHTS, select, signals
from ragqa.index import Summary, update_index
from ragqa.retrieve import Retrieved, retrieve

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
DEPTH = 10


@dataclass(frozen=True)
class Question:
    text: str
    gold: frozenset[str]
    dataset: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("squad", type=Path, help="a SQuAD 1.1 file")
    parser.add_argument("--distractors", type=Path, help="a folder of notes beside it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        paragraphs = Path(scratch) / "squad"
        questions = [*squad_questions(arguments.squad, paragraphs), *corpus_questions()]
        roots = [paragraphs, CORPUS, *([arguments.distractors] if arguments.distractors else [])]
        rows, labels, datasets = examples(questions, roots, Path(scratch) / "index.db")
    squad = datasets == "squad"
    report("fitted on the corpus, judged on SQuAD", fit(rows[~squad], labels[~squad]), rows[squad], labels[squad])
    report("fitted on SQuAD, judged on the corpus", fit(rows[squad], labels[squad]), rows[~squad], labels[~squad])
    weights = fit(rows, labels)
    report("fitted on both, judged on both", weights, rows, labels)
    print(json.dumps(dict(zip(SUPPORT_WEIGHTS, weights.round(1).tolist(), strict=True)), indent=2))


def squad_questions(path: Path, folder: Path) -> Iterator[Question]:
    """The questions; each paragraph becomes a file of its own in `folder`."""
    folder.mkdir()
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for number, paragraph in enumerate(article["paragraphs"]):
            name = f"{article['title'].replace('/', '_')}-{number}.txt"
            (folder / name).write_text(paragraph["context"], encoding="utf-8")
            for qa in paragraph["qas"]:
                yield Question(qa["question"], frozenset([f"squad/{name}"]), "squad")


def corpus_questions() -> Iterator[Question]:
    for line in (CORPUS / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        values = json.loads(line)
        gold = frozenset(f"corpus/{document}" for document in values["metadata"]["documents"])
        yield Question(values["text"], gold, "corpus")


def examples(questions: list[Question], roots: list[Path], db: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One row of signals for each question that can be answered, and one for each that cannot."""
    store, embedder = open_for_indexing(settle(db=db), print)
    update_index(roots, store=store, embedder=embedder, summary=Summary(), max_file_size=1 << 25)

    def judged(found: Retrieved) -> list[float]:
        found = replace(found, hits=found.hits[:DEPTH])
        values = signals(found, select(found, embedder=embedder, k=2))
        return [values[name] for name in SUPPORT_WEIGHTS]

    rows, labels, datasets = [], [], []
    for question in questions:
        found = retrieve(question.text, embedder=embedder, store=store, k=3 * DEPTH)
        without = tuple(hit for hit in found.hits if hit.passage.document_id not in question.gold)
        for answerable, shown in ((True, found), (False, replace(found, hits=without))):
            if question.gold or not answerable:
                rows.append(judged(shown))
                labels.append(answerable)
                datasets.append(question.dataset)
    return np.array(rows), np.array(labels), np.array(datasets)


def fit(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    model = LogisticRegression(C=100, max_iter=5000, fit_intercept=False, class_weight="balanced")
    return np.asarray(model.fit(rows, labels).coef_[0])


def report(title: str, weights: np.ndarray, rows: np.ndarray, labels: np.ndarray) -> None:
    support = 1 / (1 + np.exp(-rows @ weights))
    print(title)
    for threshold in (0.25, 0.5):
        kept, refused = (support[labels] >= threshold).mean(), (support[~labels] < threshold).mean()
        print(f"  at {threshold}: answered {kept:.3f} of those it can, refused {refused:.3f} of those it cannot")


if __name__ == "__main__":
    main()
