"""What a Llama has read of the beginnings of prompts, kept in files, with the real one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ragqa.catalogue import DEFAULTS
from ragqa.generate import LlamaGenerator
from ragqa.heads import KEPT, Heads
from ragqa.manifest import read_manifest
from ragqa.tokens import BytePairEncoding
from ragqa.types import Piece, Prompt

pytestmark = pytest.mark.model

LLAMA = DEFAULTS["generate"]
EXAMPLES = "Text: The mill burned down in 1911.\nQuestion: When did the mill burn down?\nAnswer: 1911\n\nText:"
PROMPT = " The bridge was opened in 1894.\nQuestion: When was the bridge opened?\nAnswer:"
TEXTS = ["1894", "1911", "the bridge"]


def prompt(question: str) -> Prompt:
    pieces = (
        Piece("<|im_start|>system\n", control=True),
        Piece("You name things."),
        Piece("<|im_end|>\n<|im_start|>user\n", control=True),
        Piece(question),
        Piece("<|im_end|>\n<|im_start|>assistant\n", control=True),
    )
    return Prompt(pieces, (), (), 0, 0, fixed=3)


@pytest.fixture
def fresh(models: Path, tmp_path: Path) -> Callable[[], LlamaGenerator]:
    """The Llama, as a new process would open it."""
    manifest = read_manifest(models / LLAMA)
    encoding = BytePairEncoding.load(manifest.folder)

    def opened() -> LlamaGenerator:
        room = {"context": 512, "memory": 512, "threads": 1, "heads": Heads(tmp_path / "heads", "these weights")}
        return LlamaGenerator(manifest.weights, name=LLAMA, chat_format="chatml", encoding=encoding, **room)

    return opened


def kept(generator: LlamaGenerator) -> list[Path]:
    return sorted(generator.heads.folder.iterdir())


def test_the_second_process_finds_texts_exactly_as_likely_as_the_first(fresh: Callable[[], LlamaGenerator]):
    first = fresh().log_likelihoods(PROMPT, TEXTS, head=EXAMPLES)
    again = fresh()
    (file,) = kept(again)
    assert file.stat().st_mode & 0o777 == 0o600
    assert again.log_likelihoods(PROMPT, TEXTS, head=EXAMPLES) == first


def test_the_second_process_writes_exactly_what_the_first_does(fresh: Callable[[], LlamaGenerator]):
    first = list(fresh().generate(prompt("Name a colour."), max_tokens=12))
    assert list(fresh().generate(prompt("Name a colour."), max_tokens=12)) == first
    again = fresh()
    list(again.generate(prompt("Name a river."), max_tokens=4))
    assert list(again.generate(prompt("Name a colour."), max_tokens=12)) == first
    assert len(kept(again)) == 1


def test_what_is_kept_is_read_and_not_made_anew(fresh: Callable[[], LlamaGenerator], monkeypatch: pytest.MonkeyPatch):
    fresh().log_likelihoods(PROMPT, TEXTS, head=EXAMPLES)
    monkeypatch.setattr(Heads, "keep", lambda self, context, tokens: pytest.fail("was made anew"))
    fresh().log_likelihoods(PROMPT, TEXTS, head=EXAMPLES)


@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2], lambda content: b"", bytes.swapcase])
def test_a_damaged_file_is_made_anew(fresh: Callable[[], LlamaGenerator], damage: Callable[[bytes], bytes]):
    first = fresh().log_likelihoods(PROMPT, TEXTS, head=EXAMPLES)
    again = fresh()
    (file,) = kept(again)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert again.log_likelihoods(PROMPT, TEXTS, head=EXAMPLES) == first
    assert file.read_bytes() == whole


def test_what_is_no_file_is_left_alone(fresh: Callable[[], LlamaGenerator]):
    first = fresh().log_likelihoods(PROMPT, TEXTS, head=EXAMPLES)
    again = fresh()
    (file,) = kept(again)
    file.unlink()
    os.mkfifo(file)
    assert again.log_likelihoods(PROMPT, TEXTS, head=EXAMPLES) == first
    assert file.is_file()


def test_a_folder_that_cannot_be_made_costs_nothing_but_time(fresh: Callable[[], LlamaGenerator]):
    first = fresh().log_likelihoods(PROMPT, TEXTS, head=EXAMPLES)
    without = fresh()
    without.heads.folder = Path("/proc/nowhere/heads")
    assert without.log_likelihoods(PROMPT, TEXTS, head=EXAMPLES) == first


def test_only_the_latest_are_kept(fresh: Callable[[], LlamaGenerator]):
    generator = fresh()
    for n in range(KEPT + 2):
        generator.log_likelihoods(PROMPT, TEXTS, head=f"In {n} words:")
    assert len(kept(generator)) == KEPT


def test_a_prompt_longer_than_the_context_is_left_alone(fresh: Callable[[], LlamaGenerator]):
    generator = fresh()
    assert generator.log_likelihoods(" word" * 600, TEXTS, head=EXAMPLES) == [float("-inf")] * 3
