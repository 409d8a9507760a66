"""A tokenizer that opens at once gives the same tokens as the whole one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from ragqa.embed.onnx import OnnxEmbedder
from ragqa.embed.pieces import ALONE, HASHES_FILE, MANY, MappedTokenizer, write_pieces
from ragqa.embed.tokenizer import build_tokenizer
from ragqa.embed.unpack import Vocabulary
from ragqa.errors import ModelError

WORDS = "▁the ▁bridge ▁br id ge ▁open ed ▁ a b c d e g h i n o p r s t é 桥 。 ( 桥桥 <s> ▁a ab abc bridge".split()
VOCABULARY = Vocabulary(
    pieces=("<s>", "<pad>", "</s>", "<unk>", *(word for word in WORDS if word != "<s>")),
    scores=(0.0, 0.0, 0.0, 0.0, *(-2.0 - 0.37 * n % 5 for n in range(len(WORDS) - 1))),
    bos=0,
    eos=2,
    pad=1,
    unk=3,
    normalization={"\x01": "", "\t": " ", "\u200b": " "},
)


@pytest.fixture(scope="module")
def whole() -> Tokenizer:
    return build_tokenizer(VOCABULARY)


@pytest.fixture(scope="module")
def folder(whole: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pieces")
    write_pieces(whole, folder)
    return folder


@pytest.fixture(scope="module")
def mapped(folder: Path, whole: Tokenizer) -> MappedTokenizer:
    return MappedTokenizer(folder, lambda: whole)


texts = st.text(alphabet="abcdeghinoprst é桥。(<s>/\t\n\x01\u200bZ\ufb01…", max_size=60) | st.text(max_size=40)


@settings(max_examples=300)
@given(texts)
def test_few_pieces_make_the_tokens_that_all_pieces_make(whole: Tokenizer, mapped: MappedTokenizer, text: str):
    text = text.encode("utf-8", "replace").decode()
    found, expected = mapped.encode(text), whole.encode(text)
    assert (found.ids, found.offsets) == (expected.ids, expected.offsets)


@pytest.mark.parametrize(
    "text", ["", " ", "the bridge opened", "Zürich", "<s> the </s>", "桥桥桥。", "a\x1fb", "x" * 500]
)
def test_texts_of_all_kinds(whole: Tokenizer, mapped: MappedTokenizer, text: str):
    assert mapped.encode(text).ids == whole.encode(text).ids


def test_the_whole_vocabulary_is_opened_for_many_texts_and_then_used_for_all(folder: Path, whole: Tokenizer):
    opened = []

    def open_whole() -> Tokenizer:
        opened.append(True)
        return whole

    mapped = MappedTokenizer(folder, open_whole)
    few = mapped.encode_batch(["the bridge", "opened"])
    assert opened == []
    many = mapped.encode_batch(["the bridge ", "opened " * MANY])
    assert (opened, many[0]) == ([True], few[0])
    mapped.encode_batch(["another"])
    mapped.encode("yet another")
    assert opened == [True]


def test_the_whole_vocabulary_is_opened_after_many_texts_that_come_one_by_one(folder: Path, whole: Tokenizer):
    opened = []

    def open_whole() -> Tokenizer:
        opened.append(True)
        return whole

    mapped = MappedTokenizer(folder, open_whole)
    few = [mapped.encode(f"bridge {n}") for n in range(ALONE)]
    assert opened == []
    assert mapped.encode("the bridge").ids == whole.encode("the bridge").ids
    assert (opened, mapped.encode("bridge 0")) == ([True], few[0])


def test_files_that_are_damaged_are_an_error(folder: Path, whole: Tokenizer, tmp_path: Path):
    write_pieces(whole, tmp_path)
    (tmp_path / HASHES_FILE).write_bytes(b"damaged")
    with pytest.raises(ModelError, match="cannot be loaded"):
        OnnxEmbedder(tmp_path, name="e5", fingerprint="", dim=384).count_tokens("the bridge")
