"""The reference embedder: sentence-transformers, for any model folder and for GPUs.

It also judges the fast form: `disagreement` is what preparation and the tests hold the ONNX graph against.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ragqa.embed import PASSAGE_PREFIX, QUERY_PREFIX, Embedder, own_tokens
from ragqa.errors import ModelError
from ragqa.types import Matrix, Spans, Vector

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")


class SentenceTransformerEmbedder:
    """Any sentence-transformers folder with safetensors weights. Loaded at the first text."""

    def __init__(self, folder: Path, *, name: str, fingerprint: str, dim: int) -> None:
        refuse_unsafe(folder)
        self.folder = folder
        self.name = name
        self.fingerprint = fingerprint
        self.dim = dim
        self.query_prefix, self.passage_prefix = prefixes(folder)

    @cached_property
    def _model(self) -> SentenceTransformer:
        # Both libraries read these once, when imported.
        os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
        os.environ["HF_HUB_DISABLE_TELEMETRY"] = os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            return SentenceTransformer(str(self.folder), trust_remote_code=False, local_files_only=True)
        except Exception as error:  # whatever a foreign folder provokes
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"{self.folder}: cannot be loaded: {reason}", "run `ragqa models verify`") from error

    def load(self, *, lasting: bool = False) -> None:
        _ = self._model

    @property
    def max_tokens(self) -> int:
        return int(self._model.max_seq_length or 512)

    def count_tokens(self, text: str) -> int:
        return len(self._model.tokenizer(self.passage_prefix + text)["input_ids"])

    def embed_query(self, question: str) -> Vector:
        return self.query_tokens(question)[0]

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        return self.passage_tokens(texts)[0]

    def query_tokens(self, question: str) -> tuple[Vector, Matrix]:
        vectors, (tokens,) = self._embed([question], self.query_prefix)
        first: Vector = vectors[0]
        return first, tokens

    def passage_tokens(self, texts: Sequence[str]) -> tuple[Matrix, list[Matrix]]:
        return self._embed(texts, self.passage_prefix)

    def token_spans(self, text: str) -> Spans:
        return own_tokens(self._offsets(self.passage_prefix + text), self.passage_prefix)[1]

    def _offsets(self, text: str) -> list[tuple[int, int]]:
        encoded = self._model.tokenizer(
            text, return_offsets_mapping=True, truncation=True, max_length=self.max_tokens, verbose=False
        )
        return [tuple(pair) for pair in encoded["offset_mapping"]]

    def _embed(self, texts: Sequence[str], prefix: str) -> tuple[Matrix, list[Matrix]]:
        prefixed = [prefix + text for text in texts]
        outputs = self._model.encode(
            prefixed, batch_size=8, output_value=None, normalize_embeddings=True, show_progress_bar=False
        )
        vectors = np.array([one["sentence_embedding"].cpu().numpy() for one in outputs], np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        tokens = [
            one["token_embeddings"].cpu().numpy()[own_tokens(self._offsets(text), prefix)[0]]
            for one, text in zip(outputs, prefixed, strict=True)
        ]
        return vectors.reshape(len(texts), -1), tokens


def prefixes(folder: Path) -> tuple[str, str]:
    """The prefixes for questions and passages: those the folder names, else E5's.

    They are passed explicitly: sentence-transformers' own `encode_document` adds none to a folder
    whose prompts are named `query` and `passage`.
    """
    config = folder / "config_sentence_transformers.json"
    if not config.is_file():
        return QUERY_PREFIX, PASSAGE_PREFIX
    try:
        declared = dict(json.loads(config.read_text(encoding="utf-8")).get("prompts") or {})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{config}: cannot be read: {error}", "download the model again") from error
    passage = declared.get("passage", declared.get("document", PASSAGE_PREFIX))
    return str(declared.get("query", QUERY_PREFIX)), str(passage)


def refuse_unsafe(folder: Path) -> None:
    """Refuse a folder whose loading could run code: pickled weights, or code of its own.

    Raises:
        ModelError: It has no safetensors, or its configuration names Python classes of its own.
    """
    hint = "use a sentence-transformers folder with model.safetensors"
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    odd = next((path for path in files if not path.is_file()), None)
    if odd:
        raise ModelError(f"{odd}: not a regular file", hint)
    safe = {path.parent for path in files if path.suffix == ".safetensors"}
    # Beside safetensors a pickle is passed over; alone in its folder it would be what is loaded.
    pickled = [path.name for path in files if path.suffix in PICKLES and path.parent not in safe]
    if pickled or not safe:
        found = f"pickled weights ({pickled[0]})" if pickled else "no weights"
        raise ModelError(f"{folder}: {found}; only safetensors are loaded", hint)
    for config in (path for path in files if path.suffix == ".json" and "config" in path.name):
        if "auto_map" in config.read_text(encoding="utf-8", errors="replace"):
            raise ModelError(f"{config}: asks to run code of its own (auto_map), which is never done", hint)


def disagreement(fast: Embedder, reference: Embedder, texts: Sequence[str]) -> float:
    """1 − the lowest cosine between the two embedders' vectors of the same passages."""
    cosines = np.sum(fast.embed_passages(texts) * reference.embed_passages(texts), axis=1)
    return float(1 - cosines.min())
