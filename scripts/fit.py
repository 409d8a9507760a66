"""Fits what ragqa/evidence.py and ragqa/support.py weigh by, prints the weights and how well they do.

Each dataset is a collection of its own among the distractors. Evidence is a conditional logit over the sentences of
each question's best passages. Support is a logistic regression over each question asked twice, with its documents and
without them. Every set is also judged by weights that were fitted on the others.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from ragqa import evidence, support
from ragqa.cli.open import open_for_indexing
from ragqa.cli.options import settle
from ragqa.embed import Embedder
from ragqa.index import Summary, update_index
from ragqa.measure.datasets import Dataset, Example, load_dataset
from ragqa.measure.layout import lay_out
from ragqa.measure.metrics import auroc, best_balanced_accuracy, contains, refused_at_loss
from ragqa.retrieve import retrieve
from ragqa.store import HidingStore
from ragqa.types import Evidence, Filter

CORPUS = Path(__file__).resolve().parent.parent / "corpus" / "questions.jsonl"
ALL = 1_000_000
RIDGE = 0.5  # on standardized features
LIBRARY = "distractors"


@dataclass(frozen=True)
class Asked:
    """A question with the sentences that were weighed for it; `right` says which of them answer."""

    dataset: str
    example: Example
    present: bool
    found: Sequence[Evidence]
    right: Sequence[bool]
    signals: Mapping[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=Path, nargs="+", help="in any shape that `ragqa eval` reads")
    parser.add_argument("--distractors", type=Path, help="a folder of other documents")
    parser.add_argument("--cache", type=Path, help="where the index is kept for the next time")
    arguments = parser.parse_args()
    datasets = [load_dataset(path) for path in [CORPUS, *arguments.datasets]]
    with tempfile.TemporaryDirectory() as scratch:
        asked = ask_all(datasets, arguments.distractors, arguments.cache or Path(scratch))
    fit_evidence([one for one in asked if one.present and one.example.answerable])
    fit_support(asked)


def ask_all(datasets: Sequence[Dataset], distractors: Path | None, scratch: Path) -> list[Asked]:
    store, embedder = open_for_indexing(settle(db=scratch / "index.db"), print)
    size = settle().max_file_size
    if distractors:
        update_index(
            [distractors], store=store, embedder=embedder, summary=Summary(), collection=LIBRARY, max_file_size=size
        )
    asked = []
    for dataset in datasets:
        places = lay_out(dataset.documents, scratch / dataset.name)
        update_index(
            [scratch / dataset.name],
            store=store,
            embedder=embedder,
            summary=Summary(),
            collection=dataset.name,
            max_file_size=size,
        )
        names = {places[record.path]: id for id, record in store.known().items() if record.path in places}
        for example in dataset.examples:
            gold = [names[id] for id in example.relevant]
            asked.append(ask(example, dataset.name, gold, store, embedder))
            if gold:
                with store.without(gold):
                    asked.append(replace(ask(example, dataset.name, gold, store, embedder), present=False))
        print(f"{dataset.name}: {len(dataset.examples)} questions", flush=True)
    return asked


def ask(example: Example, dataset: str, gold: Sequence[str], store: HidingStore, embedder: Embedder) -> Asked:
    where = Filter((dataset, LIBRARY))
    retrieved = retrieve(example.question, embedder=embedder, store=store, k=5, where=where)
    found = evidence.select(retrieved, embedder=embedder, question=example.question, k=ALL)
    right = [one.hit.passage.document_id in gold and contains(one.quote, example.answers) for one in found]
    signals = support.signals(retrieved, found, example.question)
    return Asked(dataset, example, bool(gold), found, right, signals)


def fit_evidence(asked: Sequence[Asked]) -> None:
    names = list(evidence.WEIGHTS)
    tables = [np.array([[one.scores[name] for name in names] for one in question.found]) for question in asked]

    def hits(weights: np.ndarray, chosen: Sequence[int]) -> str:
        best = [np.argsort(-(tables[n] @ weights))[:3] if asked[n].found else [] for n in chosen]
        held = [
            [contains(asked[n].found[i].quote, asked[n].example.answers) for i in b]
            for n, b in zip(chosen, best, strict=True)
        ]
        return " ".join(f"@{k} {np.mean([any(one[:k]) for one in held]):.3f}" for k in (1, 2, 3))

    everyone = range(len(asked))
    for name in dict.fromkeys(question.dataset for question in asked):
        own = [n for n in everyone if asked[n].dataset == name and asked[n].example.answers]
        folds = {group: n % 5 for n, group in enumerate(sorted({asked[i].example.group for i in own}))}
        crossed = []
        for fold in range(5):
            test = [n for n in own if folds[asked[n].example.group] == fold]
            groups = {asked[n].example.group for n in test}
            train = [n for n in everyone if asked[n].example.group not in groups]
            weights = conditional_logit([tables[n] for n in train], [asked[n].right for n in train])
            crossed.append((weights, test))
        print(f"evidence, {name}, each fifth by weights of the others: {crossed_hits(crossed, hits)}", flush=True)
    fitted = conditional_logit(tables, [question.right for question in asked])
    show("evidence.WEIGHTS", names, fitted)


def crossed_hits(crossed, hits) -> str:
    shares = [
        (len(test), [float(part.split()[-1]) for part in hits(w, test).split("@")[1:]]) for w, test in crossed if test
    ]
    total = sum(size for size, _values in shares)
    means = [sum(size * values[k] for size, values in shares) / total for k in range(3)]
    return " ".join(f"@{k + 1} {mean:.3f}" for k, mean in enumerate(means))


def conditional_logit(tables: Sequence[np.ndarray], right: Sequence[Sequence[bool]]) -> np.ndarray:
    """Weights under which the right rows of each table are likeliest, several right ones counting as one."""
    usable = [(t, np.array(r)) for t, r in zip(tables, right, strict=True) if any(r) and not all(r)]
    rows = np.concatenate([table for table, _right in usable])
    deviation = rows.std(axis=0) + 1e-6
    rows = (rows - rows.mean(axis=0)) / deviation
    answers = np.concatenate([r for _table, r in usable])
    sizes = np.array([len(table) for table, _right in usable])
    starts, of = np.concatenate([[0], np.cumsum(sizes)[:-1]]), np.repeat(np.arange(len(sizes)), sizes)

    def log_sums(values: np.ndarray) -> np.ndarray:
        top = np.maximum.reduceat(values, starts)
        return top + np.log(np.add.reduceat(np.exp(values - top[of]), starts))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        values = rows @ weights
        chosen = np.where(answers, values, -1e9)
        every, these = log_sums(values), log_sums(chosen)
        slope = rows.T @ (np.exp(values - every[of]) - np.exp(chosen - these[of]))
        return float((every - these).sum() + RIDGE * weights @ weights), slope + 2 * RIDGE * weights

    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B")
    return np.asarray(found.x / deviation)


def fit_support(asked: Sequence[Asked]) -> None:
    names = list(support.WEIGHTS)
    rows = np.array([[one.signals[name] for name in names] for one in asked])
    answers = np.array([one.present for one in asked])
    sets = np.array([one.dataset for one in asked])
    for name in dict.fromkeys(sets):
        own = sets == name
        if not own.all():
            # The same questions in another language are no other set.
            others = ~own if not name.startswith("xquad") else ~np.char.startswith(sets, "xquad")
            judge(
                f"support, {name} by weights of the other sets",
                logistic(rows[others], answers[others], sets[others]),
                rows[own],
                answers[own],
            )
    weights = logistic(rows, answers, sets)
    for name in dict.fromkeys(sets):
        judge(f"support, {name} by weights of all", weights, rows[sets == name], answers[sets == name])
    show("support.WEIGHTS", names, weights)


def logistic(rows: np.ndarray, answers: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """Every set counts the same, and in it questions that can be answered as much as those that cannot."""
    sizes = {(s, a): ((sets == s) & (answers == a)).sum() for s in set(sets) for a in (True, False)}
    counts = np.array([1 / sizes[s, a] for s, a in zip(sets, answers, strict=True)])
    deviation = np.where(rows.std(axis=0) > 0, rows.std(axis=0), 1.0)
    model = LogisticRegression(C=100, max_iter=10000, fit_intercept=False)
    model.fit(rows / deviation, answers, sample_weight=counts * len(rows) / counts.sum())
    return np.asarray(model.coef_[0] / deviation)


def judge(title: str, weights: np.ndarray, rows: np.ndarray, answers: np.ndarray) -> None:
    values = 1 / (1 + np.exp(-rows @ weights))
    yes, no = values[answers], values[~answers]
    refused = {loss: f"{refused_at_loss(values, answers, loss):.3f}" for loss in (0.02, 0.05)}
    print(f"{title}: AUROC {auroc(values, answers):.3f}, best balanced accuracy", end=" ")
    print(f"{best_balanced_accuracy(values, answers):.3f}, refused at 2 % and 5 % loss {refused[0.02]} {refused[0.05]}")
    for threshold in (0.2, 0.3, 0.5):
        print(
            f"  below {threshold}: lost {(yes < threshold).mean():.3f}, refused {(no < threshold).mean():.3f}",
            flush=True,
        )


def show(title: str, names: Sequence[str], weights: np.ndarray) -> None:
    print(title, json.dumps(dict(zip(names, weights.round(2).tolist(), strict=True)), indent=2), flush=True)


if __name__ == "__main__":
    main()
