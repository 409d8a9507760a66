"""An encoder's weights → the ONNX graph that ONNX Runtime runs fastest on a CPU.

The graph is written here node by node instead of being traced from PyTorch. Its matrices are multiplied in 8 bits,
weights with a scale for each column, activations with one for each text; words are looked up in the 4 bits they come
in, so they take 84 MB instead of 470. Its operators are those that were fastest one by one, and nothing is left for
an optimizer to do when a session opens.

Two things keep 8 bits exact enough. Some channels of a layer's input are far larger than the rest and would use up the
scale, so each is divided by a power of two and its weights are multiplied by it (`smoothing.npy`, made by
`scripts/fit-smoothing`; Xiao et al. 2022, arXiv:2211.10438). And what the feed-forward activation puts out differs from
token to token a hundredfold, so there each token's row is brought to the same height first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ragqa.embed.unpack import BLOCK, Encoder, Quantized
from ragqa.types import Matrix, Vector

CONTRIB = "com.microsoft"
SMOOTHING_FILE = Path(__file__).with_name("smoothing.npy")
# Weights use the numbers up to this. Processors of before 2019 add pairs of products in 16 bits, which overflow.
FULL_RANGE, HALF_RANGE = 127, 63
LOWEST_ROW = 0.25  # an activation's row is not made higher than this makes it, or a row of noughts would be noise

Smoothing = NDArray[np.int8]
"""(layers, 2, hidden): exponents of two by which the inputs of attention and of feed-forward are divided."""


def build_graph(encoder: Encoder, smoothing: Smoothing, weight_range: int = FULL_RANGE) -> onnx.ModelProto:
    """Build `input_ids → token_vectors`.

    The input is int64 (1, tokens): one text, so that its vectors do not depend on others that are embedded with it.
    The output is float32 (1, tokens, hidden), the last hidden state, not yet pooled.
    """
    graph = _Graph(encoder, smoothing, weight_range)
    stream = graph.embeddings()
    for layer in range(encoder.layers):
        stream = graph.layer(layer, stream)
    graph.node("Identity", [stream], output="token_vectors")
    return graph.model()


def shipped_smoothing() -> Smoothing:
    """The exponents for the embedded E5."""
    exponents: Smoothing = np.load(SMOOTHING_FILE, allow_pickle=False)
    return exponents


class _Graph:
    """The nodes and weights gathered so far."""

    def __init__(self, encoder: Encoder, smoothing: Smoothing, weight_range: int) -> None:
        self.encoder = encoder
        self.smoothing = smoothing
        self.weight_range = weight_range
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.weight("last_axis", np.array([-1]))
        self.weight("thirds", np.full(3, encoder.hidden))
        self.weight("lowest_row", np.array(LOWEST_ROW, np.float32))

    def node(self, op: str, inputs: Sequence[str], *, output: str = "", domain: str = "", **attributes: Any) -> str:
        output = output or f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [output], domain=domain, **attributes))
        return output

    def weight(self, name: str, values: NDArray[Any]) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def array(self, name: str) -> str:
        return self.weight(name, self.encoder.arrays[name])

    def embeddings(self) -> str:
        """Word + position + token type, normalized."""
        arrays, hidden = self.encoder.arrays, self.encoder.hidden
        table = self.encoder.matrices["emb.word"]
        packed = helper.make_tensor(
            "emb.word", TensorProto.UINT4, table.nibbles.shape, _pack(table.nibbles).tobytes(), raw=True
        )
        self.weights.append(packed)
        words = self.node(
            "GatherBlockQuantized",
            ["emb.word", "input_ids", self.weight("emb.word.scales", table.scales), self._zero_points(table)],
            domain=CONTRIB,
            block_size=BLOCK,
            gather_axis=0,
            quantize_axis=1,
        )
        # E5 puts every token in type 0, so that row is added to the positions once and for all.
        positions = arrays["emb.pos"].reshape(-1, hidden) + arrays["emb.type"].reshape(-1, hidden)[0]
        length = self.node("Shape", ["input_ids"], start=1, end=2)
        start = self.weight("zero", np.zeros(1, np.int64))
        placed = self.node("Slice", [self.weight("emb.pos", positions), start, length])
        summed = self.node("Add", [words, placed])
        return self.normalized("emb.ln", summed)

    def _zero_points(self, table: Quantized) -> str:
        shape = table.scales.shape
        eights = np.full(shape, 8, np.uint8)
        tensor = helper.make_tensor("emb.word.zeros", TensorProto.UINT4, shape, _pack(eights).tobytes(), raw=True)
        self.weights.append(tensor)
        return "emb.word.zeros"

    def layer(self, layer: int, stream: str) -> str:
        """One transformer layer: attention and feed-forward, each with its residual and norm."""
        of = f"l{layer}"
        smooth_attention, smooth_feed = np.exp2(self.smoothing[layer].astype(np.float32))
        weights = np.concatenate([self.matrix(f"{of}.{part}") for part in "qkv"])
        bias = np.concatenate([self.encoder.arrays[f"{of}.{part}.b"] for part in "qkv"])
        joined = self.linear(
            f"{of}.qkv", self.smoothed(f"{of}.qkv", stream, smooth_attention), weights * smooth_attention, bias
        )
        parts = [f"{of}.{part}" for part in "qkv"]
        self.nodes.append(helper.make_node("Split", [joined, "thirds"], parts, axis=-1))
        attended = self.node("MultiHeadAttention", parts, domain=CONTRIB, num_heads=self.encoder.heads)
        stream = self.residual(
            f"{of}.aln", self.linear(f"{of}.ao", attended, self.matrix(f"{of}.ao"), self.bias(f"{of}.ao")), stream
        )
        wide = self.linear(
            f"{of}.fi",
            self.smoothed(f"{of}.fi", stream, smooth_feed),
            self.matrix(f"{of}.fi") * smooth_feed,
            self.bias(f"{of}.fi"),
        )
        return self.residual(f"{of}.oln", self.by_rows(f"{of}.fo", self.node("Gelu", [wide], domain=CONTRIB)), stream)

    def matrix(self, name: str) -> Matrix:
        """Weights in float32, (outputs, inputs)."""
        return self.encoder.matrices[f"{name}.w"].unpacked()

    def bias(self, name: str) -> Vector:
        return self.encoder.arrays[f"{name}.b"]

    def smoothed(self, name: str, stream: str, factors: Vector) -> str:
        return self.node("Mul", [stream, self.weight(f"{name}.smooth", 1 / factors)])

    def linear(self, name: str, stream: str, weights: Matrix, bias: Vector | None) -> str:
        """stream · weightsᵀ + bias, multiplied in 8 bits."""
        scales = np.abs(weights).max(axis=1) / self.weight_range
        quantized = np.round(weights / scales[:, None]).astype(np.int8).T
        inputs = [stream, self.weight(f"{name}.w", quantized), self.weight(f"{name}.scales", scales)]
        if bias is not None:
            inputs += ["", self.weight(f"{name}.b", bias)]
        return self.node("DynamicQuantizeMatMul", inputs, domain=CONTRIB)

    def by_rows(self, name: str, stream: str) -> str:
        """The same with every token's row divided by its largest value first, and multiplied by it again after."""
        largest = self.node("Max", [self.node("ReduceMax", [stream, "last_axis"]), "lowest_row"])
        level = self.linear(name, self.node("Div", [stream, largest]), self.matrix(name), None)
        return self.node("Add", [self.node("Mul", [level, largest]), self.weight(f"{name}.b", self.bias(name))])

    def residual(self, norm: str, stream: str, skipped: str) -> str:
        # SkipLayerNormalization is one operator for both, and took four times as long.
        return self.normalized(norm, self.node("Add", [stream, skipped]))

    def normalized(self, norm: str, stream: str) -> str:
        inputs = [stream, self.array(f"{norm}.w"), self.array(f"{norm}.b")]
        return self.node("LayerNormalization", inputs, epsilon=self.encoder.eps, axis=-1)

    def model(self) -> onnx.ModelProto:
        ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])
        vectors = helper.make_tensor_value_info("token_vectors", TensorProto.FLOAT, [1, "tokens", self.encoder.hidden])
        graph = helper.make_graph(self.nodes, "e5", [ids], [vectors], self.weights)
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="ragqa")


def _pack(nibbles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Two nibbles a byte, the first of each pair low: ONNX's order, which is not Q4_0's."""
    flat = nibbles.reshape(-1)
    return (flat[0::2] | (flat[1::2] << 4)).astype(np.uint8)
