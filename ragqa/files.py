"""Names and hashes of files; files and folders that are their owner's alone, and that appear whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ragqa.errors import NotWritable

MAX_FILE_SIZE = 32 * 1024 * 1024  # bytes; a larger file is hardly a text that somebody wrote
READ_SECONDS = 20.0  # a file that takes longer was made to, or is a book of thousands of pages

# To go through a folder, not to list it.
_PASSING = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

MOUNTS = Path("/proc/self/mounts")
NETWORK = frozenset("nfs nfs4 cifs smb3 smbfs 9p afs ceph glusterfs fuse.glusterfs lustre fuse.sshfs".split())


def sha256_of(path: Path) -> str:
    """Of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_inside(folder: Path, names: Sequence[str], flags: int) -> int:
    """A descriptor of what lies in a folder at this path of names; neither it nor any part of its path is a link.

    Args:
        folder: Its own path may lead through links, but it is none.
        flags: `os.O_RDONLY` and the like.

    Raises:
        OSError: It is not there, or may not be opened; ELOOP or ENOTDIR where a link stands in its place.
    """
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC
    if not names:
        return os.open(folder, flags)
    above = os.open(folder, _PASSING)
    for name in names[:-1]:
        try:
            below = os.open(name, _PASSING, dir_fd=above)
        finally:
            os.close(above)
        above = below
    try:
        return os.open(names[-1], flags, dir_fd=above)
    finally:
        os.close(above)


def readable(path: Path | str) -> str:
    """A path as text; bytes of its name that are not UTF-8 are spelled out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def composed(name: Path | str | bytes) -> str:
    """A name to compare with others: a letter and its accents are one character, as keyboards write them.

    Names from a Mac may hold them apart. Bytes that are not UTF-8 are U+FFFD.
    """
    text = name.decode(errors="replace") if isinstance(name, bytes) else os.fspath(name)
    return unicodedata.normalize("NFC", text)


def file_at(path: Path) -> tuple[int, int] | None:
    """Which file lies there, whatever it is called: device and inode; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def exposure(path: Path) -> str:
    """Why others than this user can read or change a file; empty where they cannot, and where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ""
    if found.st_uid != os.geteuid():
        return f"belongs to user {found.st_uid}"
    return f"others can open it (mode {found.st_mode & 0o777:04o})" if found.st_mode & 0o077 else ""


def network_file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """The kind of network file system that a file lies on; empty for a disk, and where the system does not say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    here, kind, depth = path.resolve(), "", 0
    for _device, place, found, *_rest in (line.split(" ") for line in lines):
        folder = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), place))
        if here.is_relative_to(folder) and len(folder.parts) >= depth:
            kind, depth = found, len(folder.parts)
    return kind if kind in NETWORK else ""


def private_folder(folder: Path) -> Path:
    """Have a folder that is its owner's alone, and so those above it that are not there yet."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):  # `parents=True` would leave those above open to others
        place.mkdir(mode=0o700, exist_ok=True)
    return folder


def private_file(path: Path) -> Path:
    """Have a file that only its owner can read; what is in one that is there stays."""
    # Born with its final mode: SQLite gives the same to the files it puts beside it.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    return path


@contextmanager
def new_file(target: Path, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """A file to fill, renamed to `target` when all of it is on disk, or gone; its owner's alone until then.

    At the end its name outlives a power cut, too. One that a killed process left behind is cleared away.

    Args:
        mode: That it has in its place.

    Raises:
        NotWritable: It cannot be made or written.
    """
    with new_path(target, mode) as scratch, scratch.open("wb") as file:
        yield file


@contextmanager
def new_path(target: Path, mode: int = 0o600) -> Iterator[Path]:
    """The same for who opens the file by its name."""
    clear_left_behind(target.parent)
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=unfinished())
    except OSError as error:
        raise _not_written(target, error) from error
    scratch = Path(name)
    try:
        yield scratch
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
        scratch.replace(target)
        keep_names(target.parent)
    except OSError as error:
        if error.filename not in (None, name):  # of a file that this one is filled from
            raise
        raise _not_written(target, error) from error
    finally:
        os.close(descriptor)
        scratch.unlink(missing_ok=True)


def _not_written(target: Path, error: OSError) -> NotWritable:
    return NotWritable(f"{target}: cannot be written: {error.strerror}", "check space and permissions")


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, renamed to `target` when all in it is on disk, or gone.

    One that a killed process left behind is cleared away; if `target` has appeared meanwhile, it stays.
    """
    parent = private_folder(target.parent)
    clear_left_behind(parent)
    scratch = Path(tempfile.mkdtemp(dir=parent, prefix=unfinished()))
    try:
        yield scratch
        for path in (*scratch.iterdir(), scratch):
            _sync(path)
        try:
            scratch.rename(target)
        except OSError:
            if not target.exists():  # else another process was faster
                raise
        keep_names(parent)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def keep_names(folder: Path) -> None:
    """Have the names in a folder outlive a power cut, where its file system knows of that and it may be listed."""
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EINVAL, errno.ENOTSUP):
            raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unfinished(kind: str = ".making-") -> str:
    """How the names of files and folders begin that this process is filling.

    They say when it began, where the system knows: once it has ended, its number may be another's.
    """
    return f"{kind}{os.getpid()}.{_began(os.getpid())}-"


def clear_left_behind(parent: Path, kind: str = ".making-") -> None:
    """Remove what is called as `unfinished` says, of processes that have ended."""
    for left in parent.glob(f"{kind}*"):
        if _running(left.name.removeprefix(kind).split("-")[0]):
            continue
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with suppress(OSError):  # a folder that cannot be written
                left.unlink()


def _running(named: str) -> bool:
    process, _, began = named.partition(".")
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OverflowError):  # no process's name
        return True
    except PermissionError:
        pass
    return _began(int(process)) in ("", began)


def _began(process: int) -> str:
    """When a process began, in ticks since the machine did; empty where the system does not say."""
    try:
        said = Path(f"/proc/{process}/stat").read_bytes()
    except OSError:
        return ""
    return said.rpartition(b")")[2].split()[19].decode()  # behind its name, which may hold anything
