"""The history: every question that was asked, its answer, and the quotes that were shown, in one SQLite file.

A transaction outlives the process that made it, but not always a power cut (`synchronous = NORMAL`): the last
question of a day is not worth the wait for the disk after every answer, as the last document of an index is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import apsw

from ragqa.database import check_version, connect, copy, create_private, errors_explained, make_tables, writing
from ragqa.erase import erase, require_unread
from ragqa.errors import UsageError
from ragqa.history.rows import Recorded, insert_sources, insert_turn, read_rows, utc, when
from ragqa.history.tables import HISTORY, NAME_ANEW
from ragqa.migrate import opened_up_to_date
from ragqa.turn import Turn

__all__ = ["History", "Recorded", "open_history"]

BUSY_MS = 3_000  # an answer has been given; its end is not held up for longer


def open_history(path: Path, *, writable: bool = True) -> History:
    """Open the history at `path`, and make it first where there is none.

    Args:
        writable: Otherwise it has to be there.

    Raises:
        IndexDamaged: It is no history, or from another version.
        IndexLocked, NotWritable: It cannot be opened.
    """
    with errors_explained(path, HISTORY):
        if writable:
            create_private(path)
        flags = apsw.SQLITE_OPEN_READWRITE if writable else apsw.SQLITE_OPEN_READONLY
        connection = opened_up_to_date(
            path, HISTORY, flags, lambda some: connect(path, some, synchronous="NORMAL", busy_ms=BUSY_MS)
        )
        try:
            if writable:
                make_tables(connection, path, HISTORY)
            else:
                check_version(connection, path, HISTORY)
        except BaseException:
            connection.close()
            raise
    return History(connection, path)


class History:
    """An open history. Made by `open_history`."""

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self._db = connection
        self.path = path

    def record(
        self,
        turn: Turn,
        *,
        conversation: str,
        models: Mapping[str, str | None] | None = None,
        collections: Sequence[str] = (),
        conditions: Sequence[str] = (),
    ) -> None:
        """Add a turn to a conversation, which begins with it if it is new.

        Args:
            models: By what they do: `embed`, `generate`.
            collections: Those that were searched; all of them where none is named.
            conditions: What the documents had to fulfil, as `--where` takes it.
        """
        recorded = Recorded(turn, conversation, when(turn.id), models or {}, tuple(collections), tuple(conditions))
        with errors_explained(self.path, HISTORY), writing(self._db):
            self._insert(recorded)

    def replace(
        self,
        turn_id: str,
        turn: Turn,
        *,
        models: Mapping[str, str | None] | None = None,
        collections: Sequence[str] = (),
        conditions: Sequence[str] = (),
    ) -> None:
        """Put a turn in the place of another.

        Raises:
            UsageError: The other one is not there.
        """
        with errors_explained(self.path, HISTORY), writing(self._db):
            rows: list[Any] = self._db.execute(
                "SELECT key, conversation FROM turns WHERE id = ?", (turn_id,)
            ).fetchall()
            if not rows:
                raise UsageError(f"no question {turn_id!r} in the history")
            ((key, conversation),) = rows
            self._db.execute("DELETE FROM turns WHERE id = ?", (turn_id,))
            searched = tuple(collections), tuple(conditions)
            self._insert(Recorded(turn, conversation, when(turn.id), models or {}, *searched), key)
            self._db.execute(f"{NAME_ANEW} WHERE id = ?", (conversation,))

    def _insert(self, recorded: Recorded, key: int | None = None) -> None:
        insert_turn(self._db, recorded, key)
        insert_sources(self._db, recorded.turn)

    def turns(self, conversation: str) -> list[Turn]:
        """Those of a conversation, oldest first, as they were recorded."""
        return [recorded.turn for recorded in self.latest(0, conversation=conversation)]

    def latest(self, k: int, *, conversation: str = "") -> list[Recorded]:
        """The last `k` turns, all of them where `k` is 0, the newest last."""
        condition = "t.conversation = ?" if conversation else "1"
        return self._read(condition, (conversation,) if conversation else (), k)

    def search(self, text: str, k: int, *, conversation: str = "") -> list[Recorded]:
        """The last `k` turns whose question or answer holds every word of `text`, the newest last."""
        words = re.findall(r"\w+", text)
        if not words:
            return []
        condition = "t.key IN (SELECT rowid FROM turns_fts WHERE turns_fts MATCH ?)"
        quoted = " ".join(f'"{word}"' for word in words)  # so that none of them is an operator
        if conversation:
            return self._read(f"{condition} AND t.conversation = ?", (quoted, conversation), k)
        return self._read(condition, (quoted,), k)

    def _read(self, condition: str, values: Sequence[Any], k: int) -> list[Recorded]:
        with errors_explained(self.path, HISTORY), self._db:  # one moment, whoever is writing
            newest_first = read_rows(self._db, condition, values, k)
        return newest_first[::-1]

    def conversations(self, k: int = 0) -> list[tuple[str, str]]:
        """Id and name of the last `k`, all of them where `k` is 0; the one with the newest turn first."""
        with errors_explained(self.path, HISTORY):
            rows = self._db.execute(
                "SELECT c.id, c.name FROM conversations c JOIN turns t ON t.conversation = c.id"
                " GROUP BY c.id ORDER BY max(t.key) DESC LIMIT ?",
                (k or -1,),
            )
            return [(str(id), str(name)) for id, name in rows]

    def latest_conversation(self) -> str | None:
        """The conversation that was last gone on with."""
        return next((id for id, _name in self.conversations(1)), None)

    def conversation(self, prefix: str) -> str:
        """The id of the conversation whose id begins so.

        Raises:
            UsageError: None does, or several do.
        """
        return self._named("conversations", prefix)

    def turn(self, prefix: str) -> str:
        """The id of the turn whose id begins so.

        Raises:
            UsageError: None does, or several do.
        """
        return self._named("turns", prefix)

    def _named(self, table: str, prefix: str) -> str:
        what = {"turns": "question", "conversations": "conversation"}[table]
        with errors_explained(self.path, HISTORY):
            found = self._db.execute(
                f"SELECT id FROM {table} WHERE substr(id, 1, ?2) = upper(?1) OR id = ?1 LIMIT 2", (prefix, len(prefix))
            ).fetchall()
        if not prefix or not found:
            raise UsageError(f"no {what} {prefix!r} in the history", "`ragqa logs --json` shows the ids")
        if len(found) > 1:
            raise UsageError(f"several ids of {what}s begin with {prefix!r}", "give more of it")
        return str(found[0][0])

    def ids(self, *, conversation: str = "", before: datetime | None = None) -> list[str]:
        """Of the turns of a conversation, or of those from before a moment, or of all."""
        conditions = {"conversation = ?": conversation, "asked_at < ?": utc(before) if before else ""}
        wanted = {condition: value for condition, value in conditions.items() if value}
        where = " AND ".join(wanted) or "1"
        with errors_explained(self.path, HISTORY):
            rows = self._db.execute(f"SELECT id FROM turns WHERE {where} ORDER BY key", tuple(wanted.values()))
            return [str(id) for (id,) in rows]

    def forget(self, turn_ids: Iterable[str]) -> int:
        """Remove turns, and leave no byte of them in the file or in its log; returns how many there were.

        Raises:
            IndexLocked: Another process is reading; nothing is removed, or text of it is still in the log.
        """
        with errors_explained(self.path, HISTORY):
            require_unread(self._db, self.path)
            with writing(self._db):
                gone = [self._db.execute("DELETE FROM turns WHERE id = ? RETURNING id", (id,)).get for id in turn_ids]
            erase(self._db, self.path, "turns_fts")
        return len(list(filter(None, gone)))

    def copy(self, path: Path) -> None:
        """Write the history as it is now into a new file; other processes may go on writing."""
        with errors_explained(path, HISTORY):
            copy(self._db, path)

    def fault(self) -> str:
        """What SQLite finds wrong with the file; empty where it is whole."""
        with errors_explained(self.path, HISTORY):
            said = str(self._db.execute("PRAGMA quick_check(1)").get)
        return "" if said == "ok" else f"{self.path}: {said}"

    def close(self) -> None:
        self._db.close()
