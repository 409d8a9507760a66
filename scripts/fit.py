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
from ragqa.index import update_index
from ragqa.index.run import Run
from ragqa.index.summary import Summary
from ragqa.measure.datasets import Dataset, Example, load_dataset
from ragqa.measure.layout import lay_out
from ragqa.measure.metrics import auroc, best_balanced_accuracy, contains, refused_at_loss
from ragqa.retrieve import CANDIDATES, retrieve
from ragqa.store import HidingStore, IndexStore
from ragqa.terms import search_words
from ragqa.types import Evidence, Filter, Hit

CORPUS = Path(__file__).resolve().parent.parent / "corpus" / "questions.jsonl"
ALL = 1_000_000
RIDGE = 0.5  # on standardized features
FOLDS = 5
LIBRARY = "distractors"


@dataclass(frozen=True)
class Asked:
    """A question with the sentences that were weighed for it.

    Attributes:
        present: Its documents were in the index.
        right: Which of the sentences answer.
        ranks: Stage of retrieval → where it puts the first document that answers, from 0.
    """

    dataset: str
    example: Example
    present: bool
    found: Sequence[Evidence]
    right: Sequence[bool]
    signals: Mapping[str, float]
    ranks: Mapping[str, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=Path, nargs="+", help="in any shape that `ragqa eval` reads")
    parser.add_argument("--distractors", type=Path, help="a folder of other documents")
    parser.add_argument("--cache", type=Path, help="where the index is kept for the next time")
    parser.add_argument("--ablate", action="store_true", help="also say what each stage and each feature gives")
    arguments = parser.parse_args()
    datasets = [load_dataset(path) for path in [CORPUS, *arguments.datasets]]
    with tempfile.TemporaryDirectory() as scratch:
        asked = ask_all(datasets, arguments.distractors, arguments.cache or Path(scratch))
    present = [one for one in asked if one.present]
    if arguments.ablate:
        compare_stages(present)
    fit_evidence(present, arguments.ablate)
    fit_support(asked, arguments.ablate)


def ask_all(datasets: Sequence[Dataset], distractors: Path | None, scratch: Path) -> list[Asked]:
    store, embedder = open_for_indexing(settle(db=scratch / "index.db"), print)
    if distractors:
        index_folder(distractors, LIBRARY, store, embedder)
    asked = []
    for dataset in datasets:
        places = index_dataset(dataset, scratch, store, embedder)
        names = {places[record.path]: id for id, record in store.known().items() if record.path in places}
        for example in dataset.examples:
            gold = [names[id] for id in example.relevant]
            asked.append(ask(example, dataset.name, gold, store, embedder))
            if gold:
                with store.without(gold):
                    hidden = replace(ask(example, dataset.name, gold, store, embedder), present=False)
                if not stands_elsewhere(hidden):
                    asked.append(hidden)
        print(f"{dataset.name}: {len(dataset.examples)} questions", flush=True)
    return asked


def stands_elsewhere(hidden: Asked) -> bool:
    """Whether the answer stands in what would be quoted without the question's documents: then it is answered still."""
    return any(contains(one.quote, hidden.example.answers) for one in hidden.found[: settle().quotes])


def index_dataset(dataset: Dataset, scratch: Path, store: IndexStore, embedder: Embedder) -> dict[Path, str]:
    """Make a dataset a collection of the index; returns each document's file with its id in the dataset."""
    places = lay_out(dataset.documents, scratch / dataset.name)
    index_folder(scratch / dataset.name, dataset.name, store, embedder)
    return places


def index_folder(folder: Path, collection: str, store: IndexStore, embedder: Embedder) -> None:
    run = Run(collection=collection, max_file_size=settle().max_file_size)
    update_index([folder], store=store, embedder=embedder, summary=Summary(), run=run)


def ask(example: Example, dataset: str, gold: Sequence[str], store: HidingStore, embedder: Embedder) -> Asked:
    where = Filter((dataset, LIBRARY))
    retrieved = retrieve(example.question, embedder=embedder, store=store, k=5, where=where, once=True)
    found = evidence.select(retrieved, embedder=embedder, question=example.question, k=ALL)
    right = [one.hit.passage.document_id in gold and contains(one.quote, example.answers) for one in found]
    signals = support.signals(retrieved, found, example.question)
    ranks = {name: rank(hits, gold) for name, hits in stages(example.question, store, embedder, where).items()}
    return Asked(dataset, example, bool(gold), found, right, signals, ranks)


def stages(question: str, store: HidingStore, embedder: Embedder, where: Filter) -> dict[str, Sequence[Hit]]:
    """What each stage of retrieval finds by itself."""
    vector = embedder.embed_query(question)
    lexical = store.match(search_words(question), CANDIDATES, where)
    retrieved = retrieve(question, embedder=embedder, store=store, k=CANDIDATES, where=where).hits
    return {
        "dense": store.search(vector, CANDIDATES, where),
        "lexical": lexical,
        "fused": sorted(retrieved, key=lambda hit: -hit.scores["fused"]),
        "fused and MaxSim": retrieved,
    }


