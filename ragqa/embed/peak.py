"""Products of matrices in precisions that NumPy has not: what the models' own products are held against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def int8_product(rows: int, shared: int, columns: int) -> Callable[[], object]:
    """A function that multiplies unsigned (rows, shared) by signed (shared, columns) once, on one thread.

    It is the plainest there is: weights that are laid out beforehand, sums left as whole numbers, nothing scaled. What
    the embedder does besides, bringing its activations into 8 bits and the sums back out, is the way to this limit.
    """
    draw = np.random.default_rng(0)
    left = draw.integers(0, 256, (rows, shared), np.uint8)
    session = onnxruntime.InferenceSession(
        _graph(rows, draw.integers(-127, 128, (shared, columns), np.int8)).SerializeToString(),
        _options(),
        providers=["CPUExecutionProvider"],
    )
    return lambda: session.run(None, {"left": left})


def bfloat16_product(rows: int, shared: int, columns: int) -> Callable[[], object]:
    """A function that multiplies two bfloat16 matrices once, through torch, on one thread."""
    import torch

    torch.set_num_threads(1)
    draw = torch.Generator().manual_seed(0)
    left, right = (torch.rand(shape, generator=draw).bfloat16() for shape in ((rows, shared), (shared, columns)))
    into = torch.empty(rows, columns, dtype=torch.bfloat16)

    def multiply() -> object:
        return torch.mm(left, right, out=into)

    return multiply


def _graph(rows: int, right: np.ndarray[tuple[int, int], np.dtype[np.int8]]) -> onnx.ModelProto:
    shared, columns = right.shape
    zeros = {"right": right, "middle": np.array(128, np.uint8), "zeros": np.zeros(columns, np.int8)}
    weights = [numpy_helper.from_array(values, name) for name, values in zeros.items()]
    node = helper.make_node("MatMulInteger", ["left", "right", "middle", "zeros"], ["product"])
    left = helper.make_tensor_value_info("left", TensorProto.UINT8, [rows, shared])
    product = helper.make_tensor_value_info("product", TensorProto.INT32, [rows, columns])
    graph = helper.make_graph([node], "product", [left], [product], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return options
