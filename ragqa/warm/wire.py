"""What a command and the warm process say to each other, and who may speak.

command  a request: what to do, the conditions it runs under, arguments, environment
process  `+PID` it will be done in process PID, or `-` it will not
command  `!` and its descriptors; without it nothing is done, since the command may have given up waiting
process  `exit N`, or `signal N` when the process died of one
"""

from __future__ import annotations

import _socket  # without the parts of `socket` that take longer to import than all else here
import os
import resource
import sys

import ragqa

TYPE_CHECKING = False  # `typing` takes milliseconds
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAGIC = b"ragqa/1 "
ACCEPTED, REFUSED, GO = b"+", b"-", b"!"
MOST = 8 << 20  # bytes of a request; arguments and environment of a process are less
_PEER, _MACOS_PEER = 12, 76  # bytes of struct ucred, struct xucred; both hold the user in bytes 4 to 7

# Variables that are read when Python starts, or when a library is imported or loads its weights.
_READ_EARLY = (
    *("PYTHON", "LANG", "LC_", "TZ", "TMPDIR", "LD_", "DYLD_", "MALLOC_", "GLIBC_"),
    *("OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "GGML_", "LLAMA_", "CUDA_", "HIP_", "ORT_"),
    *("TOKENIZERS_", "RAYON_", "TIKTOKEN_", "TRANSFORMERS_", "HF_", "TORCH_", "TORCHDYNAMO_"),
    *("TERMINAL_WIDTH", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TYPER_", "_TYPER_"),
)
_LIMITS = ("AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "NOFILE", "NPROC", "RSS", "STACK")
_NAMESPACES = ("mnt", "net", "pid", "user")


class Request:
    """A command line and what belongs to it, but for its descriptors.

    Attributes:
        verb: `run` it, or `status`: say how the warm process is.
        streams: Which of the descriptors 0, 1 and 2 are open.
        ignored: Signals that it ignores, as `nohup` has it.
    """

    def __init__(
        self,
        verb: str,
        conditions: str = "",
        umask: int = 0,
        streams: Sequence[int] = (),
        ignored: Sequence[int] = (),
        argv: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.verb = verb
        self.conditions = conditions
        self.umask = umask
        self.streams = streams
        self.ignored = ignored
        self.argv = argv
        self.environ = environ or {}


def conditions(environ: Mapping[str, str]) -> str:
    """All that a process inherits or reads at its start and a fork of another process would not have.

    Only where it is the same here and there is a command handed over.
    """
    early = sorted(f"{name}={value}" for name, value in environ.items() if name.startswith(_READ_EARLY))
    limits = [resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in _LIMITS if _has_limit(name)]
    affinity = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    root = os.stat("/")
    return repr(
        (
            (ragqa.__version__, ragqa.__file__, sys.executable, sys.version),
            (sys.flags, sys.warnoptions, sys._xoptions, unbuffered()),
            (os.getuid(), os.geteuid(), os.getgid(), os.getegid(), os.getgroups()),
            (limits, os.getpriority(os.PRIO_PROCESS, 0), affinity),
            (root.st_dev, root.st_ino, [_namespace(name) for name in _NAMESPACES]),
            early,
        )
    )


def unbuffered() -> bool:
    """Whether Python was started with `-u`, which no flag tells."""
    return any(getattr(stream, "write_through", False) for stream in (sys.stdout, sys.stderr))


def _has_limit(name: str) -> bool:
    return hasattr(resource, f"RLIMIT_{name}")


def _namespace(name: str) -> str:
    try:
        return os.readlink(f"/proc/self/ns/{name}")  # noqa: PTH115 (pathlib takes milliseconds)
    except OSError:
        return ""


def pack(request: Request) -> bytes:
    """A request as it is sent: its length, and fields that end with NUL, which none of them can hold."""
    numbers = [str(request.umask), _numbers(request.streams), _numbers(request.ignored), str(len(request.argv))]
    pairs = [f"{name}={value}" for name, value in request.environ.items()]
    fields = [request.verb, request.conditions, *numbers, *request.argv, *pairs]
    body = b"\0".join(map(os.fsencode, fields))
    return MAGIC + b"%d\n" % len(body) + body


def unpack(body: bytes) -> Request:
    """A request from all that was sent after the length.

    Raises:
        ValueError: It is none.
    """
    verb, conditions, umask, streams, ignored, count, *rest = map(os.fsdecode, body.split(b"\0"))
    arguments, pairs = rest[: int(count)], rest[int(count) :]
    environ = dict(pair.split("=", 1) for pair in pairs)
    opened, silent = [[int(n) for n in numbers.split()] for numbers in (streams, ignored)]
    return Request(verb, conditions, int(umask), opened, silent, arguments, environ)


def _numbers(values: Sequence[int]) -> str:
    return " ".join(map(str, values))


def read_line(connection: _socket.socket) -> bytes:
    """Up to the next line break, or to the end of what was sent."""
    line = b""
    while not line.endswith(b"\n") and len(line) < 100:
        byte = connection.recv(1)
        if not byte:
            break
        line += byte
    return line


def peer_uid(connection: _socket.socket) -> int:
    """The user whose process is at the other end, by the word of the kernel."""
    if sys.platform == "darwin":
        sol_local, local_peercred = 0, 1
        peer = connection.getsockopt(sol_local, local_peercred, _MACOS_PEER)
    else:
        peer = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _PEER)
    return int.from_bytes(peer[4:8], sys.byteorder)


def is_own(uid: int) -> bool:
    """Whether a peer is this user: nobody else's command is run, and nobody else is given descriptors."""
    return uid == os.geteuid()
