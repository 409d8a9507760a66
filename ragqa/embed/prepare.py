"""Packed weights → the files that the fast embedder reads, held against the reference before they count."""

from __future__ import annotations

import shutil
from pathlib import Path

import onnx

from ragqa.embed import PASSAGE_PREFIX, QUERY_PREFIX, Embedder
from ragqa.embed.folder import write_reference_folder
from ragqa.embed.graph import FULL_RANGE, HALF_RANGE, build_graph, shipped_smoothing
from ragqa.embed.onnx import GRAPH_FILE, TOKENIZER_FILE, WEIGHTS_FILE, OnnxEmbedder
from ragqa.embed.pieces import write_pieces
from ragqa.embed.sentence_transformer import SentenceTransformerEmbedder, disagreement
from ragqa.embed.tokenizer import build_tokenizer
from ragqa.embed.unpack import Encoder, read_packed
from ragqa.errors import ModelError

AGREEMENT = 0.002  # 1 − cosine: how far the fast form may lie from the reference
FINGERPRINTED = (GRAPH_FILE, WEIGHTS_FILE, TOKENIZER_FILE)  # the other files say the same in another form
# What a fingerprint is made of besides these files: change one of these, and vectors cannot be compared any more.
RECIPE = (QUERY_PREFIX, PASSAGE_PREFIX, "mean", "unit", "int8")

# What preparation is judged on: short and long, prose and code, several scripts.
SAMPLE = (
    "The bridge over the river was opened in 1894 and rebuilt after the flood of 1954.",
    "def area(radius: float) -> float:\n    return 3.14159 * radius**2",
    "La mémoire cache garde les pages lues récemment.",
    "向量数据库把文本变成数字。",
    "القاهرة هي عاصمة مصر.",
    "ok",
    "One sentence follows another, and the paragraph grows longer than most. " * 20,
)


def prepare_e5(source: Path, folder: Path, dim: int) -> tuple[str, ...]:
    """Write graph and tokenizer into `folder`; returns the names of the files.

    Raises:
        ModelError: The source is damaged, or what this machine computes with the graph differs from what
            sentence-transformers computes with the same weights in float32.
    """
    encoder = read_packed(source)
    tokenizer = build_tokenizer(encoder.vocabulary)
    tokenizer.save(str(folder / TOKENIZER_FILE))
    mapped = write_pieces(tokenizer, folder)
    reference = folder / "reference"
    try:
        write_reference_folder(encoder, reference)
        slow = SentenceTransformerEmbedder(reference, name="reference", fingerprint="", dim=dim)
        apart = _write_graph(encoder, folder, slow)
    finally:
        shutil.rmtree(reference, ignore_errors=True)
    if not apart <= AGREEMENT:
        raise ModelError(f"{source}: this machine computes the model wrongly (1 − cosine = {apart:.4f})")
    return GRAPH_FILE, WEIGHTS_FILE, TOKENIZER_FILE, *mapped


def _write_graph(encoder: Encoder, folder: Path, reference: Embedder) -> float:
    """Write the first graph that this machine computes well enough; returns 1 − its lowest cosine to the reference."""
    apart = 1.0
    for weight_range in (FULL_RANGE, HALF_RANGE):
        _save(build_graph(encoder, shipped_smoothing(), weight_range), folder)
        fast = OnnxEmbedder(folder, name="fast", fingerprint="", dim=reference.dim)
        apart = disagreement(fast, reference, SAMPLE)
        if apart <= AGREEMENT:
            break
    return apart


def _save(graph: onnx.ModelProto, folder: Path) -> None:
    """Write the weights beside the graph: mapped where they lie, they open in a quarter of the time."""
    (folder / WEIGHTS_FILE).unlink(missing_ok=True)  # or they would be added to those that are there
    onnx.save(graph, folder / GRAPH_FILE, save_as_external_data=True, location=WEIGHTS_FILE)
