"""Where a measurement was made: processor, memory, versions, and what else the machine had to do meanwhile."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import ragqa
from ragqa.memory import total_memory

PACKAGES = (
    "llama-cpp-python",
    "onnxruntime",
    "numpy",
    "tiktoken",
    "apsw",
    "sqlite-vec",
    "sentence-transformers",
    "torch",
)
BUSY = 0.25  # of a core, used by others: from here on the figures are worse than the machine
_STAT, _CPUINFO = Path("/proc/stat"), Path("/proc/cpuinfo")
_IDLE, _WAITING = 3, 4  # places in the first line of /proc/stat
_GUEST = 8  # from here on they count once more what stands before


def facts(cores: int) -> dict[str, str]:
    """The machine and the programs that figures depend on, by name; what cannot be found out is left out.

    Args:
        cores: How many ragqa uses.
    """
    known = {
        "processor": processor(),
        "cores": f"{cores} used of {os.cpu_count()}",
        "memory": f"{total_memory() / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "ragqa": ragqa.__version__,
        **{name: _version(name) for name in PACKAGES},
    }
    return {name: value for name, value in known.items() if value}


def processor() -> str:
    """The processor's name with family and model, which say more than the name where a host hides it."""
    if _CPUINFO.exists():
        return processor_name(_CPUINFO.read_text(encoding="utf-8", errors="replace"))
    asked = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or platform.processor() or platform.machine()


def processor_name(cpuinfo: str) -> str:
    """The first processor of /proc/cpuinfo in one line."""
    first = cpuinfo.partition("\n\n")[0].splitlines()
    values = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first)}
    name = values.get("model name") or platform.machine()
    numbers = [f"{part} {values[key]}" for part, key in (("family", "cpu family"), ("model", "model")) if key in values]
    return f"{name} ({', '.join(numbers)})" if numbers else name


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


@dataclass(frozen=True, slots=True)
class Moment:
    """What had been worked until then, in seconds of a core; `machine` is None where the system does not say."""

    at: float
    machine: float | None
    own: float


def now() -> Moment:
    """All work of the machine so far, and that of this process with the children it waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    machine = worked(_STAT.read_text(encoding="ascii"), os.sysconf("SC_CLK_TCK")) if _STAT.exists() else None
    return Moment(time.monotonic(), machine, own)


def worked(stat: str, ticks: int) -> float:
    """Seconds that all cores together were not idle, from /proc/stat; a host's own use of them counts as work."""
    counts = [int(count) for count in stat.partition("\n")[0].split()[1:]][:_GUEST]
    return (sum(counts) - counts[_IDLE] - counts[_WAITING]) / ticks


def cores_of_others(begin: Moment, end: Moment) -> float | None:
    """How many cores others kept busy meanwhile, on average; None where the system does not say.

    What a process of our own left running counts as another's.
    """
    if begin.machine is None or end.machine is None or end.at <= begin.at:
        return None
    return max(0.0, (end.machine - begin.machine - (end.own - begin.own)) / (end.at - begin.at))


def warnings(load: float, others: float | None) -> list[str]:
    """What a busy machine does to the figures, if it was one.

    Args:
        load: The load average before the run; it counts only where nothing better is known, as it lags behind.
        others: Cores that others used meanwhile, if that is known.
    """
    if (load if others is None else others) < BUSY:
        return []
    seen = f"load {load:.2f} before" if others is None else f"others used {others:.2f} cores during the run"
    return [f"the machine was busy: {seen}. Ratios hold better than the figures themselves."]
