"""An encoder's weights → the ONNX graph that ONNX Runtime runs fastest on a CPU.

The graph is written here node by node instead of being traced from PyTorch, because the weights are 4 bits wide
and stay so: MatMulNBits multiplies them as they are, GatherBlockQuantized looks words up in them, and the file is
76 MB instead of 470. Its operators are those an optimizer would fuse to, so a session opens without optimizing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ragqa.embed.unpack import BLOCK, Encoder, Quantized

CONTRIB = "com.microsoft"
INT8_ACTIVATIONS = 4  # MatMulNBits accuracy_level: activations in int8, a scale for each block of 32


def build_graph(encoder: Encoder, accuracy_level: int = INT8_ACTIVATIONS) -> onnx.ModelProto:
    """Build `input_ids, attention_mask → token_vectors`.

    Inputs are int64 (batch, tokens) and int32 (batch, tokens) with 1 for a token and 0 for padding; the output is
    float32 (batch, tokens, hidden), the last hidden state, not yet pooled.
    """
    graph = _Graph(encoder, accuracy_level)
    stream = graph.embeddings()
    for layer in range(encoder.layers):
        stream = graph.layer(layer, stream)
    graph.node("Identity", [stream], output="token_vectors")
    return graph.model()


class _Graph:
    """The nodes and weights gathered so far."""

    def __init__(self, encoder: Encoder, accuracy_level: int) -> None:
        self.encoder = encoder
        self.accuracy_level = accuracy_level
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

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
        return self.node(
            "LayerNormalization",
            [summed, self.array("emb.ln.w"), self.array("emb.ln.b")],
            epsilon=self.encoder.eps,
            axis=-1,
        )

    def _zero_points(self, table: Quantized) -> str:
        shape = table.scales.shape
        eights = np.full(shape, 8, np.uint8)
        tensor = helper.make_tensor("emb.word.zeros", TensorProto.UINT4, shape, _pack(eights).tobytes(), raw=True)
        self.weights.append(tensor)
        return "emb.word.zeros"

    def layer(self, layer: int, stream: str) -> str:
        """One transformer layer: attention and feed-forward, each with its residual and norm."""
        of = f"l{layer}"
        query, key, value = (self.linear(f"{of}.{part}", stream, bias=True) for part in "qkv")
        attended = self.node(
            "MultiHeadAttention",
            [query, key, value, "", "attention_mask"],
            domain=CONTRIB,
            num_heads=self.encoder.heads,
        )
        stream = self.residual(f"{of}.aln", self.linear(f"{of}.ao", attended), stream, f"{of}.ao.b")
        wide = self.linear(f"{of}.fi", stream)
        active = self.node("BiasGelu", [wide, self.array(f"{of}.fi.b")], domain=CONTRIB)
        return self.residual(f"{of}.oln", self.linear(f"{of}.fo", active), stream, f"{of}.fo.b")

    def linear(self, name: str, stream: str, *, bias: bool = False) -> str:
        matrix = self.encoder.matrices[f"{name}.w"]
        rows, columns = matrix.nibbles.shape
        blocks = _pack(matrix.nibbles).reshape(rows, columns // BLOCK, BLOCK // 2)
        inputs = [stream, self.weight(f"{name}.w", blocks), self.weight(f"{name}.scales", matrix.scales.reshape(-1))]
        if bias:
            inputs += ["", "", self.array(f"{name}.b")]
        return self.node(
            "MatMulNBits",
            inputs,
            domain=CONTRIB,
            K=columns,
            N=rows,
            bits=4,
            block_size=BLOCK,
            accuracy_level=self.accuracy_level,
        )

    def residual(self, norm: str, stream: str, skipped: str, bias: str) -> str:
        inputs = [stream, skipped, self.array(f"{norm}.w"), self.array(f"{norm}.b"), self.array(bias)]
        return self.node("SkipLayerNormalization", inputs, domain=CONTRIB, epsilon=self.encoder.eps)

    def model(self) -> onnx.ModelProto:
        ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
        mask = helper.make_tensor_value_info("attention_mask", TensorProto.INT32, ["batch", "tokens"])
        shape = ["batch", "tokens", self.encoder.hidden]
        vectors = helper.make_tensor_value_info("token_vectors", TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, "e5", [ids, mask], [vectors], self.weights)
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="ragqa")


def _pack(nibbles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Two nibbles a byte, the first of each pair low: ONNX's order, which is not Q4_0's."""
    flat = nibbles.reshape(-1)
    return (flat[0::2] | (flat[1::2] << 4)).astype(np.uint8)
