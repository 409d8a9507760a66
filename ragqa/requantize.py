"""A GGUF file → a copy whose weights this machine multiplies fastest, with nothing lost."""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path

from ragqa.errors import ModelError
from ragqa.gguf import check_gguf, llama_cpp, open_gguf

# Precisions that lose nothing of 4-bit weights, the smallest first; names as llama.cpp gives them.
PRECISIONS = {"q8_0": "LLAMA_FTYPE_MOSTLY_Q8_0", "bf16": "LLAMA_FTYPE_MOSTLY_BF16"}
WORTH_IT = 1.25  # how much faster a larger copy has to be
PROMPT, ROUNDS = 256, 3  # tokens that are read for a measurement; how often


def requantize_fastest(source: Path, folder: Path, threads: int) -> Path:
    """Write a copy in each precision, keep the one that reads a prompt fastest, and delete the others.

    8 bits are read twice as fast as 4 with a minimum, and bfloat16 nearly twice as fast again where the processor
    multiplies it, but slower where it does not; so it is tried.

    Raises:
        ModelError: llama.cpp could not read the source or write a copy.
    """
    copies = [folder / f"model-{precision}.gguf" for precision in PRECISIONS]
    for copy in copies:
        requantize(source, copy, copy.stem.removeprefix("model-"))
    # In turn, and the fastest round of each, because other programs come and go.
    rounds = [[_reading_seconds(copy, threads) for copy in copies] for _round in range(ROUNDS)]
    best = fastest([min(seconds) for seconds in zip(*rounds, strict=True)])
    for n, copy in enumerate(copies):
        if n != best:
            copy.unlink()
    return copies[best]


def requantize(source: Path, target: Path, precision: str) -> None:
    """Write a model's weights in another precision; raises ModelError."""
    check_gguf(source)
    library = llama_cpp()
    options = library.llama_model_quantize_default_params()
    options.ftype = getattr(library, PRECISIONS[precision])
    options.allow_requantize = True
    # The table of tokens is looked up, and multiplied for few tokens of a prompt only: fewer bytes are as fast there,
    # and faster when writing.
    options.token_embedding_type = options.output_tensor_type = library.GGML_TYPE_Q8_0
    failed = library.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(options))
    if failed or not target.is_file():
        raise ModelError(f"{source}: cannot be requantized into {target.parent}", "check the free space there")


def fastest(seconds: list[float]) -> int:
    """Which of some copies, smallest first, is read fastest; a larger one only if it is worth it."""
    best = 0
    for n, one in enumerate(seconds):
        if one * WORTH_IT <= seconds[best]:
            best = n
    return best


def _reading_seconds(copy: Path, threads: int) -> float:
    model = open_gguf(copy, n_ctx=PROMPT, n_batch=PROMPT // 2, n_threads=threads, n_threads_batch=threads)
    tokens = [n * 37 % model.n_vocab() for n in range(PROMPT)]
    model.eval(tokens[:1])  # maps the weights
    model.reset()
    started = time.perf_counter()
    model.eval(tokens)
    return time.perf_counter() - started
