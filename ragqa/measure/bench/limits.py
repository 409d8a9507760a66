"""The machine's own limits: how fast it multiplies and reads, all cores at work, with the same libraries."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from ragqa.embed.peak import bfloat16_product, int8_product
from ragqa.measure.bench import Measurement, Progress, in_turn

Work = Callable[[], object]
Candidate = tuple[Sequence[Work], float]
"""The same work for each core, and how much of it there is in one go."""

LONG_ENOUGH = 0.05  # seconds that a rate is measured over
SHAPES = ((256, 384, 1536), (256, 1536, 384), (256, 1024, 1024), (512, 2048, 2048))
"""Products that are tried, (rows, shared, columns); the fastest counts. Small ones stay in the cache."""
BUFFER = 512_000_000  # bytes, many times what caches hold
GIGA = 1e9


class Gauges:
    """Each gauge measures a limit once when it is called: units in thousand millions (G) a second, over all cores.

    Every core has a thread of its own, and no thread waits for another, so the sum is the most that can be had.
    """

    def __init__(self, cores: int) -> None:
        self.cores = cores
        self._threads = ThreadPoolExecutor(cores)

    def float32(self) -> float:
        """GFLOP/s of NumPy's product of float32 matrices, the best of several shapes."""
        return self._best(self._float32)

    def int8(self) -> float:
        """Thousand million operations a second (GOP/s) of ONNX Runtime's product of 8-bit matrices."""
        return self._best(self._int8)

    def bfloat16(self) -> float:
        """GFLOP/s of torch's product of bfloat16 matrices; low where the processor does not multiply them itself."""
        return self._best(self._bfloat16)

    def read(self) -> float:
        """GB/s that are read from memory."""
        works = [partial(np.dot, part, part) for part in np.array_split(self._buffer, self.cores)]
        return self._together(works, BUFFER / self.cores)

    def copy(self) -> float:
        """GB/s that are read and written again elsewhere, both counted."""
        works = [partial(_copy_half, part) for part in np.array_split(self._buffer, self.cores)]
        return self._together(works, BUFFER / self.cores)

    @cached_property
    def _buffer(self) -> NDArray[np.float32]:
        return np.ones(BUFFER // 4, np.float32)

    @cached_property
    def _float32(self) -> list[Candidate]:
        return self._candidates(_float32_product)

    @cached_property
    def _int8(self) -> list[Candidate]:
        return self._candidates(int8_product)

    @cached_property
    def _bfloat16(self) -> list[Candidate]:
        return self._candidates(bfloat16_product)

    def _candidates(self, make: Callable[[int, int, int], Work]) -> list[Candidate]:
        return [([make(*shape) for _ in range(self.cores)], operations(*shape)) for shape in SHAPES]

    def _best(self, candidates: Sequence[Candidate]) -> float:
        return max(self._together(works, amount) for works, amount in candidates)

    def _together(self, works: Sequence[Work], amount: float) -> float:
        return sum(self._threads.map(_times_a_second, works)) * amount / GIGA


def operations(rows: int, shared: int, columns: int) -> float:
    """Multiplications and additions of a product of two matrices."""
    return 2.0 * rows * shared * columns


def measure_limits(gauges: Gauges, rounds: int, progress: Progress) -> list[Measurement]:
    """The rows `limits`: what other rows are held against."""
    names = {
        "product of float32 matrices": ("GFLOP/s", gauges.float32),
        "product of 8-bit matrices": ("GOP/s", gauges.int8),
        "product of bfloat16 matrices": ("GFLOP/s", gauges.bfloat16),
        "reading memory": ("GB/s", gauges.read),
        "copying memory": ("GB/s", gauges.copy),
    }
    samples = in_turn({name: gauge for name, (_unit, gauge) in names.items()}, rounds, progress)
    return [Measurement(name, unit, samples[name]) for name, (unit, _gauge) in names.items()]


def _times_a_second(work: Work) -> float:
    started, runs = time.perf_counter(), 0
    while True:
        work()
        runs += 1
        elapsed = time.perf_counter() - started
        if elapsed >= LONG_ENOUGH:
            return runs / elapsed


def _copy_half(part: NDArray[np.float32]) -> None:
    half = len(part) // 2
    np.copyto(part[:half], part[half : 2 * half])


def _float32_product(rows: int, shared: int, columns: int) -> Work:
    draw = np.random.default_rng(0)
    left, right = draw.random((rows, shared), np.float32), draw.random((shared, columns), np.float32)
    into = np.empty((rows, columns), np.float32)
    return lambda: np.matmul(left, right, out=into)
