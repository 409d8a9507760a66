"""Files of questions → a Dataset: SQuAD's JSON, BEIR's folders, and ragqa's own questions.jsonl.

A file is told by its shape, not by its name. Whatever is wrong with one is said in one UsageError.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from ragqa.errors import BadInput, UsageError
from ragqa.read import read_document, read_source
from ragqa.read.apart import Child
from ragqa.walk import Wanted, find_files

SHAPES = "SQuAD's JSON, a BEIR folder (corpus.jsonl, queries.jsonl, qrels/), or ragqa's questions.jsonl"
HINT = f"what can be read: {SHAPES}"
MAX_DOCUMENT = 1 << 25  # bytes

T = TypeVar("T")
_KINDS: Mapping[type, str] = {str: "a text", list: "a list", dict: "an object", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Example:
    """A question with what is known of its answer.

    Attributes:
        relevant: Document that answers it → grade, 1 or more; empty when nothing answers.
        answers: Texts that are right, any one of them; empty when only the documents are known.
        group: Questions of one group stand and fall together, such as those about one article.
        before: Questions that were asked before it in a conversation, oldest first.
    """

    id: str
    question: str
    relevant: Mapping[str, int] = field(default_factory=dict)
    answers: tuple[str, ...] = ()
    group: str = ""
    before: tuple[str, ...] = ()

    @property
    def answerable(self) -> bool:
        return bool(self.relevant)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Questions, and the documents they are asked of.

    Attributes:
        documents: Document id → text. Ids that end in .md are read as Markdown.
    """

    name: str
    documents: Mapping[str, str]
    examples: tuple[Example, ...]

    def sample(self, limit: int | None, seed: int) -> Dataset:
        """The same with `limit` questions drawn at random, in their old order; the documents stay."""
        if limit is None or limit >= len(self.examples):
            return self
        drawn = sorted(random.Random(seed).sample(range(len(self.examples)), limit))
        return replace(self, examples=tuple(self.examples[n] for n in drawn))

    def in_conversation(self, seed: int) -> Dataset:
        """The same, each question that opens a conversation asked right after another, drawn at random."""
        others = list(self.examples)
        random.Random(seed).shuffle(others)
        # A question that was drawn for itself comes after the one that stands before it in the list.
        after = zip(self.examples, others, [others[-1], *others[:-1]], strict=True)
        told = [
            one if one.before else replace(one, before=((other if other is not one else beside).question,))
            for one, other, beside in after
        ]
        return replace(self, examples=tuple(told))


def load_dataset(path: Path) -> Dataset:
    """Read a dataset of any of the known shapes.

    Raises:
        UsageError: It is missing, unreadable, of no known shape, contradicts itself, or asks nothing.
    """
    try:
        dataset = _load(path)
    except OSError as error:
        raise UsageError(f"{error.filename or path}: {error.strerror}", "check its name, owner and mode") from error
    if not dataset.examples:
        raise UsageError(f"{path}: no questions in it", HINT)
    return dataset


def _load(path: Path) -> Dataset:
    if path.is_dir():
        if (path / "corpus.jsonl").exists():
            return _beir(path)
        if (path / "questions.jsonl").exists():
            return _own(path / "questions.jsonl")
        raise UsageError(f"{path}: neither corpus.jsonl nor questions.jsonl is in this folder", HINT)
    text = _read(path)
    if path.suffix == ".jsonl" or _has_id(text.lstrip().partition("\n")[0]):
        return _own(path)
    return _squad(path, text)


def _has_id(line: str) -> bool:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(values, dict) and "_id" in values


def _squad(path: Path, text: str) -> Dataset:
    """SQuAD 1.1 or 2.0: each paragraph is a document, each article a group."""
    documents: dict[str, str] = {}
    examples: list[Example] = []
    for number, article in enumerate(_get(_object(text, str(path)), "data", list, str(path)), start=1):
        place = f"{path}: article {number}"
        title = _get(article, "title", str, place, f"article-{number}")
        for at, paragraph in enumerate(_get(article, "paragraphs", list, place), start=1):
            where = f"{place}, paragraph {at}"
            document = f"{title}-{at}" if f"{title}-{at}" not in documents else f"{title}-{number}-{at}"
            documents[document] = _get(paragraph, "context", str, where)
            for qa in _get(paragraph, "qas", list, where):
                examples.append(_squad_example(qa, document, title, where))
    return Dataset(path.name, documents, tuple(examples))


def _squad_example(qa: Any, document: str, group: str, place: str) -> Example:
    question = _question(qa, "question", place)
    id = _get(qa, "id", str, place, question)
    answers = [_get(one, "text", str, f"{place}, question {id}") for one in _get(qa, "answers", list, place, [])]
    if _get(qa, "is_impossible", bool, place, False):
        return Example(id, question, group=group)
    if not answers:
        raise UsageError(f"{place}: question {id!r} has no answers", "mark it `is_impossible` if nothing answers it")
    return Example(id, question, {document: 1}, tuple(dict.fromkeys(answers)), group)


