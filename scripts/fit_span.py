"""Fits what ragqa/span.py and ragqa/mark.py weigh runs of words by, prints how well articles held out do.

Two conditional logits: one over all runs of each question's two best sentences, whose weights go into ragqa/span.json,
and one over the best of these with the Llama's likelihoods, whose weights are printed. A run counts as right by its
token F1 to the fourth power, so that nearly right ones teach a little.
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

from ragqa import evidence, mark, span
from ragqa.cli.open import open_for_indexing, open_writing
from ragqa.cli.options import settle
from ragqa.generate import Generator
from ragqa.measure.datasets import Dataset, Example, load_dataset
from ragqa.measure.metrics import exact_match, token_f1
from ragqa.retrieve import retrieve
from ragqa.types import Evidence, Filter

RIDGE, RIDGE_AGAIN = 10.0, 1.0  # on standardized features
SHARPNESS = 4


@dataclass(frozen=True)
class Asked:
    """A question with all runs of its two best sentences."""

    dataset: str
    example: Example
    shown: Sequence[Evidence]
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
    f1 = [one.f1 for one in asked]
    logits = held_out(asked, tables, f1, RIDGE)
    report("all runs", asked, [one.texts[int(own.argmax())] for one, own in zip(asked, logits, strict=True)])
    fit_again(asked, logits)
    weights = fit(tables, f1, RIDGE)
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
        best = evidence.select(found, embedder=embedder, question=example.question, k=mark.LOOKED_AT)
        read = [one for one in span.read_all(example.question, best, found, embedder) if len(one[1].first)]
        if read:
            texts = [words.text[slice(*words.bounds(n))] for _at, words, _f in read for n in range(len(words.first))]
            columns = {
                name: np.concatenate([f.get(name, np.zeros(len(w.first))) for _at, w, f in read])
                for name in {name for _at, _words, f in read for name in f}
            }
            f1 = np.array([token_f1(text, example.answers) for text in texts])
            asked.append(Asked(dataset.name, example, best, columns, texts, f1))
    return asked


def fit_again(asked: Sequence[Asked], logits: Sequence[np.ndarray]) -> None:
    """Fit what the best runs are weighed by with the Llama, from logits of weights that did not see the question."""
    generator = open_writing(settle(), None, print).generator
    names = list(mark.WEIGHTS)
    best = [np.argsort(-own)[: mark.WEIGHED_AGAIN] for own in logits]
    tables = [weighed(one, own, at, names, generator) for one, own, at in zip(asked, logits, best, strict=True)]
    read = [n for n, table in enumerate(tables) if table is not None]
    print(f"the Llama read {len(read)} of {len(asked)}", flush=True)
    few = [asked[n] for n in read]
    rows = [table for table in tables if table is not None]
    f1 = [asked[n].f1[best[n]] for n in read]
    again = held_out(few, rows, f1, RIDGE_AGAIN)
    report("the Llama", few, [asked[n].texts[best[n][int(own.argmax())]] for n, own in zip(read, again, strict=True)])
    print("mark.WEIGHTS", dict(zip(names, fit(rows, f1, RIDGE_AGAIN).round(2).tolist(), strict=True)), flush=True)


def weighed(
    one: Asked, logits: np.ndarray, best: np.ndarray, names: Sequence[str], generator: Generator
) -> np.ndarray | None:
    texts = [one.texts[n] for n in best]
    columns = mark.likelihoods(one.example.question, one.shown, texts, generator)
    if columns is None:
        return None
    found = [mark.features(*row) for row in zip(logits[best].tolist(), texts, *columns, strict=True)]
    return np.array([[features[name] for name in names] for features in found])


def held_out(
    asked: Sequence[Asked], tables: Sequence[np.ndarray], f1: Sequence[np.ndarray], ridge: float
) -> list[np.ndarray]:
    """The logits of each fifth of the articles, in whatever language these are, by weights of the others."""
    folds = {group: n % FOLDS for n, group in enumerate(sorted({one.example.group for one in asked}))}
    logits = [np.zeros(0)] * len(asked)
    for fold in range(FOLDS):
        apart = [folds[one.example.group] == fold for one in asked]
        train = [n for n, out in enumerate(apart) if not out]
        weights = fit([tables[n] for n in train], [f1[n] for n in train], ridge)
        for n in (n for n, out in enumerate(apart) if out):
            logits[n] = tables[n] @ weights
    return logits


def report(title: str, asked: Sequence[Asked], given: Sequence[str]) -> None:
    for name in dict.fromkeys(one.dataset for one in asked):
        pairs = [
            (exact_match(text, one.example.answers), token_f1(text, one.example.answers))
            for one, text in zip(asked, given, strict=True)
            if one.dataset == name
        ]
        print(f"{title}: {name}, {len(pairs)} questions, EM and F1", np.mean(pairs, axis=0).round(3).tolist())


def fit(tables: Sequence[np.ndarray], f1: Sequence[np.ndarray], ridge: float) -> np.ndarray:
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
        return float((every - right).sum() + ridge * weights @ weights), slope + 2 * ridge * weights

    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    return np.asarray(found.x / deviation)


if __name__ == "__main__":
    main()
