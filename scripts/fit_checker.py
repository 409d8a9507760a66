"""Measures `ragqa.verify` with planted falsehoods and fits the logistic regression behind its `firmness` anew.

Every other article of a SQuAD file and every other document of corpus/ is fitted on, the rest is judged. The evidence
of a question is what the product would hold the Llama's words against.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from ragqa.answer import CONSIDERED
from ragqa.cli.open import open_for_indexing
from ragqa.cli.options import settle
from ragqa.evidence import select
from ragqa.index import update_index
from ragqa.index.summary import Summary
from ragqa.measure.checker import judge
from ragqa.measure.falsehoods import KINDS, Case, Statement, plant
from ragqa.retrieve import retrieve
from ragqa.types import Evidence
from ragqa.verify.flaws import unfounded
from ragqa.verify.grounds import WEIGHTS, Grounds, take_apart

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
SHARES = {"true": 1.0, "other_passage": 0.5, "same_passage": 0.7}  # what a statement of a kind weighs in the fit
Found = Mapping[str, Sequence[Evidence]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("squad", type=Path, help="a SQuAD 1.1 file")
    parser.add_argument("--seed", type=int, default=0, help="of the falsehoods")
    arguments = parser.parse_args()
    halves: dict[str, tuple[list[Statement], Found]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "squad"
        sets = (("squad", squad_cases(arguments.squad, folder), folder), ("corpus", corpus_cases(), CORPUS))
        for name, read, root in sets:
            cases = list(read)
            found = evidence_for(cases, root, Path(scratch) / f"{name}.db")
            statements = plant(cases, seed=arguments.seed)
            kept = sum(statement.kind == "true" for statement in statements)
            print(f"{name}: {kept} of {len(cases)} questions made a statement")
            even = set(list(dict.fromkeys(case.document.partition(":")[0] for case in cases))[::2])
            for half, fits in (("fitted on", True), ("judged", False)):
                own = [one for one in statements if (one.document.partition(":")[0] in even) == fits]
                halves[f"{name}, {half}"] = own, found
    for name, (statements, found) in halves.items():
        judged = list(judge(statements, found))
        print(name)
        for kind in KINDS:
            unsupported = [one.unsupported for one in judged if one.statement.kind == kind]
            print(f"  {kind} {sum(unsupported) / max(len(unsupported), 1):.3f} (n {len(unsupported)})")
    print(json.dumps(fit(halves["squad, fitted on"], halves["corpus, fitted on"]), indent=2))


def squad_cases(path: Path, folder: Path) -> Iterator[Case]:
    """The questions; each paragraph becomes a file of its own in `folder`, under its article's title."""
    folder.mkdir()
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        title = article["title"]
        for number, paragraph in enumerate(article["paragraphs"]):
            text = f"# {title.replace('_', ' ')}\n\n{paragraph['context']}\n"
            (folder / f"{title.replace('/', '_')}-{number}.md").write_text(text, encoding="utf-8")
            for qa in paragraph["qas"]:
                answers = tuple(answer["text"] for answer in qa["answers"])
                question = " ".join(qa["question"].split())
                yield Case(question, answers, paragraph["context"], f"{title}:{number}", title)


def corpus_cases() -> Iterator[Case]:
    for line in (CORPUS / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        values = json.loads(line)
        if documents := values["metadata"]["documents"]:
            passage = (CORPUS / documents[0]).read_text(encoding="utf-8")
            yield Case(values["text"], tuple(values["metadata"]["answers"]), passage, documents[0], documents[0])


def evidence_for(cases: Sequence[Case], root: Path, db: Path) -> Found:
    store, embedder = open_for_indexing(settle(db=db), print)
    update_index([root], store=store, embedder=embedder, summary=Summary())
    questions = dict.fromkeys(case.question for case in cases)
    hits = {question: retrieve(question, embedder=embedder, store=store, k=5) for question in questions}
    return {
        question: select(found, embedder=embedder, question=question, k=CONSIDERED) for question, found in hits.items()
    }


def fit(*halves: tuple[list[Statement], Found]) -> dict[str, float]:
    """Weights over the evidence that carries each statement best, which depends on the weights: so several times."""
    candidates = [
        (statement.kind, rows)
        for statements, found in halves
        for statement in statements
        if statement.kind in SHARES and (rows := grounds_of(statement, found[statement.question])).size
    ]
    weights = np.array(list(WEIGHTS.values()))
    for _ in range(8):
        rows = np.array([rows[np.argmax(rows @ weights)] for _, rows in candidates])
        model = LogisticRegression(C=1, max_iter=3000, fit_intercept=False)
        kinds = [kind for kind, _ in candidates]
        model.fit(rows, [kind == "true" for kind in kinds], sample_weight=[SHARES[kind] for kind in kinds])
        weights = model.coef_[0]
    return dict(zip(WEIGHTS, weights.round(1).tolist(), strict=True))


def grounds_of(statement: Statement, evidence: Sequence[Evidence]) -> np.ndarray:
    """Signals of each sentence of the evidence that the statement has no other flaw against: (sentences, signals)."""
    claim = take_apart(statement.text, statement.question)
    signals = Grounds(evidence).signals(claim)
    pairs = zip(evidence, signals, strict=True)
    sound = [values for one, values in pairs if not unfounded(claim, one, statement.question)]
    return np.array([[values[name] for name in WEIGHTS] for values in sound])


if __name__ == "__main__":
    main()
