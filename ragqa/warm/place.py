"""Where a warm process is found: a socket in a folder that nobody else can enter."""

from __future__ import annotations

import os
import stat
from binascii import crc32

TYPE_CHECKING = False  # `typing` takes milliseconds
if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 103  # bytes of a socket's path on macOS; Linux takes four more


def socket_path(environ: Mapping[str, str]) -> str:
    """The socket for this user's home of ragqa and no other; empty where its path would be too long.

    Homes whose sums agree would meet there, which does no harm: a request finds its settings by itself.
    """
    home = environ.get("RAGQA_HOME")
    kept = os.path.abspath(os.path.expanduser(home)) if home else _platform_home(environ)  # noqa: PTH100, PTH111
    runtime = environ.get("XDG_RUNTIME_DIR")
    folder = f"{runtime}/ragqa" if runtime else f"{environ.get('TMPDIR') or '/tmp'}/ragqa-{os.geteuid()}"
    path = f"{folder}/{crc32(os.fsencode(kept)):08x}.sock"
    return path if len(os.fsencode(path)) <= LONGEST and path.startswith("/") else ""


def _platform_home(environ: Mapping[str, str]) -> str:
    """What the platform's data folder is worked out from; the folder itself takes a library to find."""
    return f"{environ.get('HOME', '')}\0{environ.get('XDG_DATA_HOME', '')}"


def is_private(folder: str) -> bool:
    """Whether a folder is one, is this user's own, and lets nobody else in."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
