"""Works out by which powers of two the inputs of the embedder's matrices are divided, and writes smoothing.npy.

What each channel reaches is seen on the sample library, with sentence-transformers and the weights in float32. A
channel is divided by reached^α / weight^(1 − α), as Xiao et al. 2022 (arXiv:2211.10438) do it, rounded to a power of
two: divisions and products are then exact, and the same on every machine.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from ragqa.catalogue import DEFAULTS, MODELS
from ragqa.embed import PASSAGE_PREFIX, QUERY_PREFIX
from ragqa.embed.folder import write_reference_folder
from ragqa.embed.graph import SMOOTHING_FILE
from ragqa.embed.prepare import SAMPLE
from ragqa.embed.unpack import Encoder, read_packed
from ragqa.models import wheel_file

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
ALPHA = 0.65  # 0.5, 0.65 and 0.75 gave mean cosines of 0.9997 each
READ = 1500  # characters of a document
SMALLEST = 1e-3


def main() -> None:
    encoder = read_packed(wheel_file(MODELS[DEFAULTS["embed"]]))
    texts = [path.read_text(encoding="utf-8")[:READ] for path in sorted(CORPUS.rglob("*.md"))]
    reached = largest_inputs(encoder, [*SAMPLE, *texts])
    weights = np.stack([largest_weights(encoder, layer) for layer in range(encoder.layers)])
    factors = np.maximum(reached, SMALLEST) ** ALPHA / np.maximum(weights, SMALLEST) ** (1 - ALPHA)
    exponents = np.log2(factors)
    exponents -= exponents.mean(axis=-1, keepdims=True)
    np.save(SMOOTHING_FILE, np.round(exponents).astype(np.int8))
    print(
        f"{SMOOTHING_FILE}: {exponents.size} exponents from {np.round(exponents).min()} to {np.round(exponents).max()}"
    )


def largest_weights(encoder: Encoder, layer: int) -> np.ndarray:
    """(2, hidden): the largest weight that meets each channel, in attention and in feed-forward."""
    attention = np.concatenate([encoder.matrices[f"l{layer}.{part}.w"].unpacked() for part in "qkv"])
    feed_forward = encoder.matrices[f"l{layer}.fi.w"].unpacked()
    return np.stack([np.abs(attention).max(axis=0), np.abs(feed_forward).max(axis=0)])


def largest_inputs(encoder: Encoder, texts: list[str]) -> np.ndarray:
    """(layers, 2, hidden): the largest each channel gets on its way into attention and into feed-forward."""
    reached = np.zeros((encoder.layers, 2, encoder.hidden))
    with tempfile.TemporaryDirectory() as folder:
        write_reference_folder(encoder, Path(folder) / "reference")
        model = SentenceTransformer(str(Path(folder) / "reference"), device="cpu")
        with watched(model[0].auto_model, reached):
            for prefix in (QUERY_PREFIX, PASSAGE_PREFIX):
                model.encode([prefix + text for text in texts], batch_size=1)
    return reached


@contextmanager
def watched(bert: torch.nn.Module, reached: np.ndarray) -> Iterator[None]:
    """While it lasts, `reached` grows with what the model reads."""

    def watch(layer: int, part: int) -> object:
        def see(_module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            seen = inputs[0].abs().amax(dim=(0, 1)).numpy()
            reached[layer, part] = np.maximum(reached[layer, part], seen)

        return see

    layers = bert.encoder.layer
    hooks = [one.attention.self.query.register_forward_pre_hook(watch(n, 0)) for n, one in enumerate(layers)]
    hooks += [one.intermediate.dense.register_forward_pre_hook(watch(n, 1)) for n, one in enumerate(layers)]
    yield
    for hook in hooks:
        hook.remove()


if __name__ == "__main__":
    main()
