"""The machine: processor, memory, disk, and the libraries that were compiled for it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import ragqa
from ragqa.catalogue import DEFAULTS, MODELS
from ragqa.doctor import Finding, Subject
from ragqa.errors import BadInput
from ragqa.manifest import MANIFEST
from ragqa.memory import limits, need_of, room
from ragqa.read.apart import Child
from ragqa.read.confine import NETWORK, WRITING

LEAST_DISK = 50_000_000  # bytes, for an index of some hundred notes
PREPARING = 700_000_000  # bytes, while the two models that come along are made ready
# Instructions that multiply 8-bit numbers many at a time; without the last row's, the libraries count one by one.
INSTRUCTIONS = {
    "x86_64": (("avx512_vnni", "avx_vnni", "amx_int8"), ("avx2",)),
    "aarch64": (("i8mm", "asimddp"), ("asimd",)),
}
# Each in a process of its own: one that was compiled for another processor is killed when it is loaded.
LIBRARIES = {
    "llama_cpp": "pip install --force-reinstall --no-cache-dir --no-binary llama-cpp-python llama-cpp-python",
    "onnxruntime": "pip install --force-reinstall onnxruntime",
}
REINSTALL = "pip install --force-reinstall ragqa"
CONFINING = "Linux 6.2 or newer that has Landlock and lets users make namespaces, or index no strangers' files"


def program(subject: Subject) -> Iterator[Finding]:
    """Which ragqa and which Python."""
    said = f"{ragqa.__version__} on Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Finding("ok", "ragqa", f"{said}, home {subject.settings.home}")


def processor(subject: Subject) -> Iterator[Finding]:
    """Cores, and the instructions that matter."""
    cores = f"{subject.settings.cores} of {os.cpu_count()} cores used"
    flags = _flags(Path("/proc/cpuinfo"))
    quick, enough = INSTRUCTIONS.get(platform.machine(), ((), ()))
    found = [name for name in (*quick, *enough) if name in flags]
    if not flags or not enough:
        yield Finding("ok", "processor", f"{cores}; its instructions are not known here")
    elif not found:
        yield Finding("note", "processor", f"{cores}; without {enough[0]} models answer slowly", "a newer processor")
    else:
        yield Finding("ok", "processor", f"{cores}; {', '.join(found)}")


def _flags(cpuinfo: Path) -> set[str]:
    if not cpuinfo.is_file():
        return set()
    lines = re.findall(r"^(?:flags|Features)\s*: (.*)$", cpuinfo.read_text(errors="replace"), re.MULTILINE)
    return set(lines[0].split()) if lines else set()


def memory(subject: Subject) -> Iterator[Finding]:
    """Whether the two models that come along fit."""
    embed, generate = (MODELS[DEFAULTS[kind]] for kind in ("embed", "generate"))
    need = need_of("embed", embed.size, backend="onnx") + need_of("generate", 2 * generate.size)
    tight = [limit for limit in limits() if limit.lacks(need)]
    has = f"{room() / 1e6:,.0f} MB to spare, a question needs about {need.whole / 1e6:,.0f} MB"
    if tight:
        has += f" (limit: {', '.join(limit.name for limit in tight)})"
        yield Finding("fault", "memory", has, "raise the limit, or ask with `ragqa ask --quotes`")
    elif room() < need.whole:
        yield Finding("note", "memory", has, "close other programs, or ask with `ragqa ask --quotes`")
    else:
        yield Finding("ok", "memory", has)


def disk(subject: Subject) -> Iterator[Finding]:
    """Space and permission to write where everything is kept."""
    home = subject.settings.home
    there = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(there).free
    has = f"{free / 1e6:,.0f} MB free in {there}"
    prepared = all((subject.settings.models / name / MANIFEST).is_file() for name in DEFAULTS.values())
    if not os.access(there, os.W_OK | os.X_OK):
        yield Finding("fault", "disk", f"{there}: not writable", f"chmod u+rwx {there}, or set RAGQA_HOME")
    elif free < LEAST_DISK:
        yield Finding("fault", "disk", has, "free some space, or set RAGQA_HOME to another disk")
    elif free < PREPARING and not prepared:
        yield Finding("note", "disk", f"{has}; preparing the models takes {PREPARING / 1e6:,.0f} MB for a while", "")
    else:
        yield Finding("ok", "disk", has)


def libraries(subject: Subject) -> Iterator[Finding]:
    """Whether what was compiled for this machine can be loaded, and whether it could be compiled anew."""
    broken = False
    for library, mend in LIBRARIES.items():
        reason = _fault_of(library)
        broken |= bool(reason)
        yield Finding("fault", library, reason, mend) if reason else Finding("ok", library, "loads")
    compilers = [name for name in ("cc", "c++") if not shutil.which(name)]
    if compilers:
        said = f"{' and '.join(compilers)} not found" + ("" if broken else "; only installing llama.cpp needs it")
        yield Finding("fault" if broken else "ok", "compiler", said, "install a C and C++ compiler" if broken else "")


def confinement(subject: Subject) -> Iterator[Finding]:
    """What keeps a stranger's file, should it take its parser over, from the rest of the machine."""
    about = "strangers' files"
    try:
        with Child() as child:
            held = child.held()
    except BadInput as error:
        yield Finding("fault", about, f"the process that reads them does not start: {error.reason}", REINSTALL)
        return
    said = "no network (own namespace)" if NETWORK in held else "the network within reach (no namespace here)"
    said += ", nothing written (Landlock)" if WRITING in held else ", files may be written (no Landlock here)"
    confined = {NETWORK, WRITING} <= held
    yield Finding("ok" if confined else "note", about, f"while read: {said}", "" if confined else CONFINING)


def _fault_of(library: str) -> str:
    """Why a library cannot be loaded; empty when it can."""
    code = f"import ragqa, {library}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, errors="replace")
    if done.returncode < 0:
        return f"killed by signal {-done.returncode} when it is loaded: not compiled for this processor"
    if done.returncode:
        return f"cannot be loaded: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no reason given'}"
    return ""
