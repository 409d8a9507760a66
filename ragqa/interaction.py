"""Late interaction: a question's tokens against a passage's, each with its own vector.

One vector says what a passage is about; the vectors of its tokens say where in it. They are kept as one bit a number,
the sign of its distance from a centre, 48 bytes a token for 384 dimensions, and find as much as the floats did.

Source: ColBERT's MaxSim (Khattab and Zaharia 2020, arXiv:2004.12832).
"""

from __future__ import annotations

import numpy as np

from ragqa.embed import Embedder
from ragqa.types import Matrix, Signs, Vector

# What all token vectors of a model share tells nothing; it is measured once on a few texts of many kinds. Ten
# passages of one kind place it as well as a whole library, so these need only be unlike each other.
_SAMPLE = (
    "The old mill stands where two streams meet. Its wheel was mended in 1871, and the miller's grandson, a careful "
    "man, wrote down what every sack of flour had cost him until the trade died out.",
    "Before the first frost, lift the dahlias, shake the soil from them and store them dry in a box of sand.",
    "Install the package, set the path in the configuration file and restart the server; the log says which port it "
    "listens on. If nothing is printed, run the command again with `--verbose`.",
    "def mean(values: list[float]) -> float:\n    return sum(values) / len(values)",
    "- flour 500 g\n- water 320 g\n- salt 10 g\n\n| town | inhabitants |\n|---|---|\n| Lund | 94,393 |",
    "Das Treffen wurde auf Donnerstag verlegt, weil der Zug aus Hamburg wegen eines Sturms ausgefallen war.",
    "Le musée ouvre à dix heures, sauf le mardi; l'entrée est gratuite pour les enfants de moins de douze ans.",
    "这座桥建于一九三四年，连接河的两岸。每天有成千上万的人从桥上走过。",
    "تقع المدينة على ضفاف النهر، وقد بنيت أسوارها قبل ثمانية قرون لحمايتها من الغزاة.",
    "Поезд отправляется в шесть утра и приходит на конечную станцию поздно вечером.",
)


def measure_centre(embedder: Embedder) -> Vector:
    """The mean of an embedder's token vectors, (dim,), from texts that are always the same."""
    _vectors, tokens = embedder.passage_tokens(_SAMPLE)
    centre: Vector = np.concatenate(tokens).mean(axis=0).astype(np.float32)
    return centre


def signs_of(tokens: Matrix, centre: Vector) -> Signs:
    """Token vectors → one bit a number, eight to a byte: (tokens, dim) → (tokens, ⌈dim / 8⌉)."""
    return np.packbits(tokens > centre, axis=1)


def similarities(question: Matrix, signs: Signs, centre: Vector) -> Matrix:
    """How near each token of a passage comes to each of the question: (question tokens, passage tokens), −1 to 1.

    The question's side keeps its floats: only what is stored was rounded.
    """
    apart = question - centre
    apart /= np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-9)
    bits = np.unpackbits(signs, axis=1, count=len(centre)).astype(np.float32)
    # Signs are ±1, so q·s = 2·q·bit − Σq, and a row of signs has the length √dim.
    near: Matrix = (2 * apart @ bits.T - apart.sum(axis=1, keepdims=True)) / np.sqrt(np.float32(len(centre)))
    return near


def max_sim(near: Matrix) -> float:
    """Mean over the question's tokens of the nearest token of the passage; 0 where one of them has none."""
    return float(near.max(axis=1).mean()) if near.size else 0.0
