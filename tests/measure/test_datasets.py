from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ragqa.errors import UsageError
from ragqa.measure.datasets import Dataset, Example, load_dataset
from tests.conftest import CORPUS

LIT = {"id": "q1", "question": "When was it lit?", "answers": [{"text": "1894"}, {"text": "1894"}]}
OWN = {"_id": "a1", "text": "When was it lit?", "metadata": {"answers": ["1894"], "documents": ["sea/light.md"]}}


def squad(*paragraphs: Any) -> dict[str, Any]:
    return {"data": [{"title": "Lights", "paragraphs": list(paragraphs)}]}


def paragraph(*qas: Any) -> dict[str, Any]:
    return {"context": "It was lit in 1894.", "qas": list(qas)}


def write(path: Path, *values: Any) -> Path:
    """JSON, a line a value; text and bytes as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [v if isinstance(v, bytes) else (v if isinstance(v, str) else json.dumps(v)).encode() for v in values]
    path.write_bytes(b"\n".join(lines))
    return path


def beir(folder: Path, **files: tuple[Any, ...]) -> Path:
    write(folder / "corpus.jsonl", *files.get("corpus", ({"_id": "d1", "title": "Light", "text": "Lit in 1894."},)))
    write(folder / "queries.jsonl", *files.get("queries", ({"_id": "q1", "text": "When?"}, {"_id": "q2", "text": "?"})))
    write(folder / "qrels" / "test.tsv", *files.get("test", ("query-id\tcorpus-id\tscore", "q1\td1\t2")))
    return folder


def own(folder: Path, *questions: Any) -> Path:
    write(folder / "sea" / "light.md", "# The light\n\nIt was lit in 1894.")
    write(folder / "sea" / "picture.png", b"\x89PNG")
    return write(folder / "questions.jsonl", *questions)


def test_each_paragraph_of_squad_is_a_document_and_each_article_a_group(tmp_path: Path):
    dataset = load_dataset(write(tmp_path / "dev.json", squad(paragraph(LIT), paragraph())))
    assert dataset.documents == {"Lights-1": "It was lit in 1894.", "Lights-2": "It was lit in 1894."}
    assert dataset.examples == (Example("q1", "When was it lit?", {"Lights-1": 1}, ("1894",), "Lights"),)


def test_an_impossible_question_is_unanswerable_whatever_answers_it_has(tmp_path: Path):
    impossible = {"id": "q2", "question": "Who lit it?", "answers": [], "is_impossible": True}
    dataset = load_dataset(write(tmp_path / "dev.json", squad(paragraph(LIT, impossible))))
    assert [example.answerable for example in dataset.examples] == [True, False]


def test_articles_of_one_title_keep_their_paragraphs_apart(tmp_path: Path):
    twice = {"data": squad(paragraph(LIT))["data"] * 2}
    dataset = load_dataset(write(tmp_path / "dev.json", twice))
    assert len(dataset.documents) == 2
    assert len({min(example.relevant) for example in dataset.examples}) == 2


def test_a_beir_folder_gives_documents_with_titles_and_graded_judgements(tmp_path: Path):
    dataset = load_dataset(beir(tmp_path / "lights"))
    assert dataset.name == "lights"
    assert dataset.documents == {"d1": "Light\n\nLit in 1894."}
    assert dataset.examples == (Example("q1", "When?", {"d1": 2}, (), "d1"),)


def test_of_beirs_judgements_those_for_testing_are_taken(tmp_path: Path):
    folder = beir(tmp_path)
    write(folder / "qrels" / "train.tsv", "q2\td1\t1")
    assert [example.id for example in load_dataset(folder).examples] == ["q1"]
    (folder / "qrels" / "test.tsv").unlink()
    assert [example.id for example in load_dataset(folder).examples] == ["q2"]


def test_a_judgement_of_zero_is_no_answer(tmp_path: Path):
    folder = beir(tmp_path, test=("q1\td1\t1", "q2\td1\t0"))
    assert [example.id for example in load_dataset(folder).examples] == ["q1"]


def test_the_documents_of_ragqas_questions_are_the_files_beside_them(tmp_path: Path):
    absent = {"_id": "b1", "text": "Who?", "metadata": {"answers": [], "documents": []}}
    path = own(tmp_path / "notes", OWN, absent)
    dataset = load_dataset(path)
    assert dataset.documents == {"sea/light.md": "# The light\n\nIt was lit in 1894."}
    assert dataset.examples == (
        Example("a1", "When was it lit?", {"sea/light.md": 1}, ("1894",), "sea/light.md"),
        Example("b1", "Who?", {}, (), "b1"),
    )
    assert load_dataset(path.parent) == dataset


def test_the_sample_library_is_a_dataset():
    dataset = load_dataset(CORPUS / "questions.jsonl")
    assert len(dataset.documents) > 25
    assert 0 < sum(example.answerable for example in dataset.examples) < len(dataset.examples)


def test_what_was_asked_before_goes_with_a_question(tmp_path: Path):
    told = {"_id": "a", "text": "why?", "metadata": {"before": ["Was it lit?"], "answers": [], "documents": []}}
    (example,) = load_dataset(own(tmp_path, told)).examples
    assert example.before == ("Was it lit?",)


def test_the_conversations_of_the_sample_library_are_of_every_kind():
    examples = load_dataset(CORPUS / "conversations.jsonl").examples
    assert len(examples) == 30
    assert all(example.before and example.answers for example in examples)


def test_in_a_conversation_every_question_comes_right_after_another():
    whole = Dataset("d", {}, tuple(Example(str(n), f"question {n}") for n in range(9)))
    for seed in range(5):
        told = whole.in_conversation(seed)
        assert [one.question for one in told.examples] == [one.question for one in whole.examples]
        assert all(len(one.before) == 1 and one.before[0] != one.question for one in told.examples)
    assert whole.in_conversation(1) == whole.in_conversation(1) != whole.in_conversation(2)


def test_a_question_that_has_some_before_it_keeps_them():
    whole = Dataset("d", {}, (Example("a", "why?", before=("Was it lit?",)), Example("b", "When?")))
    assert whole.in_conversation(0).examples[0].before == ("Was it lit?",)


def test_a_sample_is_drawn_by_the_seed_and_keeps_order_and_documents():
    whole = Dataset("d", {"a": "text"}, tuple(Example(str(n), "?") for n in range(50)))
    sample = whole.sample(5, seed=1)
    numbers = [int(example.id) for example in sample.examples]
    assert numbers == sorted(set(numbers))
    assert sample == whole.sample(5, seed=1) != whole.sample(5, seed=2)
    assert sample.documents == whole.documents
    assert whole.sample(None, seed=1) is whole.sample(50, seed=1) is whole


NOT_SQUAD = {
    "no such file": None,
    "empty": b" \n",
    "not JSON": b"{nonsense",
    "not UTF-8 at byte 2": b'{"\xff": 1}',
    "not a JSON object": [[1, 2]],
    "not JSON: maximum recursion": b"[" * 100_000,
    "no 'data'": {"questions": []},
    "'data' is \"many\", not a list": {"data": "many"},
    "no questions in it": squad(paragraph()),
    "3 is not an object": {"data": [3]},
    "no 'paragraphs'": {"data": [{"title": "Lights"}]},
    "no 'context'": squad({"qas": []}),
    "'title' is 7, not a text": {"data": [{"title": 7, "paragraphs": []}]},
    "'question' is 5, not a text": squad(paragraph({**LIT, "question": 5})),
    "the question is empty": squad(paragraph({**LIT, "question": " "})),
    "'answers' is": squad(paragraph({**LIT, "answers": {"text": "1894"}})),
    "has no answers": squad(paragraph({**LIT, "answers": []})),
    '"1894" is not an object': squad(paragraph({**LIT, "answers": ["1894"]})),
    "'is_impossible' is \"no\", not true or false": squad(paragraph({**LIT, "is_impossible": "no"})),
}


@pytest.mark.parametrize("message", NOT_SQUAD)
def test_what_is_not_squad_is_refused_with_its_reason(tmp_path: Path, message: str):
    path = tmp_path / "dev.json"
    if NOT_SQUAD[message] is not None:
        write(path, NOT_SQUAD[message])
    with pytest.raises(UsageError) as refused:
        load_dataset(path)
    assert message in refused.value.message
    assert str(path) in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(("name", "message"), [("x" * 300, "File name too long"), ("a\0b", "no such file")])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str, message: str):
    with pytest.raises(UsageError, match=message):
        load_dataset(tmp_path / name)


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path):
    folder = beir(tmp_path)
    (folder / "queries.jsonl").unlink()
    (folder / "queries.jsonl").mkdir()
    with pytest.raises(UsageError, match=r"queries\.jsonl: not a file"):
        load_dataset(folder)


def test_the_place_of_a_fault_in_squad_is_named(tmp_path: Path):
    with pytest.raises(UsageError, match="article 1, paragraph 2: no 'question'"):
        load_dataset(write(tmp_path / "dev.json", squad(paragraph(LIT), paragraph({"id": "q9"}))))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"test": ("q1\td9\t1",)}, "test.tsv:1: 'd9' is not in corpus.jsonl"),
        ({"test": ("q9\td1\t1",)}, "test.tsv:1: 'q9' is not in queries.jsonl"),
        ({"test": ("q1\td1\tgood",)}, "test.tsv:1: not a question, a document and a whole number"),
        ({"test": ("q1 d1 1",)}, "test.tsv:1: not a question"),
        ({"test": ("",)}, "test.tsv: empty"),
        ({"test": ("q1\td1\t0",)}, "no questions in it"),
        ({"corpus": ({"_id": "d1", "text": 5},)}, "corpus.jsonl:1: 'text' is 5, not a text"),
        ({"corpus": ({"_id": 1, "text": "Lit."},)}, "corpus.jsonl:1: '_id' is 1, not a text"),
        ({"corpus": ({"text": "Lit."},)}, "corpus.jsonl:1: no '_id'"),
        ({"corpus": ({"_id": "d1", "text": "Lit."},) * 2}, "corpus.jsonl:2: 'd1' is there twice"),
        ({"queries": ({"_id": "q1", "text": ""},)}, "queries.jsonl:1: the question is empty"),
        ({"queries": (b"\xff",)}, "queries.jsonl: not UTF-8"),
        ({"queries": ("[]",)}, "queries.jsonl:1: not a JSON object"),
    ],
)
def test_a_fault_in_a_beir_folder_is_named_with_its_line(tmp_path: Path, files: dict[str, Any], message: str):
    with pytest.raises(UsageError) as refused:
        load_dataset(beir(tmp_path, **files))
    assert message in refused.value.message


def test_a_beir_folder_needs_judgements(tmp_path: Path):
    folder = beir(tmp_path)
    (folder / "qrels" / "test.tsv").unlink()
    with pytest.raises(UsageError, match="no judgements"):
        load_dataset(folder)


def test_a_folder_of_something_else_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match=r"neither corpus\.jsonl nor questions\.jsonl"):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({**OWN, "metadata": {"answers": [], "documents": ["sea/gone.md"]}}, "no document 'sea/gone.md' beside it"),
        ({**OWN, "metadata": {"answers": []}}, "no 'documents'"),
        ({**OWN, "metadata": []}, "'metadata' is [], not an object"),
        ({**OWN, "metadata": {"answers": [7], "documents": []}}, "answers: 7 is not a text"),
        ({**OWN, "text": None}, "no 'text'"),
        ("{nonsense", "not JSON"),
    ],
)
def test_a_fault_in_ragqas_questions_is_named_with_its_line(tmp_path: Path, question: Any, message: str):
    path = own(tmp_path, OWN, question)
    with pytest.raises(UsageError) as refused:
        load_dataset(path)
    assert refused.value.message.startswith(f"{path}:2: ")
    assert message in refused.value.message
