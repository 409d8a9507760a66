"""A vocabulary of a few tokens, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from ragqa.tokens import PATTERNS, PROBE, RANKS_FILE, SPECIALS_FILE, BytePairEncoding, build_encoding

LETTERS = [b"a", b"b", b"<", b">", b"|", b" "]
RANKS = {token: rank for rank, token in enumerate([*LETTERS, b"ab", b"abab"])}
ENCODING = BytePairEncoding(PATTERNS["gpt-2"], RANKS, {"<|a|>": 100})


def test_pairs_merge_in_the_order_of_their_ranks():
    assert ENCODING.encode("abab") == [7]
    assert ENCODING.encode("aba") == [6, 0]
    assert ENCODING.encode("ab ab") == [6, 5, 6]


# fault 18
def test_a_marker_is_a_control_token_only_in_the_scaffold():
    assert ENCODING.encode("<|a|>", control=True) == [100]
    assert ENCODING.encode("<|a|>") == [2, 4, 0, 4, 3]


@pytest.mark.parametrize("text", ["z", "éab", "\0", "漢", "👩", "a\udce9"])
def test_bytes_the_vocabulary_lacks_are_left_out(text: str):
    assert ENCODING.encode(text) == [RANKS[b"ab"]] * text.count("ab") + [0] * (text.count("a") - text.count("ab"))
    assert 100 not in ENCODING.encode(text, control=True)


def test_no_text_has_no_tokens():
    assert ENCODING.encode("") == []


def test_what_was_saved_is_loaded(tmp_path: Path):
    ENCODING.save(tmp_path)
    assert BytePairEncoding.load(tmp_path) == ENCODING


def test_tokens_that_are_white_space_survive_saving(tmp_path: Path):
    encoding = BytePairEncoding("x", {b"\n": 0, b" ": 1, b"\xff\x00": 2}, {})
    encoding.save(tmp_path)
    assert BytePairEncoding.load(tmp_path).ranks == encoding.ranks


@pytest.mark.parametrize("name", [RANKS_FILE, SPECIALS_FILE])
def test_a_missing_file_is_an_error(tmp_path: Path, name: str):
    ENCODING.save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(OSError, match=name):
        BytePairEncoding.load(tmp_path)


@pytest.mark.parametrize("kept", [0, 20])
def test_ranks_cut_short_are_not_used(tmp_path: Path, kept: int):
    # Counts would be too low without a word of warning, and prompts over budget.
    ENCODING.save(tmp_path)
    content = (tmp_path / RANKS_FILE).read_bytes()
    (tmp_path / RANKS_FILE).write_bytes(content[:kept])
    assert BytePairEncoding.load_if_there(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", "{}", "[]"])
def test_specials_that_are_not_whole_are_not_used(tmp_path: Path, content: str):
    ENCODING.save(tmp_path)
    (tmp_path / SPECIALS_FILE).write_text(content)
    assert BytePairEncoding.load_if_there(tmp_path) is None


def test_an_encoding_is_built_from_the_spelling_of_a_gguf():
    tokens = ["a", "Ġ", "Ċ", "Ġa", "<|im_end|>"]
    control = [False, False, False, False, True]

    def confirm(text: str) -> list[int]:
        assert text == PROBE
        return expected.encode(text)

    expected = BytePairEncoding(PATTERNS["smollm"], {b"a": 0, b" ": 1, b"\n": 2, b" a": 3}, {"<|im_end|>": 4})
    assert build_encoding("smollm", [token.encode() for token in tokens], control, confirm) == expected


def test_an_encoding_that_disagrees_with_the_model_is_not_used():
    assert build_encoding("smollm", [b"a"], [False], lambda text: [1, 2, 3]) is None


def test_an_unknown_way_of_cutting_is_not_guessed():
    assert build_encoding("nonesuch", [b"a"], [False], lambda text: []) is None


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_every_pattern_keeps_every_byte(pattern: str):
    bytewise = BytePairEncoding(pattern, {bytes([byte]): byte for byte in range(256)}, {})
    assert bytes(bytewise.encode(PROBE)) == PROBE.encode()