def _beir(folder: Path) -> Dataset:
    """BEIR's folder; of its judgements test.tsv, or all where there is none. Questions without any are left out."""
    documents: dict[str, str] = {}
    for place, row in _rows(folder / "corpus.jsonl"):
        title, text = _get(row, "title", str, place, ""), _get(row, "text", str, place)
        _add(documents, _get(row, "_id", str, place), f"{title}\n\n{text}" if title else text, place)
    queries: dict[str, str] = {}
    for place, row in _rows(folder / "queries.jsonl"):
        _add(queries, _get(row, "_id", str, place), _question(row, "text", place), place)
    relevant: dict[str, dict[str, int]] = {}
    for place, query, document, grade in _judgements(folder / "qrels"):
        for id, known, file in ((query, queries, "queries.jsonl"), (document, documents, "corpus.jsonl")):
            if id not in known:
                raise UsageError(f"{place}: {id!r} is not in {file}", "take out the line, or add what it names")
        if grade > 0:
            relevant.setdefault(query, {})[document] = grade
    examples = (Example(id, queries[id], grades, group=min(grades)) for id, grades in relevant.items())
    return Dataset(folder.resolve().name, documents, tuple(examples))


def _judgements(folder: Path) -> Iterator[tuple[str, str, str, int]]:
    """(place, question, document, grade) of each line of the judgements."""
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise UsageError(f"{folder}: no judgements (*.tsv) there", HINT)
    for path in [file for file in files if file.name == "test.tsv"] or files:
        for number, line in enumerate(_read(path).splitlines(), start=1):
            place = f"{path}:{number}"
            if not line.strip() or (number == 1 and line.startswith("query-id")):
                continue
            try:
                query, document, grade = line.split("\t")
                yield place, query, document, int(grade)
            except ValueError:
                raise UsageError(
                    f"{place}: not a question, a document and a whole number, with tabs between them", HINT
                ) from None


def _own(path: Path) -> Dataset:
    """ragqa's questions.jsonl: its documents are the other files of the folder it lies in."""
    documents = _files(path.resolve().parent)
    documents.pop(path.name, None)
    examples = []
    for place, row in _rows(path):
        metadata = _get(row, "metadata", dict, place)
        answers = [_text(one, f"{place}: answers") for one in _get(metadata, "answers", list, place)]
        named = [_text(one, f"{place}: documents") for one in _get(metadata, "documents", list, place)]
        before = [_text(one, f"{place}: before") for one in _get(metadata, "before", list, place, [])]
        unknown = next((one for one in named if one not in documents), None)
        if unknown is not None:
            raise UsageError(f"{place}: no document {unknown!r} beside it", f"look in {path.resolve().parent}")
        id, question = _get(row, "_id", str, place), _question(row, "text", place)
        group = named[0] if named else id
        examples.append(Example(id, question, dict.fromkeys(named, 1), tuple(answers), group, tuple(before)))
    return Dataset(path.resolve().parent.name, documents, tuple(examples))


def _files(folder: Path) -> dict[str, str]:
    """Every file below a folder that ragqa can read: its path from there → its text."""
    texts = {}
    with Child() as child:
        for found in find_files([folder], Wanted())[0]:
            name = found.path.relative_to(folder).as_posix()
            try:
                texts[name] = read_document(read_source(found.path, MAX_DOCUMENT), name, "default", child).text
            except BadInput:  # indexing passes over it in the same way
                continue
    return texts


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line of a file of JSON objects, with its place for messages."""
    for number, line in enumerate(_read(path).split("\n"), start=1):
        if line.strip():
            yield f"{path}:{number}", _object(line, f"{path}:{number}")


def _read(path: Path) -> str:
    if not path.is_file():
        raise UsageError(f"{path}: {'not a file' if path.exists() else 'no such file'}", HINT)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 at byte {error.start}", "convert it, for example with iconv") from error
    if not text.strip():
        raise UsageError(f"{path}: empty", HINT)
    return text


def _object(text: str, place: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{place}: not JSON: {error}", HINT) from error
    if not isinstance(values, dict):
        raise UsageError(f"{place}: not a JSON object", HINT)
    return values


def _get(values: Any, name: str, kind: type[T], place: str, default: T | None = None) -> T:
    """A field of the wanted type; without a default it has to be there."""
    if not isinstance(values, dict):
        raise UsageError(f"{place}: {_shortened(values)} is not an object", HINT)
    value = values.get(name)
    if value is None and default is not None:
        return default
    if value is None:
        raise UsageError(f"{place}: no {name!r}", HINT)
    if not isinstance(value, kind):
        raise UsageError(f"{place}: {name!r} is {_shortened(value)}, not {_KINDS[kind]}", HINT)
    return value


def _question(values: Any, name: str, place: str) -> str:
    question = _get(values, name, str, place)
    if not question.strip():
        raise UsageError(f"{place}: the question is empty", "take it out, or fill it in")
    return question


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{place}: {_shortened(value)} is not a text", HINT)
    return value


def _add(known: dict[str, str], id: str, text: str, place: str) -> None:
    if id in known:
        raise UsageError(f"{place}: {id!r} is there twice", "give each its own `_id`")
    known[id] = text


def _shortened(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
