"""An embedder's graph → how many operations a text costs, so that its speed can be held against the processor's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx

ATTENDING = frozenset({"MultiHeadAttention", "Attention"})
MULTIPLYING = frozenset({"MatMul", "MatMulInteger", "MatMulNBits", "DynamicQuantizeMatMul", "Gemm"})


@dataclass(frozen=True, slots=True)
class Cost:
    """What one pass through a graph multiplies.

    Attributes:
        weights: In the matrices that every token is multiplied with.
        attention: Layers that compare tokens with each other × length of a token's vector.
    """

    weights: int
    attention: int

    def of_weights(self, lengths: Sequence[int]) -> float:
        """Operations of texts of so many tokens with the weights: a multiplication and an addition for each."""
        return 2.0 * self.weights * sum(lengths)

    def of_attention(self, lengths: Sequence[int]) -> float:
        """Operations of comparing and mixing: each token of a text with each, twice, in every layer."""
        return 4.0 * self.attention * sum(length * length for length in lengths)


def cost_of(path: Path) -> Cost:
    """Read from a graph file what a token costs in it.

    Lookups, norms and activations are left out: they are no matrix products, and few beside these.
    """
    graph = onnx.load(str(path), load_external_data=False).graph  # shapes are in the graph itself
    shapes = {weight.name: list(weight.dims) for weight in graph.initializer}
    width = graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    layers = sum(node.op_type in ATTENDING for node in graph.node)
    return Cost(sum(_weights(node, shapes) for node in graph.node), layers * width)


def _weights(node: onnx.NodeProto, shapes: dict[str, list[int]]) -> int:
    """Numbers in the matrix that a node multiplies by; 0 where it is none of the graph's weights."""
    if node.op_type not in MULTIPLYING:
        return 0
    sizes = {attribute.name: attribute.i for attribute in node.attribute}
    if "K" in sizes and "N" in sizes:  # packed, so that the tensor's own shape says something else
        return int(sizes["K"] * sizes["N"])
    shape = shapes.get(node.input[1], [])
    return shape[0] * shape[1] if len(shape) == 2 else 0
