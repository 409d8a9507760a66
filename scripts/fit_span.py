"""Fits what ragqa/span.py weighs runs of words by, prints how well articles held out do, and writes ragqa/span.json.

A conditional logit over the runs of each question's two best sentences; a run counts as right by its token F1 to the
fourth power, so that nearly right ones teach a little.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fit import CORPUS, FOLDS, index_dataset
from scipy.optimize import minimize

from ragqa import evidence, span
from ragqa.cli.open import open_for_indexing
from ragqa.cli.options import settle
from ragqa.measure.datasets import Dataset, Example, load_dataset
from ragqa.measure.metrics import exact_match, token_f1
from ragqa.retrieve import retrieve
from ragqa.types import Filter

RIDGE = 10.0  # on standardized features
SHARPNESS = 4


@dataclass(frozen=True)
class Asked:
    dataset: str
    example: Example
    columns: dict[str, np.ndarray]
    texts: Sequence[str]
    f1: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=Path, nargs="+", help="in any shape that `ragqa eval` reads")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        datasets = [load_dataset(path) for path in [CORPUS, *arguments.datasets]]
        asked = [one for dataset in datasets for one in ask_all(dataset, Path(scratch))]
    names = sorted({name for one in asked for name in one.columns})
    tables = [np.stack([one.columns.get(n, np.zeros(len(one.f1))) for n in names], axis=1) for one in asked]
    judge(asked, tables)
    weights = fit(tables, [one.f1 for one in asked])
    kept = {name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True) if abs(weight) >= 0.0005}
    span.WEIGHTS_FILE.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def ask_all(dataset: Dataset, scratch: Path) -> list[Asked]:
    store, embedder = open_for_indexing(settle(db=scratch / "index.db"), print)
    index_dataset(dataset, scratch, store, embedder)
    asked = []
    for example in dataset.examples:
        if not example.answers:
            continue
        found = retrieve(
            example.question, embedder=embedder, store=store, k=5, where=Filter((dataset.name,)), once=True
        )
        best = evidence.select(found, embedder=embedder, question=example.question, k=span.LOOKED_AT)
        read = [one for one in span.read_all(example.question, best, found, embedder) if len(one[1].first)]
        if read:
            texts = [words.text[slice(*words.bounds(n))] for _at, words, _f in read for n in range(len(words.first))]
            columns = {
                name: np.concatenate([f.get(name, np.zeros(len(w.first))) for _at, w, f in read])
                for name in {name for _at, _words, f in read for name in f}
            }
            f1 = np.array([token_f1(text, example.answers) for text in texts])
            asked.append(Asked(dataset.name, example, columns, texts, f1))
    return asked


def judge(asked: Sequence[Asked], tables: Sequence[np.ndarray]) -> None:
    """Each fifth of the articles by weights of the others, in whatever language these are."""
    groups = sorted({one.example.group for one in asked})
    folds = {group: n % FOLDS for n, group in enumerate(groups)}
    given: dict[str, list[tuple[float, float]]] = {}
    for fold in range(FOLDS):
        train = [n for n, one in enumerate(asked) if folds[one.example.group] != fold]
        weights = fit([tables[n] for n in train], [asked[n].f1 for n in train])
        for one, table in zip(asked, tables, strict=True):
            if folds[one.example.group] == fold:
                text = one.texts[int((table @ weights).argmax())]
                answers = one.example.answers
                given.setdefault(one.dataset, []).append((exact_match(text, answers), token_f1(text, answers)))
    for name, pairs in given.items():
        print(name, len(pairs), "questions, EM and F1", np.mean(pairs, axis=0).round(3).tolist(), flush=True)


def fit(tables: Sequence[np.ndarray], f1: Sequence[np.ndarray]) -> np.ndarray:
    usable = [(table, right) for table, right in zip(tables, f1, strict=True) if right.max() >= 0.5]
    rows = np.concatenate([table for table, _right in usable]).astype(np.float32)
    deviation = rows.std(axis=0) + 0.02
    rows = (rows - rows.mean(axis=0)) / deviation
    credit = SHARPNESS * np.log(np.maximum(np.concatenate([right for _table, right in usable]), 1e-3))
    sizes = [len(table) for table, _right in usable]
    starts, of = np.cumsum([0, *sizes[:-1]]), np.repeat(np.arange(len(sizes)), sizes)

    def log_sums(values: np.ndarray) -> np.ndarray:
        top = np.maximum.reduceat(values, starts)
        return top + np.log(np.add.reduceat(np.exp(values - top[of]), starts))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        values = rows @ weights
        every, right = log_sums(values), log_sums(values + credit)
        slope = rows.T @ (np.exp(values - every[of]) - np.exp(values + credit - right[of]))
        return float((every - right).sum() + RIDGE * weights @ weights), slope + 2 * RIDGE * weights

    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    return np.asarray(found.x / deviation)


if __name__ == "__main__":
    main()
