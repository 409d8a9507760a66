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
    """The socket for this user's home of ragqa and no other: in XDG_RUNTIME_DIR or else in the temporary folder.

    Either has to be there, by an absolute path that leaves room for a socket's; what is always so is `/tmp`. Homes
    whose sums agree would meet, which does no harm: a request finds its settings by itself.
    """
    home = environ.get("RAGQA_HOME")
    kept = os.path.abspath(os.path.expanduser(home)) if home else _platform_home(environ)  # noqa: PTH100, PTH111
    name = f"{crc32(os.fsencode(kept)):08x}.sock"
    own = f"ragqa-{os.geteuid()}"
    for folder, place in ((environ.get("XDG_RUNTIME_DIR"), "ragqa"), (environ.get("TMPDIR"), own)):
        path = f"{folder}/{place}/{name}"
        if folder and folder.startswith("/") and len(os.fsencode(path)) <= LONGEST and os.path.isdir(folder):  # noqa: PTH112
            return path
    return f"/tmp/{own}/{name}"


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
