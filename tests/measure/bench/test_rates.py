"""Rates and what they could be at most, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ragqa.embed.cost import Cost, cost_of
from ragqa.embed.peak import int8_product
from ragqa.gguf import Weights
from ragqa.measure.bench.embedding import LIMIT, Peaks, Texts, counted, of_length, passage_rows, seconds_at
from ragqa.measure.bench.limits import Gauges, measure_limits, operations
from ragqa.measure.bench.llama import Form, Rates, cut, limit_rows, measure_llama, rates_of
from tests.fakes import WordEmbedder, words


def graph(path: Path) -> Path:
    """Two tokens' width 4: one packed matrix 4 × 6, one plain 6 × 4, and one layer in which tokens attend."""
    plain = numpy_helper.from_array(np.zeros((6, 4), np.float32), "plain")
    packed = numpy_helper.from_array(np.zeros((6, 1, 2), np.uint8), "packed")
    nodes = [
        helper.make_node("MatMulNBits", ["x", "packed"], ["wide"], domain="com.microsoft", K=4, N=6),
        helper.make_node("MatMul", ["wide", "plain"], ["narrow"]),
        helper.make_node("MatMul", ["narrow", "x"], ["mixed"]),  # by no weight: it is not counted
        helper.make_node("MultiHeadAttention", ["mixed", "x", "x"], ["y"], domain="com.microsoft"),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "tokens", 4]) for name in ("x", "y")]
    made = helper.make_graph(nodes, "small", values[:1], values[1:], [plain, packed])
    onnx.save(helper.make_model(made), path)
    return path


def test_a_graphs_cost_is_read_from_its_own_sizes(tmp_path: Path):
    assert cost_of(graph(tmp_path / "model.onnx")) == Cost(weights=4 * 6 + 6 * 4, attention=4)


def test_a_text_costs_two_operations_a_weight_and_token():
    assert Cost(48, 4).of_weights([2, 3]) == 2 * 48 * 5


def test_attention_grows_with_the_square_of_a_texts_length():
    # Each of 3 tokens compares with 3 and mixes 3, 4 numbers each, a multiplication and an addition a number.
    assert Cost(48, 4).of_attention([3]) == 3 * 3 * 4 * 2 * 2
    assert Cost(48, 4).of_attention([6]) == 4 * Cost(48, 4).of_attention([3])


def test_at_the_peaks_weights_take_8_bits_and_attention_float32():
    cost = Cost(weights=500_000_000, attention=250_000_000)  # of one token: 1 G operations each
    assert seconds_at(Peaks(int8=4.0, float32=2.0), cost, [1]) == 1 / 4 + 1 / 2


def test_passages_a_second_stand_beside_what_they_would_be_at_the_peaks():
    cost = Cost(weights=500_000_000, attention=0)
    rows = passage_rows(Texts(["a", "b"], [2, 3]), [10.0], cost, [Peaks(int8=5.0, float32=1.0)])
    assert [(row.unit, row.samples, row.references, row.ratio) for row in rows] == [
        ("passages/s", [0.2], [2.0], 0.1),  # 5 G operations take a second at the peak
        ("tokens/s", [0.5], [5.0], 0.1),
        ("GOP/s", [0.5], [5.0], 0.1),
    ]
    assert [row.beside for row in rows] == [LIMIT, LIMIT, "product of 8-bit matrices"]


def test_what_is_past_the_embedders_limit_is_not_counted():
    texts = counted(["one two", "word " * 50], WordEmbedder(max_tokens=20))
    assert texts.lengths == [6, 20]
    assert texts.tokens == 26


def test_texts_of_one_length_are_different_pieces_of_a_long_one():
    text = " ".join(f"word{n}" for n in range(40))
    cut_out = of_length(text, tokens=9, count=3, embedder=WordEmbedder())  # four of them are prefix and marks
    assert cut_out.lengths == [9, 9, 9]
    assert len(set(cut_out.texts)) == 3
    assert cut_out.texts[0] == "word0 word1 word2 word3 word4"


def test_a_short_text_is_repeated_until_it_is_long_enough():
    assert of_length("one two", tokens=9, count=3, embedder=WordEmbedder()).lengths == [9, 9, 9]


def test_a_product_has_a_multiplication_and_an_addition_for_each_triple():
    assert operations(2, 3, 4) == 48.0


def test_the_product_of_8_bit_matrices_can_be_repeated():
    multiply = int8_product(2, 64, 3)
    (first,), (second,) = multiply(), multiply()  # type: ignore[misc]
    assert first.shape == (2, 3)
    assert first.dtype == np.int32
    assert (first == second).all()


def test_every_limit_is_measured_in_its_unit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ragqa.measure.bench.limits.LONG_ENOUGH", 0.0)
    monkeypatch.setattr("ragqa.measure.bench.limits.SHAPES", ((8, 32, 8),))
    monkeypatch.setattr("ragqa.measure.bench.limits.BUFFER", 80_000)
    rows = measure_limits(Gauges(2), 2, lambda done, total: None)
    assert [row.unit for row in rows] == ["GFLOP/s", "GOP/s", "GFLOP/s", "GB/s", "GB/s"]
    assert all(len(row.samples) == 2 and min(row.samples) > 0 for row in rows)


def test_a_readings_rates_are_told_apart_at_its_first_token():
    ticks = iter([0.0, 2.0, 2.5, 3.0])  # started, then three tokens
    assert rates_of("abc", 100, lambda: next(ticks)) == Rates(prefill=50.0, generation=2.0)


@pytest.mark.parametrize("stream", ["", "a"])
def test_a_reading_that_writes_nothing_more_has_no_rate(stream: str):
    with pytest.raises(ValueError, match="at least 2"):
        rates_of(stream, 100)


def test_prefill_is_held_against_products_and_generation_against_memory():
    weights = Weights(multiplied=1_000_000, size=10_000_000)
    prefill, generation = limit_rows("as shipped", weights, [Rates(500.0, 50.0)], products=[4.0], reading=[2.0])
    assert (prefill.references, prefill.ratio) == ([2000.0], 0.25)
    assert (generation.references, generation.ratio) == ([200.0], 0.25)


def test_a_prompt_is_cut_to_its_tokens():
    assert words(cut("one two three four five six", 4, words)) in (3, 4)
    assert cut("one two", 4, words) == "one two"


def test_forms_of_a_llama_read_another_prompt_every_round(monkeypatch: pytest.MonkeyPatch):
    for name, rate in (("int8", 4.0), ("bfloat16", 2.0), ("read", 1.0)):
        monkeypatch.setattr(Gauges, name, lambda self, rate=rate: rate)
    read: dict[str, list[str]] = {"theirs": [], "ours": []}

    def form(name: str) -> Form:
        def reader(text: str) -> str:
            read[name].append(text)
            return "abc"

        return Form(reader, words, Weights(10**9, 10**9, bfloat16=name == "ours"))

    prompts = ["a b", "c d", "e f"]
    rows = measure_llama({name: form(name) for name in read}, prompts, Gauges(1), 2, lambda done, total: None)
    assert read == {"theirs": prompts, "ours": prompts}  # the first one is not measured
    assert [(row.name, row.beside) for row in rows[-2:]] == [
        ("prefill, ours", "theirs"),
        ("generation, ours", "theirs"),
    ]
    assert all(len(row.samples) == 2 for row in rows)
    limits = {row.name: row.reference for row in rows[:4]}
    assert (limits["prefill, theirs"], limits["prefill, ours"], limits["generation, ours"]) == (2.0, 1.0, 1.0)
