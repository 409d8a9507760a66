"""Power cuts: every write of SQLite is recorded, and the files are put together as a cut may have left them.

What was written and synced is there. What was written since is there, or not, or in part: a disk keeps its writes in
any order until it is told to sync, and one that was under way is torn at a sector.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw

SECTOR = 512  # bytes


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that was asked of the disk, or (`done`) that somebody was told of.

    Attributes:
        kind: `write`, `sync`, `truncate`, `delete` or `done`.
        place: Offset of a write, size after a truncation.
    """

    kind: str
    name: str = ""
    place: int = 0
    content: bytes = b""


class Recorder(apsw.VFS):
    """SQLite's files as they are, with a record of what happens to them. The shared memory beside a log is no file."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        super().__init__("recorder", "unix", makedefault=True)

    def xOpen(self, name, flags):  # noqa: N802
        return _File(self.events, name, flags)

    def xDelete(self, filename, syncdir):  # noqa: N802
        super().xDelete(filename, syncdir)
        self.events.append(Event("delete", Path(filename).name))

    def done(self, what: str) -> None:
        """Somebody is told that it is done: from here on no cut may take it away."""
        self.events.append(Event("done", what))


class _File(apsw.VFSFile):
    def __init__(self, events: list[Event], name, flags) -> None:
        self.events = events
        self.name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "").name
        super().__init__("unix", name, flags)

    def xWrite(self, data, offset):  # noqa: N802
        super().xWrite(data, offset)
        self.events.append(Event("write", self.name, offset, bytes(data)))

    def xSync(self, flags):  # noqa: N802
        super().xSync(flags)
        self.events.append(Event("sync", self.name))

    def xTruncate(self, newsize):  # noqa: N802
        super().xTruncate(newsize)
        self.events.append(Event("truncate", self.name, newsize))


@dataclass(slots=True)
class _Disk:
    """Attributes: synced: content by name; pending: what has happened to each since."""

    synced: dict[str, bytearray] = field(default_factory=dict)
    pending: dict[str, list[Event]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        if event.kind == "sync":
            content = self.synced.setdefault(event.name, bytearray())
            for one in self.pending.pop(event.name, []):
                _apply(content, one)
        elif event.kind == "delete":  # SQLite syncs the folder
            self.synced.pop(event.name, None)
            self.pending.pop(event.name, None)
        else:
            self.pending.setdefault(event.name, []).append(event)

    def after_a_cut(self, chance: random.Random) -> dict[str, bytes]:
        """The files as they may be found: of what was not synced, each write whole, torn or not at all."""
        kept = chance.choice((0.0, 0.5, 0.9, 1.0))
        files = {name: bytearray(content) for name, content in self.synced.items()}
        for name, events in self.pending.items():
            content = files.setdefault(name, bytearray())
            for event in events:
                if chance.random() < kept:
                    _apply(content, event if chance.random() < 0.8 else _torn(event, chance))
        return {name: bytes(content) for name, content in files.items()}


def _apply(content: bytearray, event: Event) -> None:
    if event.kind == "truncate":
        del content[event.place :]
    else:
        content.extend(bytes(max(event.place - len(content), 0)))
        content[event.place : event.place + len(event.content)] = event.content


def _torn(event: Event, chance: random.Random) -> Event:
    sectors = len(event.content) // SECTOR
    return Event(event.kind, event.name, event.place, event.content[: SECTOR * chance.randint(0, sectors)])


def recorded(work: Callable[[Recorder], None]) -> list[Event]:
    """Everything that happened to SQLite's files while some work was done."""
    recorder = Recorder()
    try:
        work(recorder)
    finally:
        recorder.unregister()
        apsw.set_default_vfs("unix")
    return recorder.events


def states(
    events: list[Event], before: dict[str, bytes], count: int, seed: int
) -> Iterator[tuple[dict[str, bytes], list[str]]]:
    """The files after each of `count` power cuts, drawn evenly over the record, and what had been told by then.

    Args:
        before: Content of the files that were there, by name.
    """
    chance = random.Random(seed)
    cuts = sorted(chance.choices(range(len(events) + 1), k=count))
    disk, told, at = _Disk({name: bytearray(content) for name, content in before.items()}), [], 0
    for cut in cuts:
        for event in events[at:cut]:
            if event.kind == "done":
                told.append(event.name)
            else:
                disk.take(event)
        at = cut
        yield disk.after_a_cut(chance), [*told]
