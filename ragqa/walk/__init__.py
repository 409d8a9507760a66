"""Folders → the files in them that are to be read, and what is passed over with its reason.

Folders are opened one in the other by descriptors, never by a path that could lead through a link: one that is put in a
folder's place meanwhile leads nowhere.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

from ragqa.files import open_inside
from ragqa.read.formats import format_named
from ragqa.walk.ignore import IGNORE_FILES, REPOSITORY, Rules, is_ignored, rules_above, rules_within
from ragqa.walk.roots import NO_DOCUMENTS
from ragqa.walk.secrets import KEY_FILES, holds_key, is_secret_folder, is_secret_name

SECRET, IGNORED, EXCLUDED, UNKNOWN = "secret", "ignored", "excluded", "unknown format"
LINK, IRREGULAR, HISTORY = "link not followed", "not a regular file", "version control"
BARRED = frozenset({SECRET, IGNORED})  # what is passed over for these reasons is not to be in an index either

_HISTORIES = frozenset({REPOSITORY, ".hg", ".svn", ".bzr", ".jj"})
_SWAPPED = (errno.ELOOP, errno.ENOTDIR)
_KEY_SIZE = 2**16  # bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which files of a folder are wanted. What is named itself is read in any case, unless it is a secret.

    Attributes:
        glob: Only files whose name or path fits; files of unknown formats count as text then.
        exclude: No file and no folder whose name or path fits one of these.
        hidden: Also what begins with a dot.
        ignored: Also what `.gitignore` and `.ragqaignore` leave out.
        secrets: Also keys and passwords.
        follow: Also what links lead to, as long as it lies below the same root.
    """

    glob: str | None = None
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    ignored: bool = False
    secrets: bool = False
    follow: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A file to look at, the folder it was found under, and what the file system said of it then.

    Attributes:
        size: Bytes.
        mtime_ns: Modification time, nanoseconds since the epoch.
    """

    path: Path
    root: Path
    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class _Passed:
    path: Path
    reason: str


def find_files(roots: Sequence[Path], wanted: Wanted) -> tuple[list[Found], list[tuple[Path, str]]]:
    """The files under the roots that are to be read, in order, and what was passed over with its reason.

    Each file comes once, by its real path, and so does each reason; a folder that is passed over whole counts as one.
    Files and folders that begin with a dot are not counted, but for secrets and what holds a repository's history.
    """
    found: dict[Path, Found] = {}
    passed: dict[Path, str] = {}
    for root in roots:
        for one in _walk(root, wanted) if root.is_dir() else _named(root, wanted):
            if isinstance(one, Found):
                found.setdefault(one.path, one)
            else:
                passed.setdefault(one.path, one.reason)
    return list(found.values()), [(path, reason) for path, reason in passed.items() if path not in found]


def _named(path: Path, wanted: Wanted) -> Iterator[Found | _Passed]:
    if not wanted.secrets and (is_secret_name(path.name) or any(map(is_secret_folder, path.parts))):
        yield _Passed(path, SECRET)
        return
    try:
        status = path.stat(follow_symlinks=False)
    except OSError as error:
        yield _Passed(path, _reason(error))
        return
    yield _found(path, path.parent, status)


def _found(path: Path, root: Path, status: os.stat_result) -> Found:
    return Found(path, root, status.st_size, status.st_mtime_ns, status.st_ino)


def _walk(root: Path, wanted: Wanted) -> Iterator[Found | _Passed]:
    if not wanted.secrets and any(map(is_secret_folder, root.parts)):
        yield _Passed(root, SECRET)
    else:
        yield from _Walk(root, wanted).run()


class _Walk:
    """One root's. A folder's files come first, then its folders."""

    def __init__(self, root: Path, wanted: Wanted) -> None:
        self.root = root
        self.wanted = wanted
        self.above: Rules = () if wanted.ignored else rules_above(root)
        self.pending: list[tuple[tuple[str, ...], Rules]] = [((), self.above)]
        self.seen: set[tuple[str, ...]] = set()

    def run(self) -> Iterator[Found | _Passed]:
        while self.pending:
            inside, rules = self.pending.pop()
            if self.wanted.follow:  # else there is one way to each folder
                if inside in self.seen:
                    continue
                self.seen.add(inside)
            try:
                with _listing(self.root, inside) as (folder, entries):
                    yield from self._folder(folder, inside, rules, entries)
            except OSError as error:
                yield _Passed(self.root.joinpath(*inside), _reason(error))

    def _folder(
        self, folder: int, inside: tuple[str, ...], rules: Rules, entries: list[os.DirEntry[str]]
    ) -> Iterator[Found | _Passed]:
        if not self.wanted.ignored:
            rules = rules_within(self.root, inside, (entry.name for entry in entries), rules)
        folders = []
        for entry in entries:
            place = (*inside, entry.name)
            path = self.root.joinpath(*place)
            is_folder = entry.is_dir(follow_symlinks=False)
            reason = self._barred(place, path, rules, is_folder)
            if reason is None:
                continue
            if reason:
                yield _Passed(path, reason)
            elif is_folder:
                folders.append((place, rules))
            elif entry.is_symlink():
                yield from self._link(entry, path)
            else:
                yield from self._file(folder, path)
        self.pending += reversed(folders)

    def _barred(self, place: tuple[str, ...], path: Path, rules: Rules, is_folder: bool) -> str | None:
        """Why a file or folder is passed over; empty where it is not, None where it is not even counted."""
        name, wanted = place[-1], self.wanted
        if name in _HISTORIES:
            return HISTORY
        secret = is_secret_folder(name) if is_folder else is_secret_name(name)
        asked = is_folder or self._matches(place)
        if secret and not wanted.secrets:
            return SECRET if asked else None
        if not asked or (name.startswith(".") and not wanted.hidden and not secret) or path in NO_DOCUMENTS:
            return None
        if any(_fits(place, pattern) for pattern in wanted.exclude):
            return EXCLUDED
        return IGNORED if rules and is_ignored(rules, os.fspath(path), folder=is_folder) else ""

    def _matches(self, place: tuple[str, ...]) -> bool:
        return self.wanted.glob is None or _fits(place, self.wanted.glob)

    def _readable(self, name: str) -> bool:
        """Whether there is a reader for it; what a glob asks for is text, if it is nothing else."""
        return bool(
            self.wanted.glob is not None
            or format_named(PurePath(name))
            or (self.wanted.secrets and is_secret_name(name))
        )

    def _file(self, folder: int, path: Path) -> Iterator[Found | _Passed]:
        name = path.name
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISREG(status.st_mode):
                yield _Passed(path, IRREGULAR)
            elif not self.wanted.secrets and name.lower().endswith(KEY_FILES) and _is_key(folder, name):
                yield _Passed(path, SECRET)
            elif not self._readable(name):
                yield _Passed(path, UNKNOWN)
            else:
                yield _found(path, self.root, status)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):  # gone since its folder was listed
                yield _Passed(path, _reason(error))

    def _link(self, entry: os.DirEntry[str], path: Path) -> Iterator[Found | _Passed]:
        """Nothing of a link is read: what it leads to is looked at in its own place, if that is below the root."""
        to_folder = False
        try:
            to_folder = entry.is_dir()  # raises for a circle of links, and where nobody may look
            real = Path(os.path.realpath(path, strict=True)) if self.wanted.follow else path
            place = real.relative_to(self.root).parts
            if not self.wanted.follow:
                raise ValueError(LINK)
            barred, rules = self._way_to(place, to_folder)
            if barred:
                yield barred
            elif to_folder:
                self.pending.append((place, rules))
            else:
                with _folder(self.root, place[:-1]) as folder:
                    yield from self._file(folder, real)
        except (OSError, ValueError):
            if to_folder or self._readable(entry.name):
                yield _Passed(path, LINK)

    def _way_to(self, place: tuple[str, ...], to_folder: bool) -> tuple[_Passed | None, Rules]:
        """What bars a real path below the root, and the rules above its last part: as a walk from the root meets them.

        Raises:
            ValueError: A walk would not come there, and would not say so.
        """
        rules = self.above
        for depth, part in enumerate(place):
            inside, path = place[:depth], self.root.joinpath(*place[: depth + 1])
            if not self.wanted.ignored:
                rules = rules_within(self.root, inside, (*IGNORE_FILES, REPOSITORY), rules)
            reason = self._barred((*inside, part), path, rules, to_folder or depth < len(place) - 1)
            if reason is None:
                raise ValueError(LINK)
            if reason:
                return _Passed(path, reason), rules
        return None, rules


@contextmanager
def _folder(root: Path, inside: tuple[str, ...]) -> Iterator[int]:
    """A folder's descriptor."""
    folder = open_inside(root, inside, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield folder
    finally:
        os.close(folder)


@contextmanager
def _listing(root: Path, inside: tuple[str, ...]) -> Iterator[tuple[int, list[os.DirEntry[str]]]]:
    """A folder's descriptor, and what is in it by name."""
    with _folder(root, inside) as folder, os.scandir(folder) as entries:
        yield folder, sorted(entries, key=lambda entry: entry.name)


def _is_key(folder: int, name: str) -> bool:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    with closing(os.fdopen(os.open(name, flags, dir_fd=folder), "rb")) as file:
        return holds_key([file.read(_KEY_SIZE)])


def _fits(place: tuple[str, ...], pattern: str) -> bool:
    """Whether a pattern fits a name, or a path below the root."""
    patterns = (pattern, pattern.removeprefix("**/"))  # `**/` also stands for no folder at all
    return any(fnmatch.fnmatch(name, one) for one in patterns for name in (place[-1], "/".join(place)))


def _reason(error: OSError) -> str:
    return LINK if error.errno in _SWAPPED else (error.strerror or "cannot be opened").lower()
