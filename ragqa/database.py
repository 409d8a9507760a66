"""An SQLite file of ragqa's own: how it is born, opened, refused and emptied, and what SQLite's errors mean."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import apsw

from ragqa.errors import IndexDamaged, IndexLocked, NotWritable, RagqaError, UnknownIndex, UsageError
from ragqa.files import keep_names, network_file_system, new_path, private_file, private_folder

BUSY_MS = 10_000
LOG_KEPT = 64 << 20  # bytes of the log that stay on the disk, to be written again, when it was larger
BESIDE = ("-wal", "-shm", "-journal")  # what SQLite keeps there
Migration = str | Callable[[apsw.Connection], None]
"""SQL, or what is done with a connection in a transaction."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file holds.

    Attributes:
        name: With its article, as errors say it: `an index`.
        application_id: Stands in the file's header; says that it is ragqa's.
        version: Of the tables.
        tables: The statements that make them.
        kept: What a full disk has not touched.
        strange, old, damaged: The next step when the file is something else's, older than this version reads, or torn.
        migrations: From each version that can be read no longer to the next one.
    """

    name: str
    application_id: int
    version: int
    tables: str
    kept: str
    strange: str
    old: str
    damaged: str
    migrations: Mapping[int, Migration] = field(default_factory=dict)


def connect(path: Path, flags: int, *, synchronous: str = "FULL", busy_ms: int = BUSY_MS) -> apsw.Connection:
    """Open the file with the settings that durability and strangers' files ask for.

    Args:
        synchronous: FULL: what was committed outlives a power cut. NORMAL: it outlives the process; a power cut may
            take the last transactions, and leaves the file whole.
        busy_ms: How long another process may be waited for.
    """
    connection = apsw.Connection(os.fspath(path), flags=flags)
    if flags == apsw.SQLITE_OPEN_READONLY and not os.access(path.parent, os.W_OK) and _needs_files_beside(connection):
        connection.close()
        connection = _connect_to_read_alone(path)
    connection.set_busy_timeout(busy_ms)
    settings = ("foreign_keys = ON", "trusted_schema = OFF", "cell_size_check = ON", "secure_delete = ON")
    for pragma in (f"synchronous = {synchronous}", f"journal_size_limit = {LOG_KEPT}", *settings):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _needs_files_beside(connection: apsw.Connection) -> bool:
    """Whether SQLite would have to make files beside this one to read it, and cannot."""
    try:
        connection.pragma("application_id")
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        return True
    except apsw.Error:  # it comes again where it is explained
        pass
    return False


def _connect_to_read_alone(path: Path) -> apsw.Connection:
    """Open a file on a medium that cannot be written: nobody else changes it, so nothing is shared and nothing locked.

    `immutable` would pass over a log that a crash has left; the log is read where there is one.
    """
    if has_log(path):
        connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY, vfs="unix-none")
        connection.pragma("locking_mode", "exclusive")
        return connection
    name = f"file:{quote(os.fsencode(path))}?immutable=1"
    return apsw.Connection(name, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)


def log_of(path: Path) -> Path:
    """Where SQLite keeps what was committed and is not in the file yet."""
    return Path(f"{path}-wal")


def has_log(path: Path) -> bool:
    """Whether something is in it: then the file alone is not all there is."""
    try:
        return log_of(path).stat().st_size > 0
    except OSError:
        return False


def create_private(path: Path) -> None:
    """Have an empty file that only its owner can read, in a folder of the same kind, unless there is one."""
    private_folder(path.parent)
    if not path.exists():
        private_file(path)


def make_tables(connection: apsw.Connection, path: Path, kind: Kind, fill: Callable[[], None] = lambda: None) -> None:
    """Make the tables if there are none; another process may be doing the same.

    Args:
        fill: Puts into new tables what they begin with, in the same transaction.

    Raises:
        IndexDamaged: The file is a database of something else; nothing in it is changed.
    """
    if is_empty(connection):
        if not network_file_system(path):  # there the shared memory that WAL needs is not shared
            _switch_to_wal(connection)
        with writing(connection):
            if is_empty(connection):
                connection.execute(kind.tables)
                fill()
                connection.pragma("application_id", kind.application_id)
                connection.pragma("user_version", kind.version)
    check_version(connection, path, kind)


def is_empty(connection: apsw.Connection) -> bool:
    return not connection.execute("SELECT 1 FROM sqlite_schema").get


def _switch_to_wal(connection: apsw.Connection) -> None:
    """Set WAL mode; SQLite's own waiting does not cover this, so it is tried until another process is done."""
    deadline = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.pragma("journal_mode", "wal")
            return
        except apsw.BusyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def version_of(connection: apsw.Connection) -> int:
    return int(str(connection.pragma("user_version")))


def check_version(connection: apsw.Connection, path: Path, kind: Kind) -> None:
    """Refuse a file that this version cannot read; raises UnknownIndex."""
    version = version_of(connection)
    if connection.pragma("application_id") != kind.application_id:
        raise UnknownIndex(f"{path}: not {kind.name} of ragqa", kind.strange)
    if version != kind.version:
        hint = "upgrade ragqa" if version > kind.version else kind.old
        raise UnknownIndex(f"{path}: made by another version of ragqa (schema {version})", hint)


