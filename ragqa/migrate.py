"""A file that an older ragqa made is brought up to date by whoever opens it first, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw

from ragqa.database import Kind, back_up, version_of, writing
from ragqa.errors import NotWritable
from ragqa.lock import Say, silent, writing_alone

Opening = Callable[[int], apsw.Connection]
"""Opens the file with SQLite's flags."""
PATIENCE = 60.0  # seconds: who opens it second waits until the first has done it


def opened_up_to_date(path: Path, kind: Kind, flags: int, opening: Opening, say: Say = silent) -> apsw.Connection:
    """Open a file, and first bring it up to date if it is older; what is newer, or too old, is left as it is.

    A copy of it as it was stays beside it.

    Raises:
        NotWritable: It is older and cannot be changed where it lies.
    """
    connection = opening(flags)
    try:
        if not _is_older(connection, kind):
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    try:
        with (
            writing_alone(path, f"bringing {path.name} up to date", PATIENCE, say),
            closing(opening(apsw.SQLITE_OPEN_READWRITE)) as connection,
        ):
            if _is_older(connection, kind):  # else another process was faster
                _migrate(connection, path, kind, say)
    except (NotWritable, apsw.ReadOnlyError, apsw.CantOpenError) as error:
        raise NotWritable(
            f"{path}: made by an older version of ragqa, and cannot be brought up to date where it lies",
            "copy it to a folder that can be written and name it with `--db FILE`",
        ) from error
    return opening(flags)


def _is_older(connection: apsw.Connection, kind: Kind) -> bool:
    ours = connection.pragma("application_id") == kind.application_id
    return ours and version_of(connection) in kind.migrations


def _migrate(connection: apsw.Connection, path: Path, kind: Kind, say: Say) -> None:
    before = version_of(connection)
    kept = path.with_name(f"{path.name}.schema-{before}.bak")
    say(f"bringing {path.name} from schema {before} to {kind.version}; as it was, it stays in {kept}")
    back_up(connection, kept)
    with writing(connection):
        for version in range(before, kind.version):
            step = kind.migrations[version]
            if isinstance(step, str):
                connection.execute(step)
            else:
                step(connection)
        connection.pragma("user_version", kind.version)
