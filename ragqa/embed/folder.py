"""The packed E5 as a sentence-transformers folder in float32: the reference form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from ragqa.embed import PASSAGE_PREFIX, QUERY_PREFIX
from ragqa.embed.tokenizer import build_tokenizer, special_tokens
from ragqa.embed.unpack import Encoder

_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def write_reference_folder(encoder: Encoder, folder: Path) -> None:
    """Write `encoder` where `SentenceTransformer(folder)` finds all it wants: 470 MB for multilingual-e5-small."""
    (folder / "1_Pooling").mkdir(parents=True)
    tensors = _tensors(encoder)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    build_tokenizer(encoder.vocabulary).save(str(folder / "tokenizer.json"))
    words = len(tensors["embeddings.word_embeddings.weight"])
    pooling = {"word_embedding_dimension": encoder.hidden, "pooling_mode_mean_tokens": True}
    _write(folder / "config.json", _bert_config(encoder, words))
    _write(folder / "tokenizer_config.json", _tokenizer_config(encoder))
    _write(folder / "modules.json", _MODULES)
    _write(folder / "1_Pooling" / "config.json", pooling)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": encoder.positions, "do_lower_case": False})
    prompts = {"query": QUERY_PREFIX, "passage": PASSAGE_PREFIX}
    _write(folder / "config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": None})


def _tensors(encoder: Encoder) -> dict[str, NDArray[np.float32]]:
    arrays, matrices = encoder.arrays, encoder.matrices
    tensors = {
        "embeddings.word_embeddings.weight": matrices["emb.word"].unpacked(),
        "embeddings.position_embeddings.weight": arrays["emb.pos"].reshape(-1, encoder.hidden).copy(),
        "embeddings.token_type_embeddings.weight": arrays["emb.type"].reshape(-1, encoder.hidden).copy(),
        "embeddings.LayerNorm.weight": arrays["emb.ln.w"].copy(),
        "embeddings.LayerNorm.bias": arrays["emb.ln.b"].copy(),
    }
    for layer in range(encoder.layers):
        for short, long in _PARTS.items():
            name, target = f"l{layer}.{short}", f"encoder.layer.{layer}.{long}"
            weight = matrices[f"{name}.w"].unpacked() if f"{name}.w" in matrices else arrays[f"{name}.w"].copy()
            tensors[f"{target}.weight"] = weight
            tensors[f"{target}.bias"] = arrays[f"{name}.b"].copy()
    return tensors


def _bert_config(encoder: Encoder, words: int) -> dict[str, object]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": encoder.hidden,
        "intermediate_size": encoder.intermediate,
        "layer_norm_eps": encoder.eps,
        "max_position_embeddings": encoder.positions,
        "num_attention_heads": encoder.heads,
        "num_hidden_layers": encoder.layers,
        "pad_token_id": encoder.vocabulary.pad,
        "type_vocab_size": len(encoder.arrays["emb.type"]) // encoder.hidden,
        "vocab_size": words,
    }


def _tokenizer_config(encoder: Encoder) -> dict[str, object]:
    names = {name: token.content for name, token in special_tokens(encoder.vocabulary).items()}
    return {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": encoder.positions, **names}


_MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