@contextmanager
def writing(connection: apsw.Connection) -> Iterator[None]:
    """One transaction: all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite may have rolled back by itself, as it does when a disk is full
            connection.execute("ROLLBACK")
        raise


def copy(connection: apsw.Connection, path: Path) -> None:
    """Write a database as it is now into another file, page by page; other processes may go on writing."""
    with closing(apsw.Connection(os.fspath(path))) as target:
        target.pragma("synchronous", "off")  # what is half written is of no use to anybody
        with target.backup("main", connection, "main") as backup:
            backup.step()


def back_up(connection: apsw.Connection, target: Path) -> None:
    """A copy that its owner alone can read, in its place whole or not at all.

    A database that is there is written over, in one transaction: a new file in its place would take its log for its
    own, and lose to it what was copied.

    Raises:
        IndexLocked: Another process has the one that is there open; it is left as it is.
        NotWritable: There is no place for it, or no space.
    """
    if target.exists() and _written_over(connection, target):
        return
    with new_path(target) as scratch:
        copy(connection, scratch)
        remove_beside(target)


def _written_over(connection: apsw.Connection, target: Path) -> bool:
    """Whether the copy now is in the place of another database; what is there may be none, or damaged."""
    with closing(apsw.Connection(os.fspath(target), flags=apsw.SQLITE_OPEN_READWRITE)) as there:
        try:
            keep_out_others(there, target)
            there.pragma("journal_mode", "delete")  # its log goes into it; without one, any size of page fits
        except (apsw.CorruptError, apsw.NotADBError):
            return False
        target.chmod(0o600)
        with there.backup("main", connection, "main") as backup:
            backup.step()
    return True


def keep_out_others(connection: apsw.Connection, path: Path) -> None:
    """Be the only one who has a file open, until the connection, a new one, is closed.

    Raises:
        IndexLocked: Another process has it open.
    """
    connection.set_busy_timeout(BUSY_MS)
    connection.pragma("locking_mode", "exclusive")
    try:
        connection.execute("BEGIN EXCLUSIVE; COMMIT")
    except apsw.BusyError as error:
        raise IndexLocked(f"{path}: another process has it open", "try again when that has ended") from error


@contextmanager
def closed_to_others(path: Path) -> Iterator[None]:
    """Meanwhile nobody else has a file open whose name is to be another's; what can be no database, nobody has.

    Who had it open would, when he closes it, remove the log of the other one. Nothing is written to it.

    Raises:
        IndexLocked: Another process has it open.
    """
    with ExitStack() as stack:
        with suppress(apsw.Error):
            db = stack.enter_context(closing(apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE)))
            db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            keep_out_others(db, path)
        yield


def remove_beside(path: Path) -> None:
    """Remove what SQLite keeps beside a file; it finds that by name, and would take it for that of the next one."""
    for ending in BESIDE:
        Path(f"{path}{ending}").unlink(missing_ok=True)
    keep_names(path.parent)


# What can go wrong with the file that is copied, and not with a new one.
_OF_A_SOURCE = (apsw.CorruptError, apsw.NotADBError, apsw.BusyError, apsw.LockedError)
_READING = (apsw.SQLITE_IOERR_READ, apsw.SQLITE_IOERR_SHORT_READ, apsw.SQLITE_IOERR_CORRUPTFS)


@contextmanager
def source_explained(source: Path, kind: Kind) -> Iterator[None]:
    """While it is copied, turn those of SQLite's errors into ragqa's that are the source's; others are its copy's."""
    try:
        yield
    except apsw.Error as error:
        if not isinstance(error, _OF_A_SOURCE) and getattr(error, "extendedresult", 0) not in _READING:
            raise
        with errors_explained(source, kind):
            raise


@contextmanager
def errors_explained(path: Path, kind: Kind) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into ragqa's."""
    try:
        yield
    except UnicodeEncodeError as error:  # of what was asked for; nothing like it can be in a file
        asked = error.object.encode(errors="backslashreplace").decode()
        raise UsageError(f"{asked}: not UTF-8", "`ragqa ls` and `ragqa collections` show what there is") from error
    except apsw.FullError as error:
        raise NotWritable(f"{path}: no space left", f"free some space; {kind.kept} is whole") from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise IndexLocked(f"{path}: another process is writing", "try again when it is done") from error
    except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError, apsw.AuthError) as error:
        raise NotWritable(f"{path}: cannot be opened or written: {error}", "check its owner and mode") from error
    except (apsw.IOError, OSError) as error:
        raise NotWritable(f"{path}: {error}", "check space and permissions") from error
    except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, KeyError, ValueError) as error:
        raise IndexDamaged(f"{path}: damaged, or not {kind.name} of ragqa: {error}", kind.damaged) from error
    except apsw.Error as error:
        raise RagqaError(f"{path}: {error}") from error
