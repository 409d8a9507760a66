"""Document → passages: nothing lost, nothing too long, every line number right."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragqa.chunk import TINY, embedded_text, split
from ragqa.document import Block, Passage
from ragqa.embed.onnx import OnnxEmbedder
from ragqa.read.code import code_blocks
from ragqa.read.diff import diff_blocks
from ragqa.read.markdown import markdown_blocks
from ragqa.read.text import text_blocks
from tests.fakes import document, letters

Reader = Callable[[str], tuple[Block, ...]]
LIMIT = 128

python_blocks = partial(code_blocks, suffix=".py")
both_readers = pytest.mark.parametrize("reader", [markdown_blocks, text_blocks])
all_readers = pytest.mark.parametrize(
    "reader",
    [markdown_blocks, text_blocks, diff_blocks, python_blocks, partial(code_blocks, suffix=".cpp")],
    ids=["markdown", "text", "diff", "python", "cpp"],
)
few_examples = settings(max_examples=200)

odd = st.text("ab. \n\r\t\x0b\x0c\x1c\x85\u2028\u2029。漢字👩\u200d💻é-#>", max_size=200)
marks = ["# ", "## ", "### **b** ", "- ", "1. ", "> ", "```", "~~~", "| a | b |", "|---|---|", "---", "***", "<p>"]
marks += ["    ", "\t", "[a]: b", "[a](b)", "===", "- - x", "", "\r", "\r\n"]
prose = st.sampled_from(["word", "A sentence. Another one!", "x" * 90, "word " * 40, "漢字。" * 50, "| 1 | 2 |", "---"])
markdown = st.lists(st.tuples(st.sampled_from(marks), prose | odd), max_size=25).map(
    lambda lines: "\n".join(mark + text for mark, text in lines)
)
# What holds nothing but white space is refused when it is read.
lines = [
    "def f():",
    "class A:",
    "\tpass",
    "  x = (",
    "}",
    "int f() {",
    "@a",
    "# b",
    "// b",
    "--- a",
    "+++ b",
    "@@ -1 +1 @@",
]
code = st.lists(st.sampled_from(lines) | odd, max_size=25).map("\n".join)
anything = st.one_of(odd, markdown, code, st.text(max_size=300)).filter(str.strip)


def cut(text: str, reader: Reader = markdown_blocks, limit: int = LIMIT) -> list[Passage]:
    return split(document(text, reader=reader), letters, limit)


def guarded(calls: int) -> Callable[[str], int]:
    """A tokenizer that loses patience, for texts on which cutting might never end."""
    left = iter(range(calls))

    def count(text: str) -> int:
        assert next(left, None) is not None, f"the tokenizer was asked more than {calls} times"
        return letters(text)

    return count


@all_readers
@few_examples
@given(text=anything)
def test_blocks_tile_the_text(reader: Reader, text: str):
    blocks = reader(text)
    assert [blocks[0].start, blocks[-1].end] == [0, len(text)]
    assert all(before.end == after.start for before, after in pairwise(blocks))
    assert all(block.start < block.end for block in blocks)


@all_readers
@few_examples
@given(text=anything)
def test_passages_tile_the_text_in_order(reader: Reader, text: str):
    passages = cut(text, reader)
    assert "".join(passage.text for passage in passages) == text
    assert [passage.ordinal for passage in passages] == list(range(1, len(passages) + 1))
    assert all(text[passage.start : passage.end] == passage.text for passage in passages)


@all_readers
@few_examples
@given(text=anything)
def test_what_is_embedded_obeys_the_limit(reader: Reader, text: str):
    assert all(letters(embedded_text(passage, letters, LIMIT)) <= LIMIT for passage in cut(text, reader))


@all_readers
@few_examples
@given(text=anything)
def test_the_cited_lines_hold_the_passage(reader: Reader, text: str):
    lines = text.split("\n")
    for passage in cut(text, reader):
        assert 1 <= passage.line_start <= passage.line_end <= len(lines)
        cited = "\n".join(lines[passage.line_start - 1 : passage.line_end])
        assert passage.text.strip() in cited


@all_readers
@few_examples
@given(text=anything)
def test_a_passage_knows_what_it_is_made_of(reader: Reader, text: str):
    kinds = [(block.kind, block.start, block.end) for block in reader(text)]
    for passage in cut(text, reader):
        places = [0, *(block.end for block in passage.blocks)]
        assert [block.start for block in passage.blocks] == places[:-1]
        assert places[-1] == len(passage.text)
        for block in passage.blocks:
            start, end = passage.start + block.start, passage.start + block.end
            assert any(kind == block.kind and first <= start and end <= last for kind, first, last in kinds)


def test_a_heading_goes_with_what_it_announces():
    filler = "Some words of the first part. " * 20
    first, second = cut(f"# One\n\n{filler}\n\n# Two\n\nShort.\n", limit=512)
    assert first.text.startswith("# One")
    assert second.text == "# Two\n\nShort.\n"
    assert second.heading == ("Two",)
    assert (second.line_start, second.line_end) == (5, 7)


def test_a_passage_knows_its_path_of_headings():
    filler = "Some words of prose. " * 30
    passages = cut(f"# Book\n\n{filler}\n\n## Chapter\n\n{filler}\n\n# Next\n\n{filler}\n", limit=512)
    assert [passage.heading for passage in passages] == [("Book",), ("Book", "Chapter"), ("Next",)]


@pytest.mark.parametrize("attached", ["```\ncode()\n```\n", "- one\n- two\n", "| a | b |\n|---|---|\n| 1 | 2 |\n"])
def test_code_lists_and_tables_stay_with_the_paragraph_before(attached: str):
    filler = "A paragraph that is long enough to stand alone. " * 10
    (passage,) = cut(f"{filler}\n\n{attached}", limit=512)
    assert passage.text.endswith(attached)


def test_paragraphs_long_enough_to_stand_alone_do_so():
    filler = "A paragraph that is long enough to stand alone. " * 10
    assert len(cut(f"{filler}\n\n{filler}\n", limit=512)) == 2


def test_tiny_paragraphs_join():
    assert len(cut("One.\n\nTwo.\n\nThree.\n")) == 1


def test_a_long_paragraph_is_split_at_sentences():
    passages = cut("The bridge was opened in spring. " * 60, text_blocks)
    assert len(passages) > 2
    assert all(passage.text.strip().endswith("spring.") for passage in passages)


def test_long_code_is_split_at_lines():
    code = "".join(f"line_{n} = compute(everything, {n})\n" for n in range(60))
    passages = cut(f"```\n{code}```\n")
    assert len(passages) > 2
    assert all(passage.text.endswith("\n") for passage in passages)


@pytest.mark.parametrize("unit", ["word ", "x", "漢", "A sentence. ", "\u2028", "| a ", "a\r"])
@both_readers
def test_a_huge_line_is_split_with_few_looks_at_the_tokenizer(reader: Reader, unit: str):
    text = "a" + unit * (200_000 // len(unit))
    count = guarded(150_000)
    passages = split(document(text, reader=reader), count, LIMIT)
    assert "".join(passage.text for passage in passages) == text
    assert max(letters(passage.text) for passage in passages) <= LIMIT


# fault 16
@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", ["a", "^", "\u0301", "<|endoftext|>", "[INST]</s>"])
@pytest.mark.parametrize("reader", [markdown_blocks, text_blocks, python_blocks])
def test_a_million_characters_without_a_space_are_split(reader: Reader, unit: str):
    text = f"e{unit * (1_000_000 // len(unit))}"
    passages = cut(text, reader)
    assert "".join(passage.text for passage in passages) == text
    assert {(passage.line_start, passage.line_end) for passage in passages} == {(1, 1)}


# fault 16
@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", ["The bridge over the river was opened. ", "key=value; ", '{"a": 1}, ', "漢字。"])
def test_a_line_of_two_megabytes_is_split_at_its_sentences_or_spaces(unit: str):
    text = unit * (2 * 2**20 // len(unit.encode()))
    passages = cut(text, text_blocks, limit=512)
    assert "".join(passage.text for passage in passages) == text
    assert max(letters(passage.text) for passage in passages) <= 512


@pytest.mark.model  # fault 16
@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", ["a", "^", "\u0301", "The bridge over the river was opened. ", "<|endoftext|>"])
def test_a_million_characters_on_one_line_are_split_by_the_real_tokenizer(models: Path, unit: str):
    embedder = OnnxEmbedder(models / "multilingual-e5-small-q4", name="e5", fingerprint="", dim=384, threads=1)
    text = f"e{unit * (1_000_000 // len(unit))}"
    passages = split(document(text, reader=text_blocks), embedder.count_tokens, embedder.max_tokens)
    assert "".join(passage.text for passage in passages) == text
    assert all(embedder.count_tokens(passage.text) <= embedder.max_tokens for passage in passages)


@pytest.mark.timeout(60)
def test_a_row_of_dots_takes_no_time():
    text = "Contents " + "." * 200_000 + " 7"
    assert "".join(passage.text for passage in cut(text, text_blocks)) == text


@pytest.mark.timeout(60)
def test_a_heading_of_brackets_takes_no_time():
    assert cut("# " + "[" * 200_000 + "\n\nText.\n")


def test_front_matter_is_no_heading():
    passages = cut("---\ntitle: A\n# no heading\n---\n\nText of the note.\n")
    assert [passage.heading for passage in passages] == [()]
    assert passages[0].text.startswith("---\ntitle")


def test_a_heading_spelled_with_markup_counts_towards_the_limit():
    # Its path has no markup, so it is not found in the text and is put before it.
    title = " ".join(["*b*"] * 30)
    text = f"# A\n\n## {title}\n\nTiny.\n\n# B\n\n" + "word " * 64
    assert max(letters(embedded_text(passage, letters, LIMIT)) for passage in cut(text)) <= LIMIT


def test_an_outer_heading_counts_towards_the_limit():
    outer = "long heading of the whole book " * 4
    text = f"# {outer}\n\nStart. " + "word " * TINY + "\n\n## b\n\n### c\n\n#### d\n\n" + "word " * 105
    assert max(letters(embedded_text(passage, letters, LIMIT)) for passage in cut(text)) <= LIMIT


def test_headings_longer_than_the_limit_do_not_keep_the_cutting_going_for_ever():
    # 120 characters of three headings are 90 tokens here and 360 in a vocabulary without their script.
    headings = "".join(f"{'#' * level} {'x' * 200}\n\n" for level in (1, 2, 3))
    split(document(headings + "Some words of text.\n"), guarded(5_000), 64)


@pytest.mark.timeout(60)
def test_paragraphs_that_say_nothing_to_the_tokenizer_do_not_gather_for_ever():
    silent = document("\u200b\n\n" * 100_000, reader=text_blocks)
    passages = split(silent, lambda text: 4, LIMIT)
    assert "".join(passage.text for passage in passages) == silent.text


def test_embedded_text_puts_missing_headings_before_the_passage():
    first, second = cut("# Bridges\n\n" + "The first part. " * 40 + "\n\n" + "The second part. " * 40, limit=512)
    assert embedded_text(first, letters, 512).startswith("# Bridges\n\nThe first")
    assert embedded_text(second, letters, 512).startswith("Bridges\nThe second")
