"""How much memory a model takes, how much this process may still have, and which of its limits says so.

llama.cpp and ONNX Runtime end the whole process, or blame the file, when memory runs out in the midst of loading; so
it is asked beforehand.
"""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ragqa.errors import ModelError

MB = 1_000_000
LARGE = 1_000_000_000  # bytes; models of this size have longer states, and are given longer prompts

# Measured on the models that come along: the smallest limits under which a question is answered, less the files.
ONNX, ONNX_PRIVATE = 65 * MB, 10 * MB  # 50 MB, and less than nothing, as not all files are read
TORCH, TORCH_PRIVATE = 1000 * MB, 450 * MB  # 865 and 410 MB once it is imported
LLAMA, LLAMA_PRIVATE = 200 * MB, 160 * MB  # 190 and 167 MB, of which 14 are its state of 576 tokens
STATE, STATE_LARGE = (
    48_000,
    128_000,
)  # bytes a token; 135M: 23,040, Llama 3.2 3B: 114,688, 3.1 8B: 131,072
LARGE_PROMPT, SMALL_PROMPT = 3400, 700  # tokens of prompt and answer by default


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that a model takes while it answers.

    Attributes:
        whole: With its weights, which may be mapped from their file.
        private: Without what is mapped.
    """

    whole: int
    private: int

    def __add__(self, other: Need) -> Need:
        return Need(self.whole + other.whole, self.private + other.private)


INDEXING = Need(500 * MB, 430 * MB)  # besides, for long passages on two threads; measured as the others


@dataclass(frozen=True, slots=True)
class Limit:
    """What may still be taken.

    Attributes:
        name: What sets it, as a person would look for it.
        left: Bytes.
        private: Whether it counts only what is not mapped from files.
    """

    name: str
    left: int
    private: bool = False

    def lacks(self, need: Need) -> bool:
        return self.of(need) > self.left

    def of(self, need: Need) -> int:
        return need.private if self.private else need.whole


def need_of(kind: str, size: int, *, backend: str = "", tokens: int = 0) -> Need:
    """About what a model of `size` bytes takes.

    Args:
        backend: Of an embedder, which is torch unless it is `onnx`.
        tokens: That a Llama will see at most; 0: as many as it is given by default.
    """
    if kind == "generate":
        large = size >= LARGE
        state = (STATE_LARGE if large else STATE) * (tokens or (LARGE_PROMPT if large else SMALL_PROMPT))
        return Need(size + state + LLAMA, state + LLAMA_PRIVATE)
    if backend == "onnx":
        return Need(size + ONNX, size + ONNX_PRIVATE)
    return Need(size + TORCH, size + TORCH_PRIVATE)


def require_room(name: str, need: Need, hint: str) -> None:
    """Refuse a model that cannot fit, before it is loaded.

    Raises:
        ModelError: With what it needs, what there is, and the limit.
    """
    for limit in limits():
        if limit.lacks(need):
            asked, left = limit.of(need) / MB, limit.left / MB
            raise ModelError(f"{name}: needs about {asked:.0f} MB of memory, has {left:.0f} MB ({limit.name})", hint)


def limits(process: Path = Path("/proc/self"), groups: Path = Path("/sys/fs/cgroup")) -> list[Limit]:
    """The hard limits of this process. Memory that others use at the moment is none: they may give it back."""
    used = _sizes(process / "status")
    found = [Limit("all there is", total_memory() - used.get("RssAnon", 0))]
    for name, what, private in (("AS", "VmSize", False), ("DATA", "VmData", True)):
        most = resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0]
        if most != resource.RLIM_INFINITY:
            found.append(Limit(f"ulimit RLIMIT_{name}", max(0, most - used.get(what, 0)), private))
    return found + [Limit("cgroup", left) for left in _group_limits(process / "cgroup", groups)]


def available_memory(meminfo: Path = Path("/proc/meminfo")) -> int:
    """Bytes that a program could have now without any other losing some; half of all where the system does not say."""
    return _sizes(meminfo).get("MemAvailable", total_memory() // 2)


def total_memory() -> int:
    """Bytes of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def room() -> int:
    """Bytes that a model can have without crowding others out: what is available, or the tightest limit."""
    return min(available_memory(), *(limit.left for limit in limits() if not limit.private))


def _sizes(file: Path) -> dict[str, int]:
    """The lines `Name: N kB` of a file in /proc, in bytes; none where there is no such file."""
    try:
        text = file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return {}
    return {name: int(size) * 1024 for name, size in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}


def _group_limits(own: Path, groups: Path) -> Iterator[int]:
    """Bytes left in every control group that this process is in and that has a limit; both versions of the interface.

    What files have in memory is given back when a program wants it, so it does not count as used.
    """
    try:
        lines = own.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        names = _V1 if controllers else _V2
        top = groups / "memory" if controllers else groups
        place = top / path.lstrip("/")
        for folder in (place, *place.parents):
            if folder.is_relative_to(top) and (left := _left_in(folder, *names)) is not None:
                yield left


_V2 = ("memory.max", "memory.current", "file")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache")


def _left_in(folder: Path, most: str, used: str, cached: str) -> int | None:
    try:
        limit, usage = int((folder / most).read_text()), int((folder / used).read_text())
        statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no limit is spelled `max`
        return None
    return max(0, limit - usage + int(statistics.get(cached, 0)))
