"""Folders → the files in them that are to be read, and what is passed over with its reason.

Folders are opened one in the other by descriptors, never by a path that could lead through a link: one that is put in a
folder's place meanwhile leads nowhere.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from ragqa.read.formats import format_named
from ragqa.walk.ignore import IGNORE_FILES, REPOSITORY, Rules, is_ignored, rules_above, rules_within
from ragqa.walk.inside import LINK, folder_at, is_key, listing_of, reason_of
from ragqa.walk.roots import IRREGULAR, NO_DOCUMENTS
from ragqa.walk.secrets import KEY_FILES, is_secret_folder, is_secret_name

SECRET, IGNORED, EXCLUDED, UNKNOWN = "secret", "ignored", "excluded", "unknown format"
HISTORY, OWN = "version control", "ragqa's own"
BARRED = frozenset({SECRET, IGNORED, OWN})  # what is passed over for these reasons is not to be in an index either

_HISTORIES = frozenset({REPOSITORY, ".hg", ".svn", ".bzr", ".jj"})


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
        own: Folders of ragqa's own, by their real path: they hold no documents.
    """

    glob: str | None = None
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    ignored: bool = False
    secrets: bool = False
    follow: bool = False
    own: tuple[Path, ...] = ()


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


def find_files(
    roots: Sequence[Path], wanted: Wanted, known: Iterable[Path] = ()
) -> tuple[list[Found], list[tuple[Path, str]]]:
    """The files under the roots that are to be read, in order, and what was passed over with its reason.

    Each file comes once, by its real path, and so does each reason; a folder that is passed over whole counts as one.
    Files and folders that begin with a dot are not counted, but for secrets and what holds a repository's history.

    Args:
        known: Files that were read before; below a root they are also found where they are hidden or of an unknown
            format.
    """
    found: dict[Path, Found] = {}
    passed: dict[Path, str] = {}

    def sort(ones: Iterable[Found | _Passed]) -> None:
        for one in ones:
            if isinstance(one, Found):
                found.setdefault(one.path, one)
            else:
                passed.setdefault(one.path, one.reason)

    for root in roots:
        sort(_walk(root, wanted) if root.is_dir() else _named(root, wanted))
    sort(_missed(roots, wanted, [path for path in known if path not in found], passed))
    return list(found.values()), [(path, reason) for path, reason in passed.items() if path not in found]


def _missed(
    roots: Sequence[Path], wanted: Wanted, known: Sequence[Path], passed: Mapping[Path, str]
) -> Iterator[Found | _Passed]:
    """Known files that a walk went past without a word, each looked at in its own place."""
    asked = replace(wanted, hidden=True, glob=wanted.glob or "*")
    told = {path for path, reason in passed.items() if reason != UNKNOWN}
    for root in filter(Path.is_dir, roots if known else ()):
        above, walk = f"{os.fspath(root).rstrip('/')}/", _Walk(root, asked)
        for path in known:
            place = os.fspath(path).removeprefix(above)
            if place != os.fspath(path) and walk.asks_for(tuple(place.split("/"))):
                yield from walk.at(path) if told.isdisjoint((path, *path.parents)) else ()


def _named(path: Path, wanted: Wanted) -> Iterator[Found | _Passed]:
    if not wanted.secrets and (is_secret_name(path.name) or any(map(is_secret_folder, path.parts))):
        yield _Passed(path, SECRET)
        return
    try:
        status = path.stat(follow_symlinks=False)
    except OSError as error:
        yield _Passed(path, reason_of(error))
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
                with listing_of(self.root, inside) as (folder, entries):
                    yield from self._folder(folder, inside, rules, entries)
            except OSError as error:
                yield _Passed(self.root.joinpath(*inside), reason_of(error))

    def at(self, path: Path) -> Iterator[Found | _Passed]:
        """A file where a walk would meet it, or what bars it; nothing if it is gone."""
        place = path.relative_to(self.root).parts
        try:
            mode = path.lstat().st_mode
            if not (stat.S_ISLNK(mode) or stat.S_ISDIR(mode)):
                barred, _rules = self._way_to(place, to_folder=False)
                yield from [barred] if barred else self._in_place(path, place)
        except (FileNotFoundError, ValueError):
            return
        except OSError as error:
            if reason_of(error) != LINK:
                yield _Passed(path, reason_of(error))

    def _in_place(self, path: Path, place: tuple[str, ...]) -> Iterator[Found | _Passed]:
        with folder_at(self.root, place[:-1]) as folder:
            yield from self._file(folder, path)

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
        asked = is_folder or self.asks_for(place)
        if secret and not wanted.secrets:
            return SECRET if asked else None
        if not asked or (name.startswith(".") and not wanted.hidden and not secret):
            return None
        if is_folder and path in (*NO_DOCUMENTS, *wanted.own):
            return OWN if path in wanted.own else None
        if any(_fits(place, pattern) for pattern in wanted.exclude):
            return EXCLUDED
        return IGNORED if rules and is_ignored(rules, os.fspath(path), folder=is_folder) else ""

    def asks_for(self, place: tuple[str, ...]) -> bool:
        """Whether a file's name or path is one of those that are wanted."""
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
            elif not self.wanted.secrets and name.lower().endswith(KEY_FILES) and is_key(folder, name):
                yield _Passed(path, SECRET)
            elif not self._readable(name):
                yield _Passed(path, UNKNOWN)
            else:
                yield _found(path, self.root, status)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):  # gone since its folder was listed
                yield _Passed(path, reason_of(error))

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
                yield from self._in_place(real, place)
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


def _fits(place: tuple[str, ...], pattern: str) -> bool:
    """Whether a pattern fits a name, or a path below the root."""
    patterns = (pattern, pattern.removeprefix("**/"))  # `**/` also stands for no folder at all
    return any(fnmatch.fnmatch(name, one) for one in patterns for name in (place[-1], "/".join(place)))