def rank(hits: Sequence[Hit], gold: Sequence[str]) -> int:
    return next((n for n, hit in enumerate(hits) if hit.passage.document_id in gold), CANDIDATES)


def compare_stages(asked: Sequence[Asked]) -> None:
    for name in dict.fromkeys(one.dataset for one in asked):
        for stage in asked[0].ranks:
            ranks = np.array([one.ranks[stage] for one in asked if one.dataset == name])
            found = " ".join(f"@{k} {(ranks < k).mean():.3f}" for k in (1, 5, 10))
            print(
                f"retrieval, {name}, {stage}: recall {found}, MRR {np.where(ranks < 10, 1 / (1 + ranks), 0).mean():.3f}"
            )


def fit_evidence(asked: Sequence[Asked], ablate: bool) -> None:
    names = list(evidence.WEIGHTS)
    whole = crossed(asked, names)
    for name, shares in whole.items():
        print(f"evidence, {name}, each fifth by weights of the others: {shown(shares)}", flush=True)
    for left_out in names if ablate else ():
        without = crossed(asked, [name for name in names if name != left_out])
        print(f"  without {left_out}: " + "; ".join(f"{name} {shown(shares)}" for name, shares in without.items()))
    show("evidence.WEIGHTS", names, conditional_logit(tables(asked, names), [one.right for one in asked]))


def tables(asked: Sequence[Asked], names: Sequence[str]) -> list[np.ndarray]:
    return [np.array([[found.scores[name] for name in names] for found in one.found]) for one in asked]


def crossed(asked: Sequence[Asked], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Dataset → evidence@1 to @3, each fifth of its groups judged by weights fitted without it in any language."""
    rows = tables(asked, names)
    folds = {group: n % FOLDS for n, group in enumerate(sorted({one.example.group for one in asked}))}
    held: dict[str, list[list[bool]]] = {}
    for fold in range(FOLDS):
        apart = [folds[one.example.group] == fold for one in asked]
        train = [n for n, out in enumerate(apart) if not out]
        weights = conditional_logit([rows[n] for n in train], [asked[n].right for n in train])
        for n in (n for n, out in enumerate(apart) if out and asked[n].example.answers):
            held.setdefault(asked[n].dataset, []).append(answered(asked[n], rows[n], weights))
    return {name: np.mean(shares, axis=0) for name, shares in held.items()}


def answered(one: Asked, rows: np.ndarray, weights: np.ndarray) -> list[bool]:
    """Whether a gold answer stands in the best 1, 2 and 3 sentences."""
    best = np.argsort(-(rows @ weights))[:3] if len(one.found) else []
    holding = [contains(one.found[n].quote, one.example.answers) for n in best]
    return [any(holding[:k]) for k in (1, 2, 3)]


def shown(shares: np.ndarray) -> str:
    return " ".join(f"@{k} {share:.3f}" for k, share in enumerate(shares, start=1))


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


def fit_support(asked: Sequence[Asked], ablate: bool) -> None:
    names = list(support.WEIGHTS)
    answers = np.array([one.present for one in asked])
    sets = np.array([one.dataset for one in asked])
    rows = np.array([[one.signals[name] for name in names] for one in asked])
    for name in dict.fromkeys(sets):
        # The same questions in another language are no other set.
        others = np.array([one.split(".")[0] != name.split(".")[0] for one in sets])
        if others.any():
            weights = logistic(rows[others], answers[others], sets[others])
            judge(f"support, {name} by weights of the other sets", weights, rows[sets == name], answers[sets == name])
    for left_out in names[1:] if ablate else ():
        kept = [n for n, name in enumerate(names) if name != left_out]
        weights = logistic(rows[:, kept], answers, sets)
        for name in dict.fromkeys(sets):
            values = support_of(weights, rows[sets == name][:, kept])
            print(f"  without {left_out}: {name} AUROC {auroc(values, answers[sets == name]):.3f}")
    weights = logistic(rows, answers, sets)
    for name in dict.fromkeys(sets):
        judge(f"support, {name} by weights of all", weights, rows[sets == name], answers[sets == name])
    show("support.WEIGHTS", names, weights)


def support_of(weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-rows @ weights)))


def logistic(rows: np.ndarray, answers: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """Every set counts the same, and in it questions that can be answered as much as those that cannot."""
    sizes = {(s, a): ((sets == s) & (answers == a)).sum() for s in set(sets) for a in (True, False)}
    counts = np.array([1 / sizes[s, a] for s, a in zip(sets, answers, strict=True)])
    deviation = np.where(rows.std(axis=0) > 0, rows.std(axis=0), 1.0)
    model = LogisticRegression(C=100, max_iter=10000, fit_intercept=False)
    model.fit(rows / deviation, answers, sample_weight=counts * len(rows) / counts.sum())
    return np.asarray(model.coef_[0] / deviation)


def judge(title: str, weights: np.ndarray, rows: np.ndarray, answers: np.ndarray) -> None:
    values = support_of(weights, rows)
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
